"""Which machine is given to who asks for one."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from hostloom.decide.machines.allocation import allocate
from hostloom.decide.snapshot import Snapshot
from hostloom.model.allocation import AllocationRequest, Misfit
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.ids import FabricId, HostId, MacAddress, SpaceId, SubnetId, SystemId, VlanId, ZoneId
from hostloom.model.machine import Disk, Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.network import Fabric, Space, Subnet, Vlan
from hostloom.model.reasons import RequestCode
from hostloom.model.request import GB

WORLD = Snapshot(
    fabrics=(Fabric(FabricId(1), "f"),),
    spaces=(Space(SpaceId(1), "dmz"), Space(SpaceId(2), "mgmt")),
    vlans=(
        Vlan(VlanId(1), FabricId(1), 10, "dmz", space_id=SpaceId(1)),
        Vlan(VlanId(2), FabricId(1), 20, "mgmt", space_id=SpaceId(2)),
    ),
    subnets=(Subnet(SubnetId(1), ip_network("10.0.10.0/24"), VlanId(1), "dmz"),),
)


def nic(number: int, vlan: int, *ips: str) -> MachineInterface:
    bridge = Attachment(AttachKind.BRIDGE, f"br{vlan}")
    mac = MacAddress(f"52:54:00:00:00:{number:02x}")
    return MachineInterface(f"eth{number}", mac, bridge, VlanId(vlan), ips=tuple(map(ip_address, ips)))


def disk(name: str, gigabytes: int, pool: str = "default") -> Disk:
    return Disk(name, pool, f"{name}.raw", gigabytes * GB)


def machine(name: str = "m", cores: int = 2, memory_mib: int = 2048) -> Machine:
    return Machine(
        SystemId(name),
        name,
        name,
        MachineOrigin.COMPOSED,
        MachineState.READY,
        HostId(1),
        "amd64",
        cores,
        memory_mib,
        interfaces=(nic(0, 1, "10.0.10.5"), nic(1, 2)),
        disks=(disk("root", 8), disk("data", 20, "slow")),
    )


def misfits(request: AllocationRequest, *some: Machine) -> dict[Misfit, int]:
    found = allocate(WORLD, some or (machine(),), request)
    assert found.system_id is None
    return dict(found.misfits)


def test_labels_have_nics_of_their_own_and_all_that_would_do_are_named() -> None:
    found = allocate(WORLD, [machine()], AllocationRequest(interfaces="a:fabric=f;b:space=dmz"))
    # `a` leaves the only NIC of the DMZ to `b`.
    assert found.interfaces == {"a": (1, 0), "b": (0,)}
    assert misfits(AllocationRequest(interfaces="a:space=dmz;b:space=dmz")) == {Misfit.INTERFACES: 1}


def test_keys_that_only_machines_have() -> None:
    for constraints, fits in (
        ("a:ip=10.0.10.5", True),
        ("a:ip=10.0.10.6", False),
        ("a:mac=52:54:00:00:00:01", True),
        ("a:mac=52:54:00:00:00:09", False),
        ("a:attach=bridge", True),
        ("a:attach=macvlan", False),
        ("a:model=virtio", True),
        ("a:model=e1000", False),
        ("a:mode=auto", True),
        ("a:mode=unconfigured", False),
        ("a:name=eth1,vid=20", True),
        ("a:name=eth1,vid=10", False),
        ("a:subnet_cidr=10.0.10.0/24", True),
    ):
        found = allocate(WORLD, [machine()], AllocationRequest(interfaces=constraints))
        assert (found.system_id is not None) is fits, constraints


def test_disks_are_at_least_and_the_first_is_the_boot_disk() -> None:
    for storage, fits in (
        ("r:8", {"r": (0,)}),
        ("r:8,d:20", {"r": (0,), "d": (1,)}),
        ("r:8(local),d:5(slow)", {"r": (0,), "d": (1,)}),
        ("r:20", None),
        ("r:1(slow)", None),
        ("r:1,a:1,b:1", None),
    ):
        found = allocate(WORLD, [machine()], AllocationRequest(storage=storage))
        assert (found.storage if found.system_id else None) == fits, storage


def test_networks_by_filter() -> None:
    assert allocate(WORLD, [machine()], AllocationRequest(nics=("space=dmz", "space=mgmt"))).system_id == "m"
    assert misfits(AllocationRequest(nics=("not_subnet=10.0.10.0/24",))) == {Misfit.NICS: 1}
    nowhere = allocate(WORLD, [machine()], AllocationRequest(nics=("space=moon",)))
    assert nowhere.refusal is not None
    assert nowhere.refusal.code is RequestCode.UNKNOWN_SPACE


def test_the_first_reason_is_counted() -> None:
    some = [
        machine("a", cores=1),
        replace(machine("b"), locked=True),
        replace(machine("c"), state=MachineState.ALLOCATED),
        replace(machine("d"), zone_id=ZoneId(2)),
        replace(machine("e"), tags=("old",)),
    ]
    request = AllocationRequest(cores=2, zone=ZoneId(1), not_tags=("old",))
    assert misfits(request, *some) == {
        Misfit.CORES: 1,
        Misfit.LOCKED: 1,
        Misfit.NOT_READY: 1,
        Misfit.ZONE: 1,
        Misfit.TAGS: 1,
    }


SIZES = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), max_size=8)


@given(SIZES, st.integers(0, 8), st.integers(0, 8), st.randoms(use_true_random=False))
def test_the_smallest_that_fits_whatever_the_order(
    sizes: list[tuple[int, int]], cores: int, memory: int, random: st.DataObject
) -> None:
    some = [machine(f"m{n}", *size) for n, size in enumerate(sizes)]
    request = AllocationRequest(cores=cores, memory_mib=memory)
    found = allocate(WORLD, some, request)
    fitting = [each for each in some if each.cores >= cores and each.memory_mib >= memory]
    if not fitting:
        assert found.system_id is None
        assert sum(found.misfits.values()) == len(some)
        return
    best = min((each.cores, each.memory_mib) for each in fitting)
    chosen = next(each for each in some if each.system_id == found.system_id)
    assert (chosen.cores, chosen.memory_mib) == best
    random.shuffle(some)  # type: ignore[attr-defined]  # what st.randoms gives is a Random
    assert allocate(WORLD, some, request) == found
