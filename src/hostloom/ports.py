"""The ports: what workflows and services need of the world, as Protocols that adapters and fakes fill."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from hostloom.decide.snapshot import Snapshot
from hostloom.model.access import ApiKey, Token, User
from hostloom.model.advert import RouterAdvert
from hostloom.model.annotation import Annotated
from hostloom.model.attachment import Attachment
from hostloom.model.commissioning import BootToken, Commissioning
from hostloom.model.dhcp import DhcpIntent, DhcpPulse, Lease, PublishedNic
from hostloom.model.drift import Change
from hostloom.model.event import Event
from hostloom.model.exchange import DhcpMessage, DhcpOffer, ForeignDhcp, VlanProbe
from hostloom.model.fix import LibvirtDhcp, LibvirtLease, NetworkSpec
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.host import Host, PlacedMachine
from hostloom.model.ids import (
    DomainId,
    FabricId,
    HostId,
    MacAddress,
    RackId,
    RangeId,
    ResourcePoolId,
    SpaceId,
    SubnetId,
    SystemId,
    TagId,
    UserId,
    VlanId,
    ZoneId,
)
from hostloom.model.image import Flavour, Image
from hostloom.model.importing import Renumbering
from hostloom.model.machine import Disk, Machine, MachineSpec, MachineState, PowerState
from hostloom.model.network import Address, Fabric, HeldAddress, IPRange, Space, Subnet, Vlan
from hostloom.model.node import Node, NodeInterface
from hostloom.model.observed import ObservedHost, ObservedMachine, ObservedNetwork
from hostloom.model.operation import Claim, Operation, StepRecord
from hostloom.model.plan import Explanation, Plan
from hostloom.model.proof import NicProof
from hostloom.model.rack import Rack, RackStatus
from hostloom.model.service_settings import ServiceSettings
from hostloom.model.stored_plan import StoredPlan


class Clock(Protocol):
    """Time, so that tests can move it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class IdSource(Protocol):
    """Everything random, so that decisions and sagas are deterministic."""

    def system_id(self) -> SystemId:
        """Six characters."""
        ...

    def hostname(self) -> str:
        """A name for a machine that the user did not name."""
        ...

    def uuid(self) -> str:
        """A random UUID as text."""
        ...

    def mac(self) -> MacAddress:
        """A unicast, locally administered address of KVM's prefix 52:54:00."""
        ...

    def secret(self) -> str:
        """At least 128 bits, safe in a URL."""
        ...


class Secrets(Protocol):
    """Secrets that need not be stored, because they follow from one that the server keeps in a file."""

    def derive(self, purpose: str) -> str:
        """32 letters and digits, always the same for a purpose."""
        ...


