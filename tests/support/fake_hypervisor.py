"""Hypervisors in memory, with faults on demand; the contract suite keeps them honest."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from hostloom.model.errors.outside import HostUnreachable, HypervisorRejected
from hostloom.model.host import Emulation, Forward, LibvirtNetwork, StoragePool
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.machine import Disk, MachineSpec, PowerState
from hostloom.model.network_fix import LibvirtLease
from hostloom.model.observed import ObservedHost, ObservedInterface, ObservedMachine
from support.fake_networks import FakeDomains, FakeNetworks, FakeVolumes
from support.lock import Lock

EMULATION = Emulation("amd64", "qemu", "q35", "/usr/bin/qemu-system-x86_64", "maximum")
#: The methods that change the host, in the order in which a compose and a decompose call them.
CHANGES = ("ensure_volume", "ensure_machine", "start", "stop", "delete_machine", "delete_volume")
GIB = 2**30


def an_observed_host(hostname: str = "kvm1") -> ObservedHost:
    """A host with room, a default pool and a NAT network with DHCP; no machines."""
    pool = StoragePool("default", "dir", 500 * GIB, 500 * GIB, is_default=True, path="/var/lib/images")
    network = LibvirtNetwork("default", active=True, bridge="virbr0", dhcp=True, forward=Forward.NAT)
    return ObservedHost(hostname, 16, 65536, (EMULATION,), (pool,), (network,), ())


@dataclass(frozen=True)
class FakeWorld:
    """All that can be changed on a host; two are equal when nothing is different."""

    #: By UUID.
    machines: tuple[ObservedMachine, ...]
    #: By pool and name.
    volumes: tuple[Disk, ...]
    #: By name.
    networks: tuple[LibvirtNetwork, ...] = ()


@dataclass(eq=False)
class Fault:
    """An error that calls run into; made with `FakeHypervisor.fail`."""

    error: Exception
    #: None: any method.
    method: str | None
    #: Matching calls that pass first.
    skip: int
    #: Matching calls that fail then; None: every one.
    times: int | None
    #: The call does its work, and fails all the same: an answer that got lost.
    late: bool

    def hits(self, method: str) -> bool:
        """Whether this call fails; counts it."""
        if self.method not in (None, method):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass(eq=False)
class FakeHypervisor:
    """One host in memory. `observed` is what never changes by our calls; set it to change the host itself."""

    host: str = "kvm1"
    observed: ObservedHost = field(default_factory=an_observed_host)
    #: The host does not answer.
    unreachable: bool = False
    #: Every call so far: the method, and the UUID or volume it was about.
    calls: list[tuple[str, str]] = field(default_factory=list)
    #: Called before every call, with its name; may raise, wait, or change the host behind our back.
    before_call: Callable[[str], None] | None = None
    _machines: dict[str, ObservedMachine] = field(default_factory=dict)
    #: By network.
    leases: dict[str, tuple[LibvirtLease, ...]] = field(default_factory=dict)
    _faults: list[Fault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.networks, self.volumes = FakeNetworks(self), FakeVolumes(self)
        self.domains = FakeDomains(self)

    # -- faults and a look from outside ----------------------------------------------------------------

    def fail(
        self,
        method: str | None = None,
        error: Exception | None = None,
        *,
        skip: int = 0,
        times: int | None = 1,
        late: bool = False,
    ) -> None:
        """Let calls of a method (None: any) fail: the first after `skip`, `times` of them (None: always).

        `fail(skip=n - 1)` fails the Nth call from now. `late=True`: the work is done before the error.
        """
        cause = error or HypervisorRejected(self.host, method or "do anything", "injected")
        self._faults.append(Fault(cause, method, skip, times, late))

    def heal(self) -> None:
        """Take every fault back, and answer again."""
        self._faults.clear()
        self.unreachable = False

    def world(self) -> FakeWorld:
        """What is on the host now."""
        with self._lock:
            machines = tuple(self._machines[key] for key in sorted(self._machines))
            volumes = tuple(self.volumes.there[key] for key in sorted(self.volumes.there))
            return FakeWorld(machines, volumes, self.observed.libvirt_networks)

    def add_machine(self, machine: ObservedMachine) -> None:
        """Put a machine on the host behind hostloom's back; without `system_id` it is foreign."""
        self._machines[machine.uuid] = machine

    def add_volume(self, disk: Disk) -> None:
        """Put a volume on the host behind hostloom's back."""
        self.volumes.there[disk.pool, disk.volume] = disk

    def remove_machine(self, uuid: str) -> None:
        """Take a machine away behind hostloom's back."""
        del self._machines[uuid]

    # -- the port ----------------------------------------------------------------------------------------

    def describe(self, pools: Sequence[str] = ()) -> ObservedHost:
        with self.call("describe"):
            return replace(
                self.observed, machines=tuple(sorted(self._machines.values(), key=lambda m: m.name))
            )

    def ping(self) -> None:
        with self.call("ping"):
            return

    def find_machine(self, uuid: str) -> ObservedMachine | None:
        with self.call("find_machine", uuid):
            return self._machines.get(uuid)

    def render(self, spec: MachineSpec) -> str:
        with self.call("render", spec.uuid):
            for disk in spec.disks:
                self.check_pool(disk, "render a disk")
            return f"<domain><name>{spec.name}</name><uuid>{spec.uuid}</uuid></domain>"

    def ensure_machine(self, spec: MachineSpec) -> None:
        with self.call("ensure_machine", spec.uuid):
            there = self._machines.get(spec.uuid)
            if there is not None:
                self._check_ours(there, f"define machine {spec.name}", spec.system_id)
                return
            if any(each.name == spec.name for each in self._machines.values()):
                raise self.rejected(f"define machine {spec.name}", "there is another machine of that name")
            for disk in spec.disks:
                self.check_pool(disk, f"define machine {spec.name}")
            self._machines[spec.uuid] = observed(spec)

    def delete_machine(self, uuid: str) -> None:
        with self.call("delete_machine", uuid):
            there = self._machines.get(uuid)
            if there is not None:
                self._check_ours(there, f"delete machine {there.name}")
                del self._machines[uuid]

    def start(self, uuid: str, mark: SystemId | None = None) -> None:
        with self.call("start", uuid):
            there = self._machines.get(uuid)
            if there is None:
                raise self.rejected(f"start machine {uuid}", "it does not exist")
            if there.power is PowerState.ON:
                return
            if mark is not None:
                self._check_ours(there, f"start machine {there.name}", mark)
            missing = [
                each.volume for each in there.disks if (each.pool, each.volume) not in self.volumes.there
            ]
            if missing and there.system_id is not None:
                raise self.rejected(f"start machine {there.name}", f"no volume {missing[0]}")
            taken = {nic.target for each in self._machines.values() for nic in each.interfaces}
            free = (name for number in itertools.count() if (name := f"vnet{number}") not in taken)
            running = tuple(
                replace(nic, target=name) for nic, name in zip(there.interfaces, free, strict=False)
            )
            self._machines[uuid] = replace(there, power=PowerState.ON, interfaces=running)

    def stop(self, uuid: str, mark: SystemId | None = None, *, force: bool = False) -> None:
        """Every guest here shuts down at once when asked."""
        with self.call("stop", uuid):
            there = self._machines.get(uuid)
            if there is not None and there.power is PowerState.ON:
                if mark is not None:
                    self._check_ours(there, f"stop machine {there.name}", mark)
                still = tuple(replace(each, target="") for each in there.interfaces)
                self._machines[uuid] = replace(there, power=PowerState.OFF, interfaces=still)

    def set_autostart(self, uuid: str, mark: SystemId | None = None, *, enabled: bool) -> None:
        with self.call("set_autostart", uuid):
            there = self._machines.get(uuid)
            if there is None:
                raise self.rejected(f"set the autostart of machine {uuid}", "it does not exist")
            if mark is not None:
                self._check_ours(there, f"set the autostart of machine {there.name}", mark)
            self._machines[uuid] = replace(there, autostart=enabled)

    def remove_interface(self, uuid: str, mac: MacAddress, mark: SystemId) -> None:
        """Here a machine that runs lets go at once."""
        with self.call("remove_interface", uuid):
            there = self._machines.get(uuid)
            if there is not None:
                self._check_ours(there, f"take NIC {mac} from machine {there.name}", mark)
                left = tuple(nic for nic in there.interfaces if nic.mac != mac)
                self._machines[uuid] = replace(there, interfaces=left)

    def power(self, uuid: str) -> PowerState:
        with self.call("power", uuid):
            there = self._machines.get(uuid)
            return PowerState.UNKNOWN if there is None else there.power

    def console_log(self, uuid: str, limit_bytes: int = 65536) -> str:
        with self.call("console_log", uuid):
            there = self._machines.get(uuid)
            if there is None:
                raise self.rejected(f"read the console of machine {uuid}", "it does not exist")
            return f"{there.name} is {there.power}\n"[-limit_bytes:]

    # -- how it does it ----------------------------------------------------------------------------------

    @contextmanager
    def call(self, method: str, about: str = "") -> Iterator[None]:
        if self.before_call is not None:
            self.before_call(method)
        with self._lock:
            self.calls.append((method, about))
            if self.unreachable:
                raise HostUnreachable(self.host, "it is switched off")
            fault = next((each for each in self._faults if each.hits(method)), None)
            if fault is not None and not fault.late:
                raise fault.error
            yield
            if fault is not None:
                raise fault.error

    def rejected(self, action: str, cause: str) -> HypervisorRejected:
        return HypervisorRejected(self.host, action, cause)

    def check_pool(self, disk: Disk, action: str) -> None:
        if disk.pool not in [each.name for each in self.observed.storage_pools if each.active]:
            raise self.rejected(action, f"there is no active storage pool {disk.pool}")

    def _check_ours(self, there: ObservedMachine, action: str, system_id: str | None = None) -> None:
        if there.system_id is None or system_id not in (None, there.system_id):
            raise self.rejected(action, "the machine of that UUID is not ours")


