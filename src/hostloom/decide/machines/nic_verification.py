"""Proof on the wire: what is to be checked of a machine's NIC, and each verdict from what was seen."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.host import Host, LibvirtNetwork
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine, MachineInterface, PowerState
from hostloom.model.network import UNTAGGED, Address, Subnet
from hostloom.model.observed import ObservedInterface, ObservedLink, ObservedMachine
from hostloom.model.request import AddressMode
from hostloom.model.verification import Check, Evidence, NicProof, Verdict


class VerificationReason(StrEnum):
    """What stands in Evidence.found where there is no thing to name; anything else there was seen or said."""

    MACHINE_GONE = "machine-gone"
    MACHINE_OFF = "machine-off"
    NO_NIC = "no-nic"
    NO_DEVICE = "no-device"
    OTHER_KIND = "other-kind"
    NOT_A_PORT = "not-a-port"
    NO_ADDRESS = "no-address"
    NO_GATEWAY = "no-gateway"
    NO_VLAN = "no-vlan"
    NOBODY = "nobody"
    NOT_UP_YET = "not-up-yet"
    NOT_MEASURED = "not-measured"
    GATEWAY_SILENT = "gateway-silent"
    LINKS_NOT_READ = "links-not-read"
    #: No probe can be made by this hostloom.
    NO_PROBE = "no-probe"
    #: A passthru machine has the parent for itself.
    PARENT_IS_ITS_OWN = "parent-is-its-own"
    NETWORK_WITHOUT_BRIDGE = "network-without-bridge"
    #: A probe on its bridge would be on another VLAN.
    NETWORK_HAS_A_TAG = "network-has-a-tag"
    HOST_UNREACHABLE = "host-unreachable"


class VerificationMethod(StrEnum):
    """What stands in Evidence.how."""

    HYPERVISOR = "hypervisor"
    HOST = "host"
    LEASE = "lease"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class NicExpectation:
    """What a NIC's proof rests on: the NIC as planned, and what its VLAN promises."""

    nic: MachineInterface
    #: The bridge of its libvirt network; None for other attachments, and for networks without one.
    bridge: str | None = None
    gateways: tuple[Address, ...] = ()
    #: None: its VLAN is not known.
    mtu: int | None = None
    #: Its libvirt network puts it on a VLAN by a tag.
    is_tagged: bool = False

    @property
    def targets(self) -> tuple[Address, ...]:
        """Whom a probe asks for."""
        return (*self.nic.ips, *self.gateways)


@dataclass(frozen=True, slots=True)
class NeighbourVerdict:
    """What a probe found of one target."""

    macs: tuple[MacAddress, ...]
    mtu: int | None = None


@dataclass(frozen=True)
class NeighbourVerdicts:
    """What a probe beside a NIC found; `unknown` says why there is nothing."""

    by_target: Mapping[Address, NeighbourVerdict] = field(default_factory=dict)
    unknown: str = ""


@dataclass(frozen=True)
class NicObservation:
    """What was seen of a machine from its host."""

    #: None: it is not there.
    machine: ObservedMachine | None
    #: The host's links by name; None: they cannot be read.
    links: Mapping[str, ObservedLink] | None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.machine is not None and self.machine.power is PowerState.ON


@dataclass(frozen=True, slots=True)
class Question:
    """What one probe is to ask, for all NICs that meet the host at its point."""

    targets: tuple[Address, ...]
    mtu: int | None


def expectations_of(snapshot: Snapshot, host: Host, machine: Machine) -> tuple[NicExpectation, ...]:
    """What is to be checked of each NIC of a machine."""
    return tuple(_wants(snapshot, host, nic) for nic in machine.interfaces)


def _wants(snapshot: Snapshot, host: Host, nic: MachineInterface) -> NicExpectation:
    vlan = None if nic.vlan_id is None else snapshot.vlan_by_id.get(nic.vlan_id)
    subnets = () if vlan is None else snapshot.subnets_by_vlan.get(vlan.id, ())
    used = [subnet for subnet in subnets if _carries(subnet, nic.ips)] if nic.ips else subnets
    gateways = dict.fromkeys(subnet.gateway for subnet in used if subnet.gateway is not None)
    network = _network_of(host, nic)
    bridge = None if network is None else network.bridge
    is_tagged = network is not None and network.vid != UNTAGGED
    mtu = None if vlan is None else vlan.mtu
    return NicExpectation(nic, bridge, tuple(gateways), mtu, is_tagged)


def _carries(subnet: Subnet, ips: Iterable[Address]) -> bool:
    return any(ip.version == subnet.cidr.version and ip in subnet.cidr for ip in ips)