class Hypervisor(Protocol):
    """One host's hypervisor.

    Every method raises HostUnreachable, HostRefused, HypervisorRejected, or OutcomeUnknown when a changing
    call ran out of time. Changing methods are ensure-shaped: twice is once, and what is gone is gone.
    They touch only what carries our mark (or the volume name of the plan).
    """

    @property
    def networks(self) -> "LibvirtNetworks":
        """Its libvirt networks."""
        ...

    @property
    def volumes(self) -> "Volumes":
        """The volumes of its machines."""
        ...

    def describe(self, pools: Sequence[str] = ()) -> ObservedHost:
        """Read the whole host in bulk; what cannot be read is named in its findings.

        `pools`: names of storage pools that are known, for when the host does not list them.
        """
        ...

    def ping(self) -> None:
        """Return if the hypervisor answers; a host that is busy with another reading counts as answering."""
        ...

    def find_machine(self, uuid: str) -> ObservedMachine | None:
        """Read one machine, or None."""
        ...

    def render(self, spec: MachineSpec) -> str:
        """The domain XML that ensure_machine defines; touches nothing."""
        ...

    def ensure_machine(self, spec: MachineSpec) -> None:
        """Define the machine; a machine of that UUID without our mark is HypervisorRejected."""
        ...

    def delete_machine(self, uuid: str) -> None:
        """Stop and undefine the machine (with its nvram), never its volumes; one not ours is refused."""
        ...

    def start(self, uuid: str, mark: SystemId | None = None) -> None:
        """Power on. With `mark`, one that does not carry it is HypervisorRejected, and not touched.

        Ours are switched by their mark: what has come to have their UUID is somebody else's. Adopted machines
        carry none, or another hostloom's, and are switched without, when a user asks for it.
        """
        ...

    def stop(self, uuid: str, mark: SystemId | None = None, *, force: bool = False) -> None:
        """Ask the machine to shut down, or with `force` cut its power; `mark` as for `start`."""
        ...

    def set_autostart(self, uuid: str, mark: SystemId | None = None, *, enabled: bool) -> None:
        """Let the machine start with its host, or not; `mark` as for `start`."""
        ...

    def remove_interface(self, uuid: str, mac: MacAddress, mark: SystemId) -> None:
        """Take a NIC from the machine with this mark; one that runs keeps it until it is switched off."""
        ...

    def power(self, uuid: str) -> PowerState:
        """Whether it runs; UNKNOWN for a machine that does not exist."""
        ...

    def console_log(self, uuid: str, limit_bytes: int = 65536) -> str:
        """The end of the serial console's log."""
        ...


class LibvirtNetworks(Protocol):
    """The libvirt networks of one host; errors as for Hypervisor."""

    def dhcp(self, name: str) -> LibvirtDhcp:
        """libvirt's own DHCP of a network, to be given back; HypervisorRejected when it is not there."""
        ...

    def leases(self, name: str) -> Sequence[LibvirtLease]:
        """What that DHCP has handed out, by address; HypervisorRejected where libvirt cannot say."""
        ...

    def stop_dhcp(self, name: str) -> None:
        """Turn it off, now and for good; machines that run keep their NICs on the network."""
        ...

    def restore_dhcp(self, name: str, before: LibvirtDhcp) -> None:
        """As it was; of a running network all but `<bootp>`, which comes back at its next start."""
        ...

    def ensure(self, spec: NetworkSpec) -> None:
        """Make the network with our mark, start it, let it start with the host.

        Another network of that name, or one of that UUID without our mark, is HypervisorRejected.
        """
        ...

    def delete(self, uuid: str) -> None:
        """Stop and undefine a network that we made; one without our mark is HypervisorRejected."""
        ...


class Volumes(Protocol):
    """The volumes of one host's machines; errors as for Hypervisor."""

    def ensure(self, disk: Disk) -> None:
        """Make the disk's volume; one of that name, size and format that exists is taken."""
        ...

    def delete(self, disk: Disk) -> None:
        """Delete the disk's volume if it exists."""
        ...


class Hypervisors(Protocol):
    """The hypervisors of all hosts; one dead host never slows another."""

    def of(self, host: str, uri: str) -> Hypervisor:
        """The hypervisor at a URI; connects on first use. `host` names it in errors."""
        ...

    def forget(self, uri: str) -> None:
        """Close the connection to a host that is no longer managed."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class HostScanner(Protocol):
    """Reads the links, addresses and routes of a host."""

    def scan(self, uri: str) -> ObservedNetwork:
        """Read them; HostNotScannable where the URI gives no way to (TLS, test driver)."""
        ...


@dataclass(frozen=True, slots=True)
class OfferedKey:
    """An SSH host key as a host shows it."""

    kind: str
    #: `SHA256:…` as `ssh-keygen -l` prints it.
    fingerprint: str
    #: The line for a known-hosts file.
    line: str


class HostKeys(Protocol):
    """The pinned SSH keys of hosts; URIs without SSH have none and need none."""

    def offered(self, uri: str) -> Sequence[OfferedKey]:
        """Ask the host for its keys, the strongest first; empty for a URI without SSH."""
        ...

    def pin(self, uri: str, key: OfferedKey) -> None:
        """Trust this key, and only this one, from now on."""
        ...

    def pinned(self, uri: str) -> str | None:
        """Fingerprint of the pinned key."""
        ...

    def retain(self, uri: str) -> None:
        """Keep the key that is pinned for the URI's address as long as this URI needs it, too."""
        ...

    def release(self, uri: str) -> None:
        """This URI needs its key no longer; it stays pinned while another URI needs it."""
        ...

    def forget(self, uri: str) -> None:
        """Trust the URI's address no longer, whoever needs it."""
        ...


