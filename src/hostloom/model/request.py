"""Requests of users: constraints by label, disks, and the size of a machine."""

from dataclasses import dataclass, field
from enum import StrEnum

from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.deployment import DeployRequest
from hostloom.model.disk_image import DiskImage
from hostloom.model.ids import DomainId, MacAddress, ResourcePoolId, SystemId, ZoneId
from hostloom.model.network import Address

GB = 10**9


class AddressMode(StrEnum):
    """How a machine interface gets its address (docs/explanation/rules.md#choosing-addresses)."""

    #: hostloom reserves the next free address of its VLAN's subnets and publishes it to DHCP.
    AUTO = "auto"
    #: The interface takes a lease.
    DHCP = "dhcp"
    #: The interface is up without an address.
    UNCONFIGURED = "unconfigured"


@dataclass(frozen=True, slots=True)
class Term:
    """One `key=value` of a label, as written; `column` counts from 1 (0: typed form)."""

    key: str
    value: str
    negated: bool = False
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class LabelConstraints:
    """One label of the interface constraints: a NIC, with the constraints on its host interface."""

    #: As written.
    label: str
    #: The NIC's name: at most 15 bytes.
    name: str
    #: Every term, in the order written. The fields below have the values of terms that set something.
    terms: tuple[Term, ...] = ()
    ips: tuple[Address, ...] = ()
    mode: AddressMode = AddressMode.AUTO
    attach: AttachKind | None = None
    macvlan_mode: MacvlanMode | None = None
    #: The libvirt network, with attach=network.
    network: str | None = None
    mac: MacAddress | None = None
    #: libvirt NIC model; None = virtio.
    model: str | None = None
    #: 1-based column of the label in the text (0: typed form).
    column: int = field(default=0, compare=False)

    @property
    def ip_columns(self) -> tuple[tuple[Address, int], ...]:
        """Every `ip=` with the column of its value."""
        columns = (term.column for term in self.terms if term.key == "ip" and not term.negated)
        return tuple(zip(self.ips, columns, strict=True))


@dataclass(frozen=True, slots=True)
class DiskRequest:
    """One disk: its label, its size and the words that its pool must have as name or tag."""

    label: str
    size_bytes: int
    words: tuple[str, ...] = ()
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ComposeRequest:
    """A request for one machine, as the user wrote it."""

    #: A host by name or id; None = any.
    host: str | None = None
    #: Interface constraints; blank = none.
    interfaces: str = ""
    #: Disks; blank = root:8.
    storage: str = ""
    cores: int = 1
    memory_mib: int = 2048
    #: amd64, arm64 …; None = the host's first. `amd64/generic` is the same as `amd64`.
    architecture: str | None = None
    netboot: bool = True
    #: Name of the machine; None = the IdSource chooses.
    hostname: str | None = None
    #: Zone and resource pool by name or id; None = the host's. Without `host`, only hosts in them are
    #: considered, and the machine gets those of its host.
    zone: str | None = None
    resource_pool: str | None = None
    tags: tuple[str, ...] = ()
    #: Disks are raw (sparse) by default.
    qcow2: bool = False
    #: Whether it is started when it is composed.
    start: bool = True
    #: Its host starts it whenever the host itself starts.
    autostart: bool = True
    #: Its domain by name or id; None = the default one.
    domain: str | None = None
    #: The user who gets the composed machine, and decomposes it by releasing it; blank: none.
    owner: str = ""
    #: Machines of one batch with the same word here never share a host.
    anti_affinity: str | None = None
    #: Tags that its host must have, and tags that it must not have.
    host_tags: tuple[str, ...] = ()
    not_host_tags: tuple[str, ...] = ()
    #: The operating system to install; None: its disks stay empty.
    deploy: DeployRequest | None = None


@dataclass(frozen=True, slots=True)
class UnreadableText:
    """The first mistake in a text of a request."""

    #: A RequestCode.
    code: str
    #: `interfaces` or `storage`.
    field: str
    #: Where the mistake is; counts from 1.
    column: int
    value: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRequest(ComposeRequest):
    """A request with parsed texts and resolved ids. The texts are only for display."""

    #: Of `interfaces`; empty: no interface constraints.
    labels: tuple[LabelConstraints, ...]
    #: Of `storage`; of a machine that is deployed, its seed disk comes last.
    disks: tuple[DiskRequest, ...]
    #: Set if a text cannot be parsed; every decision then refuses the request.
    unreadable: UnreadableText | None = None
    #: The machine's groups; None = the host's zone and resource pool, and the default domain.
    zone_id: ZoneId | None = None
    resource_pool_id: ResourcePoolId | None = None
    domain_id: DomainId | None = None
    #: The required zone and resource pool of its host, if the request names them but not the host.
    in_zone: ZoneId | None = None
    in_resource_pool: ResourcePoolId | None = None
    #: The image of `deploy`.
    image: DiskImage | None = None

    @property
    def nic_count(self) -> int:
        """The number of NICs, and so of MACs: one for each label, or one without constraints."""
        return max(len(self.labels), 1)


class Strategy(StrEnum):
    """How the machines of a batch are distributed. The default places each as if it were alone."""

    #: As evenly as possible: minimizes the number of machines on the host with the most of them.
    SPREAD = "spread"
    #: On as few hosts as possible.
    PACK = "pack"


#: Machines of one request.
MAX_BATCH = 1000


@dataclass(frozen=True, slots=True)
class ComposeBatch:
    """Requests for several machines, of which all are composed or none."""

    machines: tuple[ComposeRequest, ...]
    strategy: Strategy | None = None


@dataclass(frozen=True, slots=True)
class ParsedBatch:
    """A batch of parsed requests."""

    machines: tuple[ParsedRequest, ...]
    strategy: Strategy | None = None


@dataclass(frozen=True, slots=True)
class Identities:
    """Inputs that a pure decision cannot generate: names, UUID, MACs and the time."""

    system_id: SystemId
    hostname: str
    uuid: str
    #: One for each NIC, in the order of labels; there may be more.
    macs: tuple[MacAddress, ...]
    #: The present time, to compute the age of facts; seconds since the epoch; None = unknown.
    at: float | None = None
