"""Evidence in words: what was checked of a NIC on the wire, and what came of it."""

from hostloom.decide.proving import How, Reason
from hostloom.model.proof import Check, Evidence, Verdict

_REASONS = {
    Reason.MACHINE_GONE: "the host has no such machine",
    Reason.MACHINE_OFF: "the machine is off",
    Reason.NO_NIC: "the machine has no NIC with its MAC",
    Reason.NO_DEVICE: "its device on the host is missing",
    Reason.OTHER_KIND: "it is attached in a way that hostloom does not know",
    Reason.NOT_A_PORT: "its tap is a port of no bridge",
    Reason.NO_ADDRESS: "it has no planned address",
    Reason.NO_GATEWAY: "its subnets have no gateway",
    Reason.NO_VLAN: "its VLAN is not known",
    Reason.NOBODY: "nobody answers for it",
    Reason.NOT_UP_YET: "the machine has not come up yet: nobody answers, and no lease was seen",
    Reason.NOT_MEASURED: "the length of frames was not measured",
    Reason.GATEWAY_SILENT: "the gateway does not answer",
    Reason.LINKS_NOT_READ: "the host's links cannot be read",
    Reason.NO_PROBE: "this hostloom makes no probes",
    Reason.PARENT_IS_ITS_OWN: "the parent is the machine's own (passthru): no probe fits beside it",
    Reason.NETWORK_HAS_A_TAG: "its libvirt network tags it with a VLAN, on which no probe can be",
    Reason.NETWORK_WITHOUT_BRIDGE: "its libvirt network has no bridge",
    Reason.HOST_UNREACHABLE: "the host cannot be reached",
}
_PASSED = {
    Check.ATTACHMENT: "attached to {found}",
    Check.CARRIER: "it and what it is attached to have carrier",
    Check.DUPLICATE: "nobody else answers for {wanted}",
    Check.GATEWAY: "gateway {wanted} answers from {found}",
    Check.MTU: "packets of {wanted} pass",
}
_FAILED = {
    Check.ATTACHMENT: "attached to {found}, not to {wanted}",
    Check.CARRIER: "no carrier: {found}",
    Check.DUPLICATE: "{wanted} is also answered for by {found}",
    Check.GATEWAY: "gateway {wanted} does not answer",
    Check.MTU: "of {wanted} only {found} pass",
}
_ADDRESS = {
    (Verdict.PASSED, How.PROBE): "{wanted} is answered for by the NIC itself",
    (Verdict.PASSED, How.LEASE): "{found} is leased to it",
    (Verdict.FAILED, How.PROBE): "{wanted} is answered for by {found}, not by the NIC",
    (Verdict.FAILED, How.LEASE): "{found} is leased to it, not {wanted}",
}


def describe_evidence(evidence: Evidence) -> str:
    """One check in a line, without its name and verdict."""
    found, wanted = _in_words(evidence.found), evidence.wanted
    if evidence.verdict in (Verdict.UNKNOWN, Verdict.NOT_APPLICABLE):
        return found
    if evidence.check is Check.ADDRESS:
        return _ADDRESS[evidence.verdict, How(evidence.how)].format(found=found, wanted=wanted)
    if evidence.check is Check.ATTACHMENT and evidence.found in list(Reason):
        return f"{found}; planned was {wanted}"
    words = _PASSED if evidence.verdict is Verdict.PASSED else _FAILED
    return words[evidence.check].format(found=found, wanted=wanted)


def describe_failures(nic: str, evidence: tuple[Evidence, ...]) -> str:
    """What failed of a NIC: `eth0: gateway: …; mtu: …`."""
    failed = (each for each in evidence if each.verdict is Verdict.FAILED)
    return f"{nic}: " + "; ".join(f"{each.check}: {describe_evidence(each)}" for each in failed)


def _in_words(found: str) -> str:
    """A reason's words, also where the world's own follow it after a colon."""
    code, colon, more = found.partition(": ")
    return f"{_REASONS[Reason(code)]}{colon}{more}" if code in list(Reason) else found