class Resolver(Protocol):
    """Names to addresses."""

    def addresses(self, name: str) -> tuple[Address, ...]:
        """All addresses of a name or literal; empty when it does not resolve."""
        ...


class DhcpServer(Protocol):
    """A rack's DHCP server."""

    def apply(self, intent: DhcpIntent) -> None:
        """Test, then set the whole configuration; DhcpRejected leaves the running one as it was."""
        ...

    def leases(self) -> Sequence[Lease]:
        """Leases that are valid now."""
        ...

    def is_alive(self) -> bool:
        """Whether the server answers."""
        ...

    def pulse(self) -> DhcpPulse:
        """Whether leases or the server itself changed since; DhcpUnreachable."""
        ...

    def status(self) -> RackStatus:
        """What it says of itself; one that does not answer has `trouble`, and raises nothing."""
        ...

    def running(self) -> dict[str, Any]:
        """The configuration that runs, by family (`Dhcp4`, `Dhcp6`), without secrets; DhcpUnreachable."""
        ...


class DhcpServers(Protocol):
    """The DHCP servers of all racks; one that is dead never slows another."""

    def of(self, rack: Rack) -> DhcpServer:
        """The server behind a rack's control channel; connects on first use.

        InvalidValue for a control channel that cannot be: `local` where hostloom was configured with none.
        """
        ...

    def forget(self, rack: Rack) -> None:
        """Close what is open to a rack that is gone."""
        ...


@dataclass(frozen=True, slots=True)
class ProbePoint:
    """Where a throw-away probe is put: beside a machine's NIC, or on an interface itself."""

    #: URI of the host; `qemu:///system`: the machine that hostloom runs on.
    uri: str
    #: A bridge or parent interface.
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class Reach:
    """What a probe found of one target."""

    target: Address
    #: Who answered ARP or neighbour discovery, each once; empty: nobody.
    macs: tuple[MacAddress, ...]
    #: The longest IP packet, in bytes, that a frame to the target may carry; None: it was not measured.
    mtu: int | None = None


class WireProbe(Protocol):
    """A throw-away NIC that asks the wire; it leaves nothing behind, and takes nobody's address.

    Both raise HostUnreachable, or HostNotScannable where the URI gives no way to or the host lacks what the
    probe needs; WireRefused where the interface cannot take a probe (it is held by a passthru machine).
    """

    def dhcp_servers(
        self, point: ProbePoint, version: int = 4, timeout_s: float = 3.0
    ) -> Sequence[DhcpOffer]:
        """Ask for a lease as a client that nobody knows, take none, and return every offer."""
        ...

    def reach(
        self, point: ProbePoint, targets: Sequence[Address], mtu: int | None = None, timeout_s: float = 1.0
    ) -> Sequence[Reach]:
        """Ask who has each address (RFC 5227 probes, RFC 4861 solicitations), all at once.

        With `mtu` also with frames that long, and shorter ones if those are not answered.
        """
        ...


class ImageStore(Protocol):
    """Boot images; each has a name of its own content, and never changes.

    Every method that changes is ensure-shaped, and leaves the images that are there as they are if it fails
    (ImageFailed).
    """

    def list(self) -> Sequence[Image]:
        """Latest first."""
        ...

    def find(self, name: str) -> Image | None:
        """By name."""
        ...

    def fetch(self, flavour: Flavour) -> tuple[str, ...]:
        """Get the packages of the distribution's kernel, unless they are here; their names."""
        ...

    def build(self, flavour: Flavour, packages: Sequence[str]) -> Image:
        """Build from fetched packages; machines boot it from now on."""
        ...

    def prune(self, image: Image, packages: Sequence[str]) -> None:
        """Drop what the image has replaced, but for the one before it, which machines may be loading."""
        ...

    def delete(self, name: str) -> None:
        """By name; NotFound."""
        ...


