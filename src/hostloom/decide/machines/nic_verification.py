"""Verifies a NIC: a verdict on each check, from the observations."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from hostloom.decide.machines.nic_expectations import (
    NeighbourVerdict,
    NeighbourVerdicts,
    NicExpectation,
    VerificationMethod,
    VerificationReason,
    duplicates,
)
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Check, Evidence, NicProof, PowerState, Verdict
from hostloom.model.network import Address
from hostloom.model.observed import ObservedInterface, ObservedLink, ObservedMachine
from hostloom.model.request import AddressMode


@dataclass(frozen=True)
class NicObservation:
    """The observation of a machine on its host."""

    #: None: the host does not have it.
    machine: ObservedMachine | None
    #: The host's links by name; None: they cannot be read.
    links: Mapping[str, ObservedLink] | None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.machine is not None and self.machine.power is PowerState.ON


def verify_nic(
    expectation: NicExpectation,
    nic_observation: NicObservation,
    answers: NeighbourVerdicts,
    leased: Collection[Address],
    time: float,
) -> NicProof:
    """Check one NIC; `leased` are the leased addresses of its MAC."""
    nics = () if nic_observation.machine is None else nic_observation.machine.interfaces
    observed_interface = next((nic for nic in nics if nic.mac == expectation.nic.mac), None)
    evidence = [
        _attachment(expectation, nic_observation, observed_interface),
        _carrier(expectation, nic_observation, observed_interface),
    ]
    evidence += _addresses(expectation, nic_observation, answers, leased)
    evidence += _duplicates(expectation, answers)
    evidence += _gateways(expectation, answers)
    return NicProof(expectation.nic.name, time, tuple(evidence))


def unseen(expectation: NicExpectation, reason: str, time: float) -> NicProof:
    """The proof of a NIC on a host that does not answer."""
    return NicProof(
        expectation.nic.name, time, tuple(Evidence(check, Verdict.UNKNOWN, found=reason) for check in Check)
    )


def attached(attachment: Attachment) -> str:
    """The attachment as text for evidence: `bridge br0`, `macvlan eth1 private`."""
    return f"{attachment.kind} {attachment.source} {attachment.mode or ''}".rstrip()


# -- attachment and carrier ------------------------------------------------------------------------------


def _attachment(
    expectation: NicExpectation, nic_observation: NicObservation, observed: ObservedInterface | None
) -> Evidence:
    planned = expectation.nic.attachment
    fails = Evidence(Check.ATTACHMENT, Verdict.FAILED, attached(planned), how=VerificationMethod.HYPERVISOR)
    if nic_observation.machine is None:
        return replace(fails, found=VerificationReason.MACHINE_GONE)
    if observed is None:
        return replace(fails, found=VerificationReason.NO_NIC)
    attachment = observed.attachment
    if attachment.kind is AttachKind.OTHER and planned.kind is not AttachKind.OTHER:
        return replace(fails, found=VerificationReason.OTHER_KIND)
    if (attachment.kind, attachment.source, attachment.mode) != (planned.kind, planned.source, planned.mode):
        return replace(fails, found=attached(attachment))
    if not nic_observation.running or nic_observation.links is None:
        return replace(fails, verdict=Verdict.PASSED, found=attached(attachment))
    wrong = _misplaced(expectation, nic_observation.links.get(observed.target))
    if wrong:
        return replace(fails, found=wrong, how=VerificationMethod.HOST)
    return replace(
        fails,
        verdict=Verdict.PASSED,
        found=f"{attached(attachment)} by {observed.target}",
        how=VerificationMethod.HOST,
    )


def _misplaced(expectation: NicExpectation, link: ObservedLink | None) -> str:
    """The actual place of the NIC's device on the host, if it differs from the planned one; else empty."""
    planned = expectation.nic.attachment
    if planned.kind is AttachKind.OTHER:
        return ""
    if link is None:
        return VerificationReason.NO_DEVICE
    if planned.kind is AttachKind.MACVLAN:
        parent = link.parents[0] if link.parents else ""
        # A link with an unknown parent or mode (in another network namespace) is no contradiction.
        if parent in ("", planned.source) and link.macvlan_mode in (None, planned.mode):
            return ""
        return attached(Attachment(AttachKind.MACVLAN, parent or planned.source, link.macvlan_mode))
    bridge = planned.source if planned.kind is AttachKind.BRIDGE else expectation.bridge
    if not bridge or link.master == bridge:
        return ""
    return f"{AttachKind.BRIDGE} {link.master}" if link.master else VerificationReason.NOT_A_PORT