def observed(spec: MachineSpec) -> ObservedMachine:
    """What a machine looks like once it is defined."""
    return ObservedMachine(
        uuid=spec.uuid,
        name=spec.name,
        cores=spec.cores,
        memory_mib=spec.memory_mib,
        power=PowerState.OFF,
        architecture=spec.emulation.architecture,
        interfaces=tuple(
            ObservedInterface(each.mac, each.attachment, "", each.model) for each in spec.interfaces
        ),
        disks=spec.disks,
        system_id=spec.system_id,
    )


@dataclass(eq=False)
class FakeHypervisors:
    """Fake hypervisors by URI; a URI that is not known is a new, empty host."""

    by_uri: dict[str, FakeHypervisor] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    closed: bool = False
    _lock: Lock = field(default_factory=Lock)

    def of(self, host: str, uri: str) -> FakeHypervisor:
        with self._lock:
            if uri not in self.by_uri:
                self.by_uri[uri] = FakeHypervisor(host, an_observed_host(host))
            return self.by_uri[uri]

    def forget(self, uri: str) -> None:
        """Close the connection; what is on the host stays."""
        self.forgotten.append(uri)

    def close(self) -> None:
        self.closed = True

    def world(self) -> dict[str, FakeWorld]:
        """What is on all hosts now, by URI."""
        return {uri: each.world() for uri, each in self.by_uri.items()}