class RouterAdvertiser(Protocol):
    """Tells IPv6 hosts what the rack's interfaces are for."""

    def advertise(self, adverts: Sequence[RouterAdvert]) -> None:
        """Advertise these from now on, and nothing else; an interface that comes later is taken up then."""
        ...


class DhcpWitness(Protocol):
    """Sees DHCP messages pass on the interfaces of the machine that hostloom runs on."""

    def watch(self, interfaces: Sequence[str]) -> None:
        """Watch these from now on, and no others; one that is not there is watched once it is."""
        ...

    def drain(self) -> Sequence[DhcpMessage]:
        """What was seen since the last call, in order; without VLANs."""
        ...


T = TypeVar("T")
K_contra = TypeVar("K_contra", contravariant=True)


class Repository(Protocol[T, K_contra]):
    """The stored things of one kind."""

    def get(self, key: K_contra) -> T:
        """By id; NotFound."""
        ...

    def find(self, name: str) -> T | None:
        """By name (VLAN: name; subnet: CIDR or name; node: hostname)."""
        ...

    def list(self, after: K_contra | None = None, limit: int | None = None) -> list[T]:
        """By id, ascending, from after `after`."""
        ...

    def add(self, item: T) -> T:
        """Insert; an id of 0 is replaced by a new one. AlreadyExists on a taken name."""
        ...

    def update(self, item: T) -> T:
        """Write if `item.generation` is still the stored one (StaleGeneration), and count it up."""
        ...

    def delete(self, key: K_contra) -> None:
        """Remove; InUse names what still refers to it."""
        ...


class Groups(Repository[T, K_contra], Protocol):
    """Zones, resource pools or domains, one of which is the default."""

    def default(self) -> T:
        """The group of what names no other."""
        ...


class Domains(Groups[Domain, DomainId], Protocol):
    """Domains: which of them is the default can change."""

    def set_default(self, key: DomainId) -> None:
        """Make another one the default; the nodes stay where they are."""
        ...


class Fabrics(Repository[Fabric, FabricId], Protocol):
    """Fabrics, each with its untagged VLAN."""

    def add(self, item: Fabric, untagged: VlanId = ...) -> Fabric:
        """Insert both; an id of 0 is replaced by a new one. AlreadyExists on a taken name."""
        ...


class Vlans(Repository[Vlan, VlanId], Protocol):
    """VLANs, also by fabric and tag."""

    def find_by_vid(self, fabric_id: FabricId, vid: int) -> Vlan | None:
        """The VLAN with this 802.1Q tag in the fabric."""
        ...


class Addresses(Protocol):
    """Held addresses; a reserved one is unique within its subnet."""

    def hold(self, held: HeldAddress) -> None:
        """Reserve; AlreadyExists names who has it."""
        ...

    def release(self, ip: Address, subnet_id: SubnetId | None) -> None:
        """Give one back; nothing happens if it is free."""
        ...

    def list(self, subnet_id: SubnetId | None = None) -> list[HeldAddress]:
        """All, or those of a subnet, by address."""
        ...

    def replace_leases(self, leases: Iterable[HeldAddress]) -> None:
        """Replace every held address of kind LEASE."""
        ...

    def mark_on_wire(self, marks: Sequence[HeldAddress]) -> None:
        """Record addresses of kind ON_WIRE, in place of earlier marks of the same addresses."""
        ...

    def forget_on_wire(self, now: float) -> Sequence[HeldAddress]:
        """Remove the marks that count no longer; the answer lists them."""
        ...


