"""Proof on the wire: what was checked of a machine's NIC, what was found, and how."""

from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """What is checked of a NIC, in this order."""

    #: Its tap is a port of the planned bridge, its macvtap on the planned parent in the planned mode.
    ATTACHMENT = "attachment"
    #: The tap, and what it is attached to, have carrier.
    CARRIER = "carrier"
    #: The lease, or who answers for the address, is what was planned.
    ADDRESS = "address"
    #: No other device answers for the address.
    DUPLICATE = "duplicate"
    #: The gateway answers ARP or neighbour discovery.
    GATEWAY = "gateway"
    #: Frames as long as the VLAN's MTU pass to the gateway.
    MTU = "mtu"


class Verdict(StrEnum):
    """How a check ended; a badge shows the worst, in this order from best to worst."""

    PASSED = "passed"
    #: There was nothing to check: no gateway, no address.
    NOT_APPLICABLE = "not-applicable"
    #: It could not be checked: `found` says why.
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One check of one NIC; prose is rendered in decide/explain/ only."""

    check: Check
    verdict: Verdict
    wanted: str = ""
    found: str = ""
    #: How it was seen: `host` (its links), `lease`, `probe` (a throw-away one beside it), `guest`.
    how: str = ""


@dataclass(frozen=True, slots=True)
class NicProof:
    """All checks of one NIC at one time."""

    nic: str
    #: Seconds since the epoch.
    at: float
    evidence: tuple[Evidence, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of them; PASSED where the rest does not apply."""
        verdicts = {evidence.verdict for evidence in self.evidence}
        for worst in (Verdict.FAILED, Verdict.UNKNOWN, Verdict.PASSED):
            if worst in verdicts:
                return worst
        return Verdict.NOT_APPLICABLE