def _carrier(
    expectation: NicExpectation, nic_observation: NicObservation, observed: ObservedInterface | None
) -> Evidence:
    unclear = Evidence(Check.CARRIER, Verdict.UNKNOWN, "up", how=VerificationMethod.HOST)
    if expectation.nic.attachment.kind is AttachKind.OTHER:
        return replace(unclear, verdict=Verdict.NOT_APPLICABLE, found=VerificationReason.OTHER_KIND)
    if not nic_observation.running:
        return replace(unclear, verdict=Verdict.NOT_APPLICABLE, found=VerificationReason.MACHINE_OFF)
    if nic_observation.links is None:
        return replace(unclear, found=VerificationReason.LINKS_NOT_READ)
    device = None if observed is None else nic_observation.links.get(observed.target)
    if device is None:
        return replace(unclear, verdict=Verdict.FAILED, found=VerificationReason.NO_DEVICE)
    down = _down_below(expectation, nic_observation.links) if _has_carrier(device) else [device.name]
    if down:
        return replace(unclear, verdict=Verdict.FAILED, found=f"{', '.join(down)} down")
    return replace(unclear, verdict=Verdict.PASSED, found="up")


def _down_below(expectation: NicExpectation, links: Mapping[str, ObservedLink]) -> list[str]:
    """The links below the NIC that have no carrier: its bridge or parent, or all NICs of the bridge."""
    attachment = expectation.nic.attachment
    name = expectation.bridge if attachment.kind is AttachKind.NETWORK else attachment.source
    below = links.get(name or "")
    if below is None:
        return []
    if not _has_carrier(below):
        return [below.name]
    return [] if attachment.kind is AttachKind.MACVLAN else _dead_uplinks(below, links)


def _has_carrier(link: ObservedLink) -> bool:
    return link.enabled and link.link


def _dead_uplinks(bridge: ObservedLink, links: Mapping[str, ObservedLink]) -> list[str]:
    """The NICs of a bridge if none of them has a link; the bridge has carrier while a machine's tap has."""
    uplinks = [links[parent] for parent in bridge.parents if parent in links]
    return [] if any(uplink.link for uplink in uplinks) else [uplink.name for uplink in uplinks]


# -- addresses, gateways and MTU ---------------------------------------------------------------------------


def _addresses(
    expectation: NicExpectation,
    nic_observation: NicObservation,
    answers: NeighbourVerdicts,
    leased: Collection[Address],
) -> Iterable[Evidence]:
    nic = expectation.nic
    none = Evidence(Check.ADDRESS, Verdict.NOT_APPLICABLE)
    if not nic_observation.running:
        return [replace(none, found=VerificationReason.MACHINE_OFF)]
    if nic.ips:
        return [_address(expectation, ip, answers, leased) for ip in nic.ips]
    if nic.mode is AddressMode.UNCONFIGURED:
        return [replace(none, found=VerificationReason.NO_ADDRESS)]
    if not leased:
        return [
            replace(
                none,
                verdict=Verdict.UNKNOWN,
                found=VerificationReason.NOT_UP_YET,
                how=VerificationMethod.LEASE,
            )
        ]
    text = ", ".join(map(str, sorted(leased, key=lambda ip: (ip.version, int(ip)))))
    return [replace(none, verdict=Verdict.PASSED, found=text, how=VerificationMethod.LEASE)]