class Nodes(Repository[Node, SystemId], Protocol):
    """Nodes with their interfaces; `update` leaves interfaces alone."""

    def find_by_mac(self, mac: MacAddress) -> Node | None:
        """The node with this interface; of several the first by system id."""
        ...

    def replace_interfaces(
        self, system_id: SystemId, interfaces: Sequence[NodeInterface], scanned_at: float | None = None
    ) -> Node:
        """Store what a scan found, matched by id, and by name where it has none; the others are removed.

        The operator's settings are kept, also of those that are removed (`absent`): an interface with the id
        of one of these has them again. Without `scanned_at` the time of the last scan stays.
        """
        ...

    def absent(self, system_id: SystemId) -> Sequence[NodeInterface]:
        """Interfaces that were away at the last scan, and on which the operator has had a word; by id."""
        ...

    def update_interface(self, system_id: SystemId, interface: NodeInterface) -> Node:
        """Store the operator's word on one interface."""
        ...


class Hosts(Repository[Host, HostId], Protocol):
    """Hosts."""

    def record_facts(self, before: Host, seen: Host) -> Host:
        """Write what a reading made of a host, as `update` does, but for the generation.

        It counts up only where more changed than what always does: when it was read, and pools' free space.
        """
        ...


class Machines(Repository[Machine, SystemId], Protocol):
    """Machines with NICs and disks."""

    def find_by_uuid(self, host_id: HostId, uuid: str) -> Machine | None:
        """A machine on a host by its UUID."""
        ...

    def find_by_smbios(self, uuid: str) -> Machine | None:
        """The machine that calls itself this, on whatever host or bare."""
        ...

    def find_by_mac(self, mac: MacAddress) -> Machine | None:
        """The machine with this NIC, planned or found by commissioning; one statement.

        Ours before an adopted one: others may have given two machines one MAC.
        """
        ...

    def published_nics(self) -> Sequence[PublishedNic]:
        """What DHCP is to know of all machines: one statement."""
        ...

    def overdue(self, now: float) -> list[Machine]:
        """Those whose report was due (`commission_by`) by now, by system id."""
        ...

    def of_host(self, host_id: HostId) -> list[Machine]:
        """All on one host, by name."""
        ...

    def generations(self, host_id: HostId) -> dict[SystemId, tuple[int, tuple[Change, ...]]]:
        """The generation and drift of every machine on a host; one statement."""
        ...

    def elsewhere(self, host_id: HostId | None, uuids: Sequence[str]) -> list[Machine]:
        """Those with one of these UUIDs on other hosts (None: on any), by system id."""
        ...

    def removed_since(self, revision: int, keys: Sequence[SystemId]) -> set[SystemId]:
        """Those of these that were removed after a revision of the world, or may have been."""
        ...

    def holders(self, macs: Sequence[MacAddress]) -> dict[MacAddress, set[SystemId]]:
        """The machines that have each of these MACs, adopted ones too; one statement."""
        ...

    def enlisted_keys(
        self, uuids: Sequence[str], macs: Sequence[MacAddress]
    ) -> dict[str | MacAddress, SystemId]:
        """Enlisted machines by each of these UUIDs and MACs that they have; one statement."""
        ...

    def move(
        self,
        keys: Sequence[SystemId],
        before: MachineState,
        *,
        state: MachineState | None = None,
        power: PowerState | None = None,
        dhcp_published: bool | None = None,
        owner: str | None = None,
        on_demand: bool | None = None,
    ) -> None:
        """Write what is given of machines that are in state `before`, whatever else of them has changed.

        One statement, for sagas, whose machines others may touch meanwhile. NotFound, WrongState.
        """
        ...

    def explanation(self, system_id: SystemId) -> dict[str, Any] | None:
        """The explanation that it was placed by (decide.explain.data.as_data), or None."""
        ...

    def some(self, keys: Sequence[SystemId]) -> Sequence[Machine]:
        """Those of these that there are, in this order; as many statements as for one."""
        ...