def probe_point(expectation: NicExpectation) -> Attachment | VerificationReason:
    """Where a throw-away probe stands beside the NIC, or why it cannot."""
    attachment = expectation.nic.attachment
    if attachment.mode is MacvlanMode.PASSTHRU:
        return VerificationReason.PARENT_IS_ITS_OWN
    if attachment.kind is AttachKind.OTHER:
        return VerificationReason.OTHER_KIND
    if attachment.kind is not AttachKind.NETWORK:
        return attachment
    if not expectation.bridge:
        return VerificationReason.NETWORK_WITHOUT_BRIDGE
    if expectation.is_tagged:
        return VerificationReason.NETWORK_HAS_A_TAG
    return Attachment(AttachKind.BRIDGE, expectation.bridge)


def questions(expectations: Iterable[NicExpectation]) -> dict[Attachment, Question]:
    """One for each attach point, for all NICs there; none if there is nothing to ask."""
    by_attachment: dict[Attachment, Question] = {}
    for want in expectations:
        point = probe_point(want)
        if isinstance(point, VerificationReason) or not want.targets:
            continue
        before = by_attachment.get(point, Question((), None))
        targets = tuple(dict.fromkeys((*before.targets, *want.targets)))
        mtus = [mtu for mtu in (before.mtu, want.mtu if want.gateways else None) if mtu is not None]
        by_attachment[point] = Question(targets, max(mtus, default=None))
    return by_attachment


def duplicates(
    expectation: NicExpectation, answers: NeighbourVerdicts
) -> dict[Address, tuple[MacAddress, ...]]:
    """Planned addresses that others than the NIC answer for, and who."""
    others_by_ip = {}
    for ip in expectation.nic.ips:
        answer = answers.by_target.get(ip, NeighbourVerdict(()))
        if others := tuple(mac for mac in answer.macs if mac != expectation.nic.mac):
            others_by_ip[ip] = others
    return others_by_ip


def verify_nic(
    expectation: NicExpectation,
    nic_observation: NicObservation,
    answers: NeighbourVerdicts,
    leased: Collection[Address],
    time: float,
) -> NicProof:
    """Every check of one NIC; `leased` are the addresses that its MAC has a lease of."""
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
    """The proof of a NIC whose host does not answer."""
    return NicProof(
        expectation.nic.name, time, tuple(Evidence(check, Verdict.UNKNOWN, found=reason) for check in Check)
    )


def attached(attachment: Attachment) -> str:
    """`bridge br0`, `macvlan eth1 private`: an attachment as evidence names it."""
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
    """Where the NIC's device on the host is instead of where it was planned; empty: it is there."""
    planned = expectation.nic.attachment
    if planned.kind is AttachKind.OTHER:
        return ""
    if link is None:
        return VerificationReason.NO_DEVICE
    if planned.kind is AttachKind.MACVLAN:
        parent = link.parents[0] if link.parents else ""
        # A link whose parent or mode was not told (another network namespace) contradicts nothing.
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
    down = (
        [device.name]
        if not (device.enabled and device.link)
        else _down_below(expectation, nic_observation.links)
    )
    if down:
        return replace(unclear, verdict=Verdict.FAILED, found=f"{', '.join(down)} down")
    return replace(unclear, verdict=Verdict.PASSED, found="up")


def _network_of(host: Host, nic: MachineInterface) -> LibvirtNetwork | None:
    if nic.attachment.kind is not AttachKind.NETWORK:
        return None
    source = nic.attachment.source
    return next((network for network in host.libvirt_networks if network.name == source), None)


def _down_below(expectation: NicExpectation, links: Mapping[str, ObservedLink]) -> list[str]:
    """What the NIC hangs on and has no carrier.

    A bridge has carrier as long as one machine's tap has: what counts are its NICs, one of them at least.
    """
    attachment = expectation.nic.attachment
    name = expectation.bridge if attachment.kind is AttachKind.NETWORK else attachment.source
    below = links.get(name or "")
    if below is None or not (below.enabled and below.link):
        return [] if below is None else [below.name]
    ports = [links[parent] for parent in below.parents if parent in links]
    if attachment.kind is AttachKind.MACVLAN or not ports or any(port.link for port in ports):
        return []
    return [port.name for port in ports]


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
            Check.DUPLICATE, Verdict.PASSED, str(ip), VerificationReason.NOBODY, VerificationMethod.PROBE
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
            Check.GATEWAY, Verdict.FAILED, str(gateway), VerificationReason.NOBODY, VerificationMethod.PROBE
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
