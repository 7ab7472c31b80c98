"""Expectations for the verification of a machine's NIC on the wire, and the targets of probes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.host import Host
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine, MachineInterface
from hostloom.model.network import UNTAGGED, Address


class VerificationReason(StrEnum):
    """The values of Evidence.found that are reasons; any other value is an observation."""

    MACHINE_GONE = "machine-gone"
    MACHINE_OFF = "machine-off"
    NO_NIC = "no-nic"
    NO_DEVICE = "no-device"
    OTHER_KIND = "other-kind"
    NOT_A_PORT = "not-a-port"
    NO_ADDRESS = "no-address"
    NO_GATEWAY = "no-gateway"
    NO_VLAN = "no-vlan"
    #: The value keeps its old name, because it is stored in proofs.
    NO_ANSWER = "nobody"
    NOT_UP_YET = "not-up-yet"
    NOT_MEASURED = "not-measured"
    GATEWAY_SILENT = "gateway-silent"
    LINKS_NOT_READ = "links-not-read"
    #: This hostloom cannot make probes.
    NO_PROBE = "no-probe"
    #: A passthru machine has the parent for itself.
    PARENT_IS_ITS_OWN = "parent-is-its-own"
    NETWORK_WITHOUT_BRIDGE = "network-without-bridge"
    #: A probe on its bridge would be on another VLAN.
    NETWORK_HAS_A_TAG = "network-has-a-tag"
    HOST_UNREACHABLE = "host-unreachable"


class VerificationMethod(StrEnum):
    """The values of Evidence.how."""

    HYPERVISOR = "hypervisor"
    HOST = "host"
    LEASE = "lease"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class NicExpectation:
    """The planned NIC, with the properties of its VLAN."""

    nic: MachineInterface
    #: The bridge of its libvirt network; None for other attachments, and for networks without one.
    bridge: str | None = None
    gateways: tuple[Address, ...] = ()
    #: The MTU of its VLAN; None: the VLAN is unknown.
    mtu: int | None = None
    #: Its libvirt network tags its frames.
    is_tagged: bool = False

    @property
    def targets(self) -> tuple[Address, ...]:
        """The addresses that a probe asks for."""
        return (*self.nic.ips, *self.gateways)


@dataclass(frozen=True, slots=True)
class NeighbourVerdict:
    """Who answered a probe for one target."""

    macs: tuple[MacAddress, ...]
    mtu: int | None = None


@dataclass(frozen=True)
class NeighbourVerdicts:
    """The answers to a probe beside a NIC; `unknown` says why a target is missing."""

    by_target: Mapping[Address, NeighbourVerdict] = field(default_factory=dict)
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """The targets of one probe, for all NICs at its attach point."""

    targets: tuple[Address, ...]
    mtu: int | None


def expectations_of(snapshot: Snapshot, host: Host, machine: Machine) -> tuple[NicExpectation, ...]:
    """The expectations for each NIC of a machine."""
    return tuple(_expectation(snapshot, host, nic) for nic in machine.interfaces)


def _expectation(snapshot: Snapshot, host: Host, nic: MachineInterface) -> NicExpectation:
    vlan = None if nic.vlan_id is None else snapshot.vlan_by_id.get(nic.vlan_id)
    subnets = snapshot.subnets_on(nic.vlan_id, nic.ips)
    gateways = dict.fromkeys(subnet.gateway for subnet in subnets if subnet.gateway is not None)
    network = host.find_network(nic.attachment.source) if nic.attachment.kind is AttachKind.NETWORK else None
    bridge = None if network is None else network.bridge
    is_tagged = network is not None and network.vid != UNTAGGED
    mtu = None if vlan is None else vlan.mtu
    return NicExpectation(nic, bridge, tuple(gateways), mtu, is_tagged)


def probe_point(expectation: NicExpectation) -> Attachment | VerificationReason:
    """Where a temporary probe can be attached beside the NIC, or why it cannot be."""
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
    """One question for each attach point with targets."""
    by_attachment: dict[Attachment, Question] = {}
    for expectation in expectations:
        point = probe_point(expectation)
        if isinstance(point, VerificationReason) or not expectation.targets:
            continue
        question = by_attachment.get(point, Question((), None))
        targets = tuple(dict.fromkeys((*question.targets, *expectation.targets)))
        mtus = filter(None, (question.mtu, expectation.mtu if expectation.gateways else None))
        by_attachment[point] = Question(targets, max(mtus, default=None))
    return by_attachment


def duplicates(
    expectation: NicExpectation, answers: NeighbourVerdicts
) -> dict[Address, tuple[MacAddress, ...]]:
    """Planned addresses for which other devices answer, with the MACs of these devices."""
    others_by_ip = {}
    for ip in expectation.nic.ips:
        answer = answers.by_target.get(ip, NeighbourVerdict(()))
        if others := tuple(mac for mac in answer.macs if mac != expectation.nic.mac):
            others_by_ip[ip] = others
    return others_by_ip