class Plans(Protocol):
    """Plans that were kept; those that are over, or too many, go when a new one comes."""

    def add(self, plan: StoredPlan, content: dict[str, Any]) -> None:
        """Keep it; forget the expired ones and, of more than MAX_PLANS, the oldest.

        One whose operation has not ended stays until it has.
        """
        ...

    def get(self, plan_id: str, now: float) -> StoredPlan:
        """By id; PlanGone for one that is not there or has expired (and no operation uses it)."""
        ...

    def content(self, plan_id: str) -> dict[str, Any]:
        """What `add` was given (JSON of model.stored_plan.PlanContent), expired or not; PlanGone."""
        ...

    def list(self, now: float, after: str | None = None, limit: int | None = None) -> list[StoredPlan]:
        """Those that have not expired, newest first."""
        ...

    def use(self, plan: StoredPlan, operation_id: str) -> None:
        """Note the operation that applies it; StaleGeneration when a parallel request was first."""
        ...

    def delete(self, plan_id: str, now: float) -> None:
        """Forget it; PlanGone, or InUse by an operation that has not ended."""
        ...


class DhcpMessages(Protocol):
    """What was seen on the wire lately."""

    def add(self, messages: Sequence[DhcpMessage]) -> None:
        """Keep them, and forget the oldest beyond what is kept; two statements."""
        ...

    def of(self, macs: Sequence[MacAddress], limit: int = 200) -> Sequence[DhcpMessage]:
        """Those of these clients, oldest first; of more than `limit` the latest."""
        ...


class VlanProbes(Protocol):
    """Who else serves DHCP, as probes found."""

    def record(self, probe: VlanProbe, found: Sequence[ForeignDhcp]) -> None:
        """Write what one probe found in place of what that VLAN's last one had found."""
        ...

    def list(self) -> Sequence[VlanProbe]:
        """The last one of each VLAN, by VLAN id."""
        ...

    def foreign(self) -> Sequence[ForeignDhcp]:
        """All foreign servers, by VLAN id, then by address."""
        ...


class Proofs(Protocol):
    """The last proof of each NIC."""

    def put(self, system_id: SystemId, proofs: Sequence[NicProof]) -> None:
        """In place of the NICs' last ones."""
        ...

    def record(self, found: Mapping[SystemId, Sequence[NicProof]]) -> None:
        """The same of many machines; one statement."""
        ...

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, tuple[NicProof, ...]]:
        """By machine, in the order of its NICs; one statement."""
        ...


class Commissionings(Protocol):
    """What commissioning found, and leave to report it."""

    def put(self, found: Commissioning) -> None:
        """In place of the last one."""
        ...

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, Commissioning]:
        """By machine; one statement."""
        ...

    def times(self, keys: Sequence[SystemId]) -> dict[SystemId, float]:
        """When each was commissioned last; one statement that reads nothing else."""
        ...

    def permit(self, token: BootToken, now: float) -> None:
        """Keep a token in place of its NIC's last one; forget those that have expired."""
        ...

    def knows(self, secret_sha256: str, now: float) -> bool:
        """Whether a token is there to be spent; it stays."""
        ...

    def spend(self, secret_sha256: str, now: float) -> BootToken | None:
        """Take a token that has not expired, for good; None: there is none, or no more."""
        ...


