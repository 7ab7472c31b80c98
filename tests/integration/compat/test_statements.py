"""Lists cost the same number of statements whatever their length: clients list everything for each lookup."""

from ipaddress import IPv4Network

from hostloom.compat.maas2.handlers.resources import CATALOGUE
from hostloom.model.deployment import Deployment
from hostloom.model.host import Correlation, CorrelationState
from hostloom.model.ids import (
    FabricId,
    HostId,
    InterfaceId,
    RangeId,
    SpaceId,
    SubnetId,
    SystemId,
    VlanId,
)
from hostloom.model.network import Fabric, IPRange, RangeKind, Space, Subnet, Vlan
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.ports.store import Reservation, Store, UnitOfWork
from hostloom.store.engine import DatabaseStore
from support.maas import Maas
from support.server import Running
from support.statements import counted_statements
from support.stored import EXPLANATION, StoredWorld, a_host, a_plan

#: Every list that takes no place in its path.
LISTS = sorted(
    each.path
    for each in CATALOGUE.resources
    if ("GET", None) in each.actions and "{" not in each.path and not each.anonymous
)
#: Lists of hostloom's own API; a page has at most 500 items.
NATIVE_LISTS = ("machines?limit=500", "nodes?limit=500", "hosts?limit=500", "disk-images?limit=500")
#: Who is asking, and what is listed; `nodes/` lists machines and all others.
MOST = 16


def fill(store: Store, machines: range, hosts: range, fabrics: range) -> None:
    """Machines on hosts that are known nodes; VLANs in spaces of their own, subnets with ranges."""
    with store.begin() as uow:
        network = [_network(uow, number) for number in fabrics][-1]
        host_id = [_host(uow, number, network[1]) for number in hosts][-1]
        world = StoredWorld(*network, uow.hosts.get(host_id))
        wanted = [a_plan(world, number, nics=2, size_bytes=1) for number in machines]
        uow.reserve([Reservation(each, EXPLANATION) for each in wanted])
        uow.commit()


def deploy_all(store: Store) -> None:
    """Deploy every machine, each with another image."""
    with store.begin() as uow:
        for machine in uow.machines.list():
            uow.deployments.put(Deployment(machine.system_id, f"of-{machine.hostname}", "a" * 64, 1.0))
        uow.commit()


def _network(uow: UnitOfWork, number: int) -> tuple[Fabric, Vlan, Subnet]:
    space = uow.spaces.add(Space(SpaceId(0), f"space-{number}"))
    fabric = uow.fabrics.add(Fabric(FabricId(0), f"fabric-{number}"))
    vlan = uow.vlans.add(Vlan(VlanId(0), fabric.id, 20, "lab", dhcp_on=True, space_id=space.id))
    cidr = IPv4Network((10 << 24 | number << 16, 16))
    subnet = uow.subnets.add(Subnet(SubnetId(0), cidr, vlan.id, str(cidr)))
    uow.ranges.add(IPRange(RangeId(0), subnet.id, RangeKind.DYNAMIC, cidr[60000], cidr[60010]))
    return fabric, vlan, subnet


def _host(uow: UnitOfWork, number: int, vlan: Vlan) -> HostId:
    node = uow.nodes.add(Node(SystemId(f"h{number:05d}"), f"kvm{number}", NodeKind.MACHINE))
    nic = NodeInterface(InterfaceId(0), "eth0", InterfaceKind.PHYSICAL, vlan_id=vlan.id)
    uow.nodes.replace_interfaces(node.system_id, [nic])
    known = Correlation(CorrelationState.CORRELATED, node.system_id)
    host = a_host(f"kvm{number}", cores=9999, memory_mib=10**8, correlation=known)
    return uow.hosts.add(host).id


def counts(server: Running, maas: Maas) -> dict[str, int]:
    """Statements by list; each is read twice, since what is kept in memory is read by the first."""
    store = server.ports.store
    assert isinstance(store, DatabaseStore)
    found = {}
    for path in LISTS:
        maas.get(path)
        with counted_statements(store.engine) as seen:
            maas.get(path)
        found[path] = len(seen)
    with server.http() as http:
        for path in NATIVE_LISTS:
            http.get(path)
            with counted_statements(store.engine) as seen:
                assert http.get(path).status_code == 200
            found[path] = len(seen)
    return found


def test_lists_take_the_same_statements_however_long_they_are(server: Running, maas: Maas) -> None:
    store = server.ports.store
    fill(store, range(20), range(10), range(4))
    few = counts(server, maas)
    fill(store, range(20, 1000), range(10, 500), range(4, 60))
    assert len(maas.get("machines/")) == 1000
    assert len(maas.get("vm-hosts/")) == 500
    assert counts(server, maas) == few
    assert max(few.values()) <= MOST, few


def test_lists_of_deployed_machines_take_the_same_statements_however_long_they_are(
    server: Running, maas: Maas
) -> None:
    store = server.ports.store
    fill(store, range(5), range(2), range(2))
    deploy_all(store)
    few = counts(server, maas)
    fill(store, range(5, 100), range(2, 4), range(2, 4))
    deploy_all(store)
    assert {machine["osystem"] for machine in maas.get("machines/")} == {"custom"}
    assert counts(server, maas) == few