def _address(
    expectation: NicExpectation, ip: Address, answers: NeighbourVerdicts, leased: Collection[Address]
) -> Evidence:
    unclear = Evidence(Check.ADDRESS, Verdict.UNKNOWN, str(ip))
    macs = answers.by_target.get(ip, NeighbourVerdict(())).macs
    if expectation.nic.mac in macs:
        return replace(
            unclear, verdict=Verdict.PASSED, found=str(expectation.nic.mac), how=VerificationMethod.PROBE
        )
    if ip in leased:
        return replace(unclear, verdict=Verdict.PASSED, found=str(ip), how=VerificationMethod.LEASE)
    others = [
        str(address)
        for address in leased
        if address.version == ip.version and address not in expectation.nic.ips
    ]
    if others:
        return replace(
            unclear, verdict=Verdict.FAILED, found=", ".join(sorted(others)), how=VerificationMethod.LEASE
        )
    if macs:
        return replace(unclear, verdict=Verdict.FAILED, found=_listed(macs), how=VerificationMethod.PROBE)
    return replace(unclear, found=answers.unknown or VerificationReason.NOT_UP_YET)


def _duplicates(expectation: NicExpectation, answers: NeighbourVerdicts) -> Iterable[Evidence]:
    if not expectation.nic.ips:
        return [Evidence(Check.DUPLICATE, Verdict.NOT_APPLICABLE, found=VerificationReason.NO_ADDRESS)]
    others = duplicates(expectation, answers)
    evidences = []
    for ip in expectation.nic.ips:
        passed = Evidence(
            Check.DUPLICATE, Verdict.PASSED, str(ip), VerificationReason.NO_ANSWER, VerificationMethod.PROBE
        )
        if ip in others:
            passed = replace(passed, verdict=Verdict.FAILED, found=_listed(others[ip]))
        elif ip not in answers.by_target:
            passed = replace(passed, verdict=Verdict.UNKNOWN, found=answers.unknown, how="")
        evidences.append(passed)
    return evidences


def _gateways(expectation: NicExpectation, answers: NeighbourVerdicts) -> Iterable[Evidence]:
    if not expectation.gateways:
        reason = VerificationReason.NO_VLAN if expectation.mtu is None else VerificationReason.NO_GATEWAY
        return [Evidence(check, Verdict.NOT_APPLICABLE, found=reason) for check in (Check.GATEWAY, Check.MTU)]
    verdicts = [(gateway, answers.by_target.get(gateway)) for gateway in expectation.gateways]
    reached = [_gateway(address, answer, answers.unknown) for address, answer in verdicts]
    return reached + [_mtu(expectation, address, answer, answers.unknown) for address, answer in verdicts]


def _gateway(gateway: Address, answer: NeighbourVerdict | None, unknown: str) -> Evidence:
    if answer is None:
        return Evidence(Check.GATEWAY, Verdict.UNKNOWN, str(gateway), unknown)
    if not answer.macs:
        return Evidence(
            Check.GATEWAY,
            Verdict.FAILED,
            str(gateway),
            VerificationReason.NO_ANSWER,
            VerificationMethod.PROBE,
        )
    return Evidence(
        Check.GATEWAY, Verdict.PASSED, str(gateway), _listed(answer.macs), VerificationMethod.PROBE
    )


def _mtu(
    expectation: NicExpectation, gateway: Address, answer: NeighbourVerdict | None, unknown: str
) -> Evidence:
    unclear = Evidence(Check.MTU, Verdict.UNKNOWN, f"{expectation.mtu} to {gateway}", unknown)
    if answer is None:
        return unclear
    if not answer.macs:
        return replace(unclear, found=VerificationReason.GATEWAY_SILENT, how=VerificationMethod.PROBE)
    if answer.mtu is None or expectation.mtu is None:
        return replace(unclear, found=VerificationReason.NOT_MEASURED, how=VerificationMethod.PROBE)
    verdict = Verdict.PASSED if answer.mtu >= expectation.mtu else Verdict.FAILED
    return replace(
        unclear, verdict=verdict, found=str(min(answer.mtu, expectation.mtu)), how=VerificationMethod.PROBE
    )


def _listed(macs: Iterable[MacAddress]) -> str:
    return ", ".join(sorted(map(str, macs)))