class Operations(Protocol):
    """Operations and their steps.

    Changing methods take the caller's fence and raise LeaseLost when another process took over.
    """

    def add(self, operation: Operation) -> Operation: ...

    def get(self, operation_id: str) -> Operation: ...

    def list(
        self, after: str | None = None, limit: int | None = None, *, unfinished: bool = False
    ) -> list[Operation]:
        """Newest first."""
        ...

    def claim(
        self,
        owner: str,
        now: float,
        lease_s: float,
        *,
        besides: Collection[str] = (),
        dead: Collection[Claim] = (),
    ) -> Operation | None:
        """Take one that nobody runs or whose lease ran out; its fence counts up.

        `besides` names operations that the caller runs itself; `dead` claims whose owners are known to be
        dead, whatever their leases say.
        """
        ...

    def ahead(self, until: float) -> Sequence[Claim]:
        """Claims of unfinished operations whose leases end after `until`."""
        ...

    def free_all(self) -> None:
        """End the lease of every unfinished operation: only where no other server can run any."""
        ...

    def renew(self, operation: Operation, lease_until: float) -> Operation: ...

    def give_back(self, operation: Operation) -> None:
        """End the lease of an unfinished operation: any server may claim it now. LeaseLost."""
        ...

    def save(self, operation: Operation) -> None:
        """Write state and error, not the steps."""
        ...

    def save_step(self, operation: Operation, *records: StepRecord) -> bool:
        """Write steps' records; whether the user wants the operation cancelled."""
        ...

    def request_cancel(self, operation_id: str) -> Operation: ...

    def retry(self, operation_id: str) -> Operation:
        """Put a STUCK operation back to UNWINDING, unclaimed; WrongState otherwise."""
        ...


class Events(Protocol):
    """What happened."""

    def add(self, *some: Event) -> None:
        """Record them; one statement."""
        ...

    def list(
        self, after: int | None = None, limit: int | None = None, subject: str | None = None
    ) -> list[Event]:
        """Newest first; of one subject, with its noun (`machine web1`) or without."""
        ...


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer to a request with an idempotency key, to be given again."""

    key: str
    #: Hash of method, path, principal and body.
    fingerprint: str
    status: int
    body: str
    created_at: float


class Answers(Protocol):
    """Answers by idempotency key, kept for a day."""

    def find(self, key: str) -> StoredAnswer | None: ...

    def add(self, answer: StoredAnswer) -> None:
        """Claim the key (status 0: not answered yet); AlreadyExists when another request has it."""
        ...

    def settle(self, answer: StoredAnswer) -> None:
        """Replace a claim by the answer."""
        ...

    def forget(self, key: str) -> None:
        """Give a key back whose request changed nothing."""
        ...

    def prune(self, before: float) -> None: ...


class Tokens(Protocol):
    """API tokens."""

    def add(self, token: Token) -> None: ...

    def find(self, token_id: str) -> Token | None: ...

    def list(self) -> list[Token]: ...

    def delete(self, token_id: str) -> None: ...


class ApiKeys(Protocol):
    """Keys of MAAS's form."""

    def add(self, key: ApiKey) -> None: ...

    def find(self, token_key: str) -> ApiKey | None: ...

    def list(self) -> list[ApiKey]: ...

    def delete(self, token_key: str) -> None: ...


class Passwords(Protocol):
    """Hashes of the passwords of users; most users have none."""

    def of(self, user_id: UserId) -> str | None:
        """The hash of a user's password."""
        ...

    def put(self, user_id: UserId, hashed: str) -> None:
        """Replace it; NotFound."""
        ...


class Annotations(Protocol):
    """What clients of a foreign API keep with our things."""

    def of(self, kind: Annotated, keys: Sequence[str | int] | None = None) -> dict[str | int, dict[str, Any]]:
        """The annotations of these things, or of all of the kind: one statement."""
        ...

    def put(self, kind: Annotated, key: str | int, values: Mapping[str, Any]) -> None:
        """Replace all annotations of a thing; they go with it. NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class Reservation:
    """A plan to be reserved, why it is so, and what the machine is grouped by."""

    plan: Plan
    explanation: Explanation
    #: None = the host's.
    zone_id: ZoneId | None = None
    resource_pool_id: ResourcePoolId | None = None
    #: None = the default one.
    domain_id: DomainId | None = None
    tags: tuple[str, ...] = ()


class SshKeys(Protocol):
    """The pinned keys of SSH servers, named as in a known-hosts file: `kvm1`, `[10.0.0.5]:2222`."""

    def find(self, server: str) -> OfferedKey | None:
        """The pinned key of a server."""
        ...

    def pin(self, uri: str, server: str, key: OfferedKey) -> None:
        """Trust this key of the server, and only this one, for every URI that leads there."""
        ...

    def release(self, uri: str) -> None:
        """This URI needs the key no longer; it stays pinned while another URI does."""
        ...

    def forget(self, server: str) -> None:
        """Trust the server no longer."""
        ...


class UnitOfWork(Protocol):
    """One transaction: left without `commit`, it is rolled back."""

    fabrics: Fabrics
    vlans: Vlans
    spaces: Repository[Space, SpaceId]
    subnets: Repository[Subnet, SubnetId]
    ranges: Repository[IPRange, RangeId]
    addresses: Addresses
    nodes: Nodes
    hosts: Hosts
    machines: Machines
    zones: Groups[Zone, ZoneId]
    resource_pools: Groups[ResourcePool, ResourcePoolId]
    domains: Domains
    tags: Repository[Tag, TagId]
    users: Repository[User, UserId]
    tokens: Tokens
    api_keys: ApiKeys
    passwords: Passwords
    annotations: Annotations
    operations: Operations
    plans: Plans
    events: Events
    answers: Answers
    racks: Repository[Rack, RackId]
    dhcp_messages: DhcpMessages
    vlan_probes: VlanProbes
    proofs: Proofs
    commissionings: Commissionings
    ssh_keys: SshKeys

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def commit(self) -> None:
        """Make the changes durable and start a new transaction."""
        ...

    def lock_world(self) -> None:
        """Have every other change of the world wait: what is read from here on stays so until the commit."""
        ...

    def snapshot(self) -> Snapshot:
        """The world at one revision, kept in memory and read again only when the revision moved."""
        ...

    def reserve(self, reservations: Sequence[Reservation]) -> Sequence[Machine]:
        """Reserve everything that the plans name, all or nothing, under the world's lock.

        Re-checks the hosts' generations (StaleGeneration), that names, UUIDs, MACs are free (AlreadyExists),
        capacity and passthru parents (Refused) and that addresses are free (AlreadyExists) and in no range
        (Refused), then inserts the machines as *commissioning* with NICs, disks, addresses, explanations.
        Where the world has changed since a plan's revision, capacity, parents and addresses that a parallel
        request took are StaleGeneration instead: decide again. Machines that are there already are returned.
        """
        ...

    def release(self, system_ids: Sequence[SystemId]) -> None:
        """Remove the machines and everything reserved for them; nothing happens to those that are gone."""
        ...

    def renumber(self, moves: Sequence[Renumbering]) -> None:
        """Give networks other ids, which may be exchanged; everything that refers to them follows.

        NotFound; AlreadyExists for an id that another one keeps. Kept plans are forgotten.
        """
        ...

    def placed(self, host_id: HostId) -> tuple[PlacedMachine, ...]:
        """What is on a host, reservations included."""
        ...


class Store(Protocol):
    """The database."""

    def begin(self) -> UnitOfWork:
        """A unit of work; use it in a `with`."""
        ...

    def wait_for_operation(self, timeout_s: float) -> None:
        """Return when an operation may have become claimable, or after `timeout_s`."""
        ...

    @property
    def is_private(self) -> bool:
        """Whether this server is the only one that can use it, as with SQLite."""
        ...

    def check(self) -> None:
        """See that it can be read and written now; DatabaseUnavailable."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Ports:
    """Every port, as the composition root (or a test) wires them, and the settings that go with them."""

    store: Store
    hypervisors: Hypervisors
    scanner: HostScanner
    keys: HostKeys
    resolver: Resolver
    #: The racks' DHCP servers; None: hostloom serves none.
    dhcp: DhcpServers | None
    clock: Clock
    ids: IdSource
    #: None: no API keys are taken.
    secrets: Secrets | None = None
    #: None: nothing is asked of the wire.
    wire: WireProbe | None = None
    witness: DhcpWitness | None = None
    #: None: no boot images are kept here.
    images: ImageStore | None = None
    settings: ServiceSettings = field(default_factory=ServiceSettings)
