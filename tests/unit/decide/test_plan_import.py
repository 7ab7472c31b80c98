"""Imports: what becomes of each thing, that nothing of ours is lost, that doing it leaves nothing to do."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.migration.explain import render_change, render_next_steps
from hostloom.migration.names import (
    free_name,
    usable_domain,
    usable_hostname,
    usable_name,
    usable_tag,
)
from hostloom.migration.new_ids import renumbered
from hostloom.migration.plan_import import Defaults, Present, plan_import
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.host import Host
from hostloom.model.ids import (
    DomainId,
    FabricId,
    HostId,
    InterfaceId,
    MacAddress,
    RangeId,
    ResourcePoolId,
    SpaceId,
    SubnetId,
    SystemId,
    TagId,
    VlanId,
    ZoneId,
    check_hostname,
)
from hostloom.model.import_plan import (
    ImportAction,
    ImportChange,
    ImportCode,
    ImportNoun,
    ImportPlan,
    Kept,
    NewFabric,
    NewMachine,
    Renumbering,
)
from hostloom.model.network import (
    AddressKind,
    Fabric,
    HeldAddress,
    IPRange,
    RangeKind,
    Space,
    Subnet,
    Vlan,
)
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind, VlanSource
from hostloom.model.source_inventory import SourceHost, SourceInventory, SourceMachine
from hostloom.services.groupings import check_tag
from hostloom.services.naming import check_name


def here(**parts: Any) -> Present:
    """A hostloom as it is born, with these parts in its snapshot."""
    return Present(
        Snapshot(**{name: tuple(some) for name, some in parts.items()}),
        (Zone(ZoneId(1), "default"),),
        (ResourcePool(ResourcePoolId(1), "default"),),
        (Domain(DomainId(1), "default"),),
        (),
        (),
    )


def an_estate(**parts: Any) -> SourceInventory:
    return SourceInventory("a test", **{name: tuple(some) for name, some in parts.items()})


def one(plan: ImportPlan, noun: ImportNoun) -> ImportChange:
    (found,) = (each for each in plan.changes if each.noun is noun)
    return found


def codes(change: ImportChange) -> list[ImportCode]:
    return [each.code for each in change.remarks]


def done(present: Present, plan: ImportPlan) -> Present:
    """What is here after it: what the store would hold."""
    present = renumbered(present, list(plan.renumberings))
    groups: dict[str, dict[int, Any]] = {
        name: {each.id: each for each in getattr(present, name)}
        for name in ("zones", "resource_pools", "domains", "tags")
    }
    snapshot = present.snapshot
    rows: dict[type, dict[Any, Any]] = {
        Fabric: dict(snapshot.fabric_by_id),
        Vlan: dict(snapshot.vlan_by_id),
        Space: dict(snapshot.space_by_id),
        Subnet: dict(snapshot.subnet_by_id),
        IPRange: {each.id: each for each in snapshot.ranges},
        Zone: groups["zones"],
        ResourcePool: groups["resource_pools"],
        Domain: groups["domains"],
        Tag: groups["tags"],
    }
    nodes, machines = dict(snapshot.node_by_system_id), list(present.machines)
    held = [each for each in snapshot.held if each.kind is not AddressKind.OBSERVED]
    for change in plan.wanted:
        item = change.item
        if isinstance(item, NewFabric):
            assert item.fabric.id not in rows[Fabric]
            assert item.untagged not in rows[Vlan]
            rows[Fabric][item.fabric.id] = item.fabric
            rows[Vlan][item.untagged] = Vlan(item.untagged, item.fabric.id, 0, "untagged")
        elif isinstance(item, NewMachine):
            assert item.node.system_id not in nodes
            nodes[item.node.system_id] = item.node
            machines.append(item.machine)
        elif isinstance(item, Renumbering | Kept):
            continue
        elif isinstance(item, Node):
            assert (change.action is ImportAction.CREATE) is (item.system_id not in nodes)
            nodes[item.system_id] = item
        elif isinstance(item, HeldAddress):
            assert all((each.ip, each.subnet_id) != (item.ip, item.subnet_id) for each in held)
            held.append(item)
        elif item is not None and not isinstance(item, Host):
            known = rows[type(item)]
            came_with_fabric = isinstance(item, Vlan) and item.vid == 0
            assert change.action is ImportAction.CHANGE or item.id not in known or came_with_fabric
            known[item.id] = item
    held += [
        HeldAddress(ip, AddressKind.OBSERVED, None, node.system_id, nic.name)
        for node in nodes.values()
        for nic in node.interfaces
        for ip in nic.ips
    ]
    hosts = (*snapshot.hosts, *(HostState(each) for each in plan.hosts))
    after = Snapshot(
        tuple(rows[Fabric].values()),
        tuple(rows[Vlan].values()),
        tuple(rows[Space].values()),
        tuple(rows[Subnet].values()),
        tuple(rows[IPRange].values()),
        tuple(held),
        tuple(nodes.values()),
        hosts,
    )
    lists = {name: tuple(items.values()) for name, items in groups.items()}
    return replace(present, snapshot=after, machines=tuple(machines), **lists)


# -- the network -----------------------------------------------------------------------------------------

NET = ip_network("10.0.0.0/24")


def a_wire(fabric: str = "lan", vid: int = 0, key: int = 0, cidr: Any = NET, **subnet: Any) -> dict[str, Any]:
    """One fabric with one VLAN and one subnet."""
    return {
        "fabrics": [Fabric(FabricId(key), fabric)],
        "vlans": [Vlan(VlanId(key + 50), FabricId(key), vid, "untagged" if vid == 0 else f"vlan-{vid}")],
        "subnets": [Subnet(SubnetId(key + 1), cidr, VlanId(key + 50), str(cidr), **subnet)],
    }


def test_the_fabric_that_hostloom_made_is_recognised_by_its_subnet() -> None:
    """It is named, and missing settings are filled in."""
    present = here(**a_wire("fabric-0", key=3))
    estate = an_estate(**a_wire("lan", gateway=ip_address("10.0.0.1")))
    plan = plan_import(present, estate)
    assert [(each.action, each.noun, each.ours) for each in plan.changes] == [
        (ImportAction.CHANGE, ImportNoun.FABRIC, "3"),
        (ImportAction.SAME, ImportNoun.VLAN, "53"),
        (ImportAction.CHANGE, ImportNoun.SUBNET, "4"),
    ]
    assert [each.field for each in one(plan, ImportNoun.SUBNET).differences] == ["gateway"]
    assert one(plan, ImportNoun.FABRIC).differences[0].theirs == "lan"


def test_a_subnet_moves_to_the_vlan_that_it_is_really_on() -> None:
    """hostloom did not know of the tag when it saw the subnet."""
    present = here(**a_wire("fabric-0", key=3))
    plan = plan_import(present, an_estate(**a_wire("lan", vid=20)))
    change = one(plan, ImportNoun.SUBNET)
    assert (change.action, codes(change)) == (
        ImportAction.CHANGE,
        [ImportCode.MOVED, ImportCode.KEEPS_ID],
    )
    after = done(present, plan).snapshot
    vlan = after.vlan_by_id[after.subnet_by_id[SubnetId(4)].vlan_id]
    assert (vlan.vid, after.fabric_by_id[vlan.fabric_id].name) == (20, "lan")
    assert "fabric-0" in [each.name for each in after.fabrics]


@pytest.mark.parametrize("touched", ["fabric", "vlan", "subnet", "address"])
def test_a_subnet_that_an_operator_placed_stays(touched: str) -> None:
    parts = a_wire("fabric-0", key=3)
    if touched == "fabric":
        parts["fabrics"] = [replace(parts["fabrics"][0], generation=2)]
    elif touched == "vlan":
        parts["vlans"] = [replace(parts["vlans"][0], dhcp_on=True)]
    elif touched == "subnet":
        parts["subnets"] = [replace(parts["subnets"][0], generation=2)]
    else:
        ip = ip_address("10.0.0.9")
        parts["held"] = [HeldAddress(ip, AddressKind.AUTO, SubnetId(4), "vm0001")]
    for prefer_theirs in (False, True):
        plan = plan_import(here(**parts), an_estate(**a_wire("lan", vid=20)), prefer_theirs=prefer_theirs)
        change = one(plan, ImportNoun.SUBNET)
        assert (change.action, change.ours) == (ImportAction.CONFLICT, "4")
        assert codes(change) == [ImportCode.OTHER_VLAN]
        assert render_change(change) == "it is on VLAN fabric-0/0 here, and stays there"


def test_automatic_names_alone_say_nothing() -> None:
    """Both systems have a fabric-0, of different subnets: they are two fabrics."""
    present = here(**a_wire("fabric-0", key=3))
    estate = an_estate(**a_wire("fabric-0", cidr=ip_network("192.168.7.0/24")))
    plan = plan_import(present, estate)
    change = one(plan, ImportNoun.FABRIC)
    assert (change.action, change.name, codes(change)) == (
        ImportAction.CREATE,
        "fabric-0-2",
        [ImportCode.RENAMED],
    )
    again = plan_import(done(present, plan), estate)
    assert again.wanted == ()


def test_a_chosen_name_says_that_it_is_the_same() -> None:
    present = here(
        fabrics=[Fabric(FabricId(3), "lan", generation=5)],
        vlans=[Vlan(VlanId(9), FabricId(3), 0, "untagged")],
    )
    plan = plan_import(present, an_estate(**a_wire("lan")))
    assert (one(plan, ImportNoun.FABRIC).action, one(plan, ImportNoun.VLAN).ours) == (ImportAction.SAME, "9")


def test_what_was_changed_here_stays_unless_theirs_is_preferred() -> None:
    parts = a_wire("lan", vid=20, key=3)
    parts["vlans"] = [replace(parts["vlans"][0], mtu=9000, generation=2)]
    estate = an_estate(**a_wire("lan", vid=20))
    change = one(plan_import(here(**parts), estate), ImportNoun.VLAN)
    assert change.action is ImportAction.CONFLICT
    assert render_change(change) == (
        "mtu: 9000 here, 1500 there; ours stays; --theirs takes the other system's settings; "
        "it keeps its id 53"
    )
    preferred = one(plan_import(here(**parts), estate, prefer_theirs=True), ImportNoun.VLAN)
    assert (preferred.action, render_change(preferred)) == (
        ImportAction.CHANGE,
        "mtu: 9000 → 1500; it keeps its id 53",
    )
    assert isinstance(preferred.item, Vlan)
    assert (preferred.item.mtu, preferred.item.generation) == (1500, 2)


def test_dhcp_is_not_imported_but_the_relay_is() -> None:
    parts = a_wire("lan", vid=20)
    served = replace(parts["vlans"][0], dhcp_on=True)
    relayed = Vlan(VlanId(7), FabricId(0), 30, "far", relay_vlan_id=served.id)
    plan = plan_import(here(), an_estate(fabrics=parts["fabrics"], vlans=[relayed, served]))
    after = done(here(), plan).snapshot
    by_vid = {each.vid: each for each in after.vlans}
    assert (by_vid[20].dhcp_on, by_vid[30].relay_vlan_id) == (False, by_vid[20].id)
    assert plan.unserved == ("lan/20",)
    assert "hostloom vlan dhcp on lan/20" in render_next_steps(plan.hosts, plan.unserved)
    ours = {**parts, "vlans": [served], "fabrics": [Fabric(FabricId(0), "lan")]}
    assert plan_import(here(**ours), an_estate(**{**parts, "vlans": [served]})).unserved == ()


def test_an_overlapping_subnet_is_not_imported_with_what_is_in_it() -> None:
    wide = Subnet(SubnetId(8), ip_network("10.0.0.0/16"), VlanId(50), "wide")
    parts = a_wire("lan")
    inside = IPRange(
        RangeId(1), SubnetId(8), RangeKind.RESERVED, ip_address("10.0.9.1"), ip_address("10.0.9.2")
    )
    held = HeldAddress(ip_address("10.0.0.7"), AddressKind.RESERVED, SubnetId(8))
    estate = an_estate(**{**parts, "subnets": [*parts["subnets"], wide]}, ranges=[inside], held=[held])
    plan = plan_import(here(), estate)
    found = {each.name: codes(each) for each in plan.changes if each.action is ImportAction.CONFLICT}
    assert found == {
        "10.0.0.0/16": [ImportCode.OVERLAPS],
        "10.0.9.1-10.0.9.2": [ImportCode.WITHOUT_PARENT],
    }
    address = one(plan, ImportNoun.ADDRESS).item
    assert isinstance(address, HeldAddress)
    assert address.subnet_id == 1


@pytest.mark.parametrize(
    ("subnet", "kind", "start", "end", "why"),
    [
        ({}, "reserved", "10.0.1.1", "10.0.1.2", "not within 10.0.0.0/24"),
        ({}, "reserved", "10.0.0.9", "10.0.0.1", "not within"),
        ({"gateway": ip_address("10.0.0.50")}, "dynamic", "10.0.0.40", "10.0.0.60", "the gateway 10.0.0.50"),
        ({"managed": False}, "dynamic", "10.0.0.40", "10.0.0.60", "is not managed"),
        ({}, "dynamic", "10.0.0.0", "10.0.0.9", "network address"),
    ],
)
def test_ranges_that_cannot_be(subnet: dict[str, Any], kind: str, start: str, end: str, why: str) -> None:
    wanted = IPRange(RangeId(1), SubnetId(1), RangeKind(kind), ip_address(start), ip_address(end))
    plan = plan_import(here(), an_estate(**a_wire("lan", **subnet), ranges=[wanted]))
    change = one(plan, ImportNoun.RANGE)
    assert change.action is ImportAction.CONFLICT
    assert why in render_change(change)


def test_a_gateway_outside_is_left_out() -> None:
    plan = plan_import(here(), an_estate(**a_wire("lan", gateway=ip_address("10.9.9.9"))))
    change = one(plan, ImportNoun.SUBNET)
    assert isinstance(change.item, Subnet)
    assert (change.item.gateway, codes(change)) == (None, [ImportCode.GATEWAY])


# -- groups ----------------------------------------------------------------------------------------------


def test_the_default_of_each_is_the_same_one() -> None:
    """MAAS's default domain has another name. Its members become members of ours."""
    estate = an_estate(domains=[Domain(DomainId(0), "maas"), Domain(DomainId(1), "lab.example")])
    plan = plan_import(here(), estate)
    assert [(change.action, change.name, change.ours, codes(change)) for change in plan.changes] == [
        (ImportAction.CHANGE, "default", "0", [ImportCode.TAKES_ID]),
        (ImportAction.CHANGE, "maas", "0", []),
        (ImportAction.CREATE, "lab.example", "1", []),
    ]
    renamed = replace(here(), domains=(Domain(DomainId(1), "home", generation=2),))
    change = plan_import(renamed, an_estate(domains=[Domain(DomainId(0), "maas")])).changes[0]
    assert (change.action, change.ours) == (ImportAction.CREATE, "2")


def test_default_groups_take_theirs_or_give_way() -> None:
    """Terraform's states name resource pools and domains by id: MAAS's pool 1 is not our default one."""
    estate = an_estate(
        zones=[Zone(ZoneId(1), "east"), Zone(ZoneId(2), "default")],
        resource_pools=[ResourcePool(ResourcePoolId(0), "default"), ResourcePool(ResourcePoolId(1), "web")],
        domains=[Domain(DomainId(0), "maas"), Domain(DomainId(1), "lab.example")],
    )
    present = replace(here(), domains=(Domain(DomainId(1), "maas", generation=2),))
    after = done(present, plan_import(present, estate))
    assert {zone.name: zone.id for zone in after.zones} == {"east": 1, "default": 2}
    assert {pool.name: pool.id for pool in after.resource_pools} == {"default": 0, "web": 1}
    assert {domain.name: domain.id for domain in after.domains} == {"maas": 0, "lab.example": 1}
    assert after.defaults == Defaults(ZoneId(2), ResourcePoolId(0), DomainId(0))
    assert plan_import(after, estate).wanted == ()


def test_a_default_group_gives_way_to_the_id_of_another() -> None:
    """A dump of parts: the pool with the id 1 is new, and ours is another one of theirs."""
    estate = an_estate(
        resource_pools=[ResourcePool(ResourcePoolId(1), "web"), ResourcePool(ResourcePoolId(9), "default")]
    )
    after = done(here(), plan_import(here(), estate))
    assert {pool.name: pool.id for pool in after.resource_pools} == {"default": 9, "web": 1}
    assert plan_import(after, estate).wanted == ()


def test_a_default_group_that_an_operator_changed_keeps_its_id() -> None:
    described = ResourcePool(ResourcePoolId(1), "default", "all of ours", generation=2)
    estate = an_estate(
        resource_pools=[ResourcePool(ResourcePoolId(0), "default"), ResourcePool(ResourcePoolId(1), "web")]
    )
    plan = plan_import(replace(here(), resource_pools=(described,)), estate)
    assert plan.renumberings == ()
    assert [(change.name, change.ours, codes(change)) for change in plan.changes] == [
        ("default", "1", [ImportCode.DIFFERS, ImportCode.KEEPS_ID]),
        ("web", "2", [ImportCode.OTHER_ID]),
    ]


def test_names_that_cannot_be_are_made_such() -> None:
    assert [usable_name("space", each) for each in ("10", "a/b", " x ", "..", "\x07", "ok")] == [
        "space-10",
        "a-b",
        "x",
        "space",
        "space",
        "ok",
    ]
    assert [usable_hostname(each) for each in ("Metal_1.maas", "--", "x" * 70)] == [
        "metal-1",
        "node",
        "x" * 63,
    ]
    assert usable_domain("Lab_1.Example.") == "lab-1.example"
    assert usable_tag("a b;c") == "a-b-c"
    assert free_name("a", {"a", "a-2"}) == "a-3"
    assert len(free_name("x" * 63, {"x" * 63}, 63)) == 63


@given(st.text(max_size=300))
def test_any_name_becomes_one_of_ours(text: str) -> None:
    check_name(usable_name("fabric", text))
    check_tag(usable_tag(text))
    check_hostname(usable_hostname(text))
    for label in usable_domain(text).split("."):
        check_hostname(label)


# -- nodes and addresses ---------------------------------------------------------------------------------


def a_nic(n: int, *ips: str, name: str = "eth0", **more: Any) -> NodeInterface:
    mac = MacAddress(f"02:00:00:00:00:{n:02x}")
    addresses = tuple(ip_interface(each) for each in ips)
    return NodeInterface(
        InterfaceId(n), name, InterfaceKind.PHYSICAL, mac, VlanId(50), addresses=addresses, **more
    )


def a_node(key: str, hostname: str, *nics: NodeInterface, kind: NodeKind = NodeKind.MACHINE) -> Node:
    return Node(SystemId(key), hostname, kind, nics, ZoneId(1), ResourcePoolId(0), DomainId(0))


def test_a_machine_with_the_same_mac_is_the_same_one() -> None:
    ours = a_node("mine01", "ctl", a_nic(1))
    given_ip = HeldAddress(ip_address("10.0.0.9"), AddressKind.STATIC, SubnetId(1), "theirs", "eth0")
    estate = an_estate(
        **a_wire("lan"),
        nodes=[a_node("theirs", "maas", a_nic(1), kind=NodeKind.RACK_CONTROLLER)],
        held=[given_ip],
    )
    present = here(nodes=[ours])
    plan = plan_import(present, estate)
    change = one(plan, ImportNoun.NODE)
    assert (change.action, change.ours, codes(change)) == (
        ImportAction.SAME,
        "mine01",
        [ImportCode.KNOWN_AS],
    )
    address = one(plan, ImportNoun.ADDRESS).item
    assert isinstance(address, HeldAddress)
    assert address.system_id == "mine01"


def test_names_and_system_ids_that_others_have() -> None:
    present = here(nodes=[a_node("taken1", "web", a_nic(1)), a_node("other1", "db", a_nic(2))])
    estate = an_estate(nodes=[a_node("new001", "web", a_nic(3)), a_node("other1", "mail", a_nic(4))])
    plan = plan_import(present, estate)
    found = {each.theirs: (each.action, each.name, codes(each)) for each in plan.changes}
    assert found == {
        "new001": (ImportAction.CREATE, "web-2", [ImportCode.RENAMED]),
        "other1": (ImportAction.CONFLICT, "mail", [ImportCode.SYSTEM_ID_TAKEN]),
    }


def test_where_the_vlan_of_a_host_interface_comes_from() -> None:
    """Facts that a refresh can derive are left to it; the rest is stored as set by the operator."""
    bridge = replace(a_nic(3, "10.0.0.5/24", name="br0"), kind=InterfaceKind.BRIDGE, parents=("eth0",))
    tagged = replace(a_nic(4, name="eth1.20"), kind=InterfaceKind.VLAN, parents=("eth1",), tag_vid=20)
    kvm = a_node("kvm001", "kvm1", a_nic(1), a_nic(2, name="eth1"), bridge, tagged)
    host = SourceHost(
        HostId(1), "kvm1", "virsh", "qemu+ssh://u@10.0.0.5/system", system_id=SystemId("kvm001")
    )
    plan = plan_import(here(), an_estate(**a_wire("lan"), nodes=[kvm], hosts=[host]))
    item = one(plan, ImportNoun.MACHINE).item
    assert isinstance(item, NewMachine)
    assert {nic.name: nic.vlan_source for nic in item.node.interfaces} == {
        "eth0": VlanSource.MASTER,
        "eth1": VlanSource.OPERATOR,
        "br0": VlanSource.SUBNET,
        "eth1.20": VlanSource.PARENT,
    }
    assert [str(ip) for nic in item.node.interfaces for ip in nic.ips] == ["10.0.0.5"]


def test_an_address_that_is_in_use_here() -> None:
    ip = ip_address("10.0.0.9")
    parts = a_wire("lan", key=3)
    mine = HeldAddress(ip, AddressKind.RESERVED, SubnetId(4), comment="printer")
    present = here(**parts, held=[mine])
    theirs = HeldAddress(ip, AddressKind.STATIC, SubnetId(1), "web001", "eth0")
    estate = an_estate(**a_wire("lan"), nodes=[a_node("web001", "web", a_nic(1))], held=[theirs])
    change = one(plan_import(present, estate), ImportNoun.ADDRESS)
    assert (change.action, render_change(change)) == (
        ImportAction.CONFLICT,
        "held here: set aside: printer",
    )
    same = replace(theirs, system_id=None)
    assert (
        one(plan_import(present, replace(estate, held=(same,))), ImportNoun.ADDRESS).action
        is ImportAction.SAME
    )


# -- hosts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "uri", "action", "said"),
    [
        ("lxd", "10.0.0.5:8443", ImportAction.IMPOSSIBLE, "its type is lxd"),
        ("virsh", "http://10.0.0.5", ImportAction.IMPOSSIBLE, "not a valid libvirt URI"),
        ("virsh", "qemu+ssh://u:p@10.0.0.5/system", ImportAction.IMPOSSIBLE, "not a valid libvirt URI"),
        ("virsh", "qemu:///system", ImportAction.CREATE, "does hostloom run there"),
        ("virsh", "qemu+ssh://u@10.0.0.5/system", ImportAction.CREATE, ""),
    ],
)
def test_hosts_that_can_be_and_that_cannot(kind: str, uri: str, action: ImportAction, said: str) -> None:
    plan = plan_import(here(), an_estate(hosts=[SourceHost(HostId(4), "kvm1", kind, uri)]))
    change = one(plan, ImportNoun.HOST)
    assert change.action is action
    assert said in render_change(change)
    assert [each.id for each in plan.hosts] == ([4] if action is ImportAction.CREATE else [])
    assert "p@" not in render_change(change)


def test_a_host_that_we_have_is_found_by_its_uri() -> None:
    uri = "qemu+ssh://u@10.0.0.5/system"
    default = {"zone_id": ZoneId(1), "resource_pool_id": ResourcePoolId(1)}
    ours = Host(HostId(9), "my-kvm", uri, generation=7, **default)  # type: ignore[arg-type]  # of each field's type
    present = here(hosts=[HostState(ours)])
    theirs = SourceHost(HostId(4), "kvm1", "virsh", uri, cpu_over_commit_ratio=3.0)
    estate = an_estate(hosts=[theirs])
    change = one(plan_import(present, estate), ImportNoun.HOST)
    assert (change.action, change.name, change.ours) == (ImportAction.CONFLICT, "my-kvm", "9")
    assert change.differences[0].field == "cpu_over_commit_ratio"
    preferred = plan_import(present, estate, prefer_theirs=True)
    assert [each.item for each in preferred.wanted] == [replace(ours, cpu_over_commit_ratio=3.0)]


# -- in general ------------------------------------------------------------------------------------------

KEYS = st.integers(0, 6)
NETS = st.sampled_from([ip_network(f"10.0.{n}.0/24") for n in range(4)] + [ip_network("10.0.0.0/16")])
NAMES = st.sampled_from(["lan", "wan", "fabric-0", "fabric-1", "7", "a/b"])


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """Fabrics with their untagged VLANs, some tagged ones, subnets on them: ids and names as they come."""
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    keys = draw(st.lists(KEYS, min_size=len(names), max_size=len(names), unique=True))
    fabrics = [
        Fabric(FabricId(key), name, draw(st.sampled_from([None, "10g"])), generation=draw(st.integers(1, 2)))
        for key, name in zip(keys, names, strict=True)
    ]
    tags = [(each.id, vid) for each in fabrics for vid in (0, *draw(st.sets(st.sampled_from([10, 20]))))]
    ids = draw(st.permutations(range(1, len(tags) + 8)))
    vlans = [
        Vlan(
            VlanId(key),
            fabric,
            vid,
            "untagged" if vid == 0 else f"vlan-{vid}",
            mtu=draw(st.sampled_from([1500, 9000])),
            generation=draw(st.integers(1, 2)),
        )
        for key, (fabric, vid) in zip(ids, tags, strict=False)
    ]
    cidrs = draw(st.lists(NETS, max_size=3, unique=True)) if vlans else []
    subnets: list[Subnet] = []
    for n, cidr in enumerate(cidrs, 1):
        vlan = draw(st.sampled_from(vlans))
        fabric_of = {each.id: each.fabric_id for each in vlans}
        near = [each.cidr for each in subnets if fabric_of[each.vlan_id] == vlan.fabric_id]
        if not any(cidr.overlaps(other) for other in near):
            managed = draw(st.booleans())
            subnets.append(Subnet(SubnetId(n + draw(KEYS) * 10), cidr, vlan.id, str(cidr), managed=managed))
    return {"fabrics": fabrics, "vlans": vlans, "subnets": subnets}


@st.composite
def nodes(draw: st.DrawFn, prefix: str) -> list[Node]:
    count = draw(st.integers(0, 3))
    names = draw(
        st.lists(st.sampled_from(["web", "db", "Web_1"]), min_size=count, max_size=count, unique=True)
    )
    kinds = st.sampled_from([NodeKind.MACHINE, NodeKind.DEVICE, NodeKind.RACK_CONTROLLER])
    return [
        replace(
            a_node(f"{prefix}{n}", name, a_nic(draw(st.integers(1, 6))), kind=draw(kinds)),
            interfaces=(replace(a_nic(draw(st.integers(1, 6))), id=InterfaceId(n + 1), vlan_id=None),),
        )
        for n, name in enumerate(names)
    ]


def addresses(subnets: Sequence[Subnet], owners: Sequence[Node]) -> st.SearchStrategy[list[HeldAddress]]:
    ips = st.sampled_from([ip_address(f"10.0.{n}.{k}") for n in range(3) for k in (5, 6)])
    homes = st.sampled_from([None, *(each.id for each in subnets)])
    holders = st.sampled_from([None, *(each.system_id for each in owners)])
    one_of = st.builds(
        lambda ip, home, holder: HeldAddress(
            ip, AddressKind.STATIC if holder else AddressKind.RESERVED, home, holder, "eth0"
        ),
        ips,
        homes,
        holders,
    )
    return st.lists(one_of, max_size=4, unique_by=lambda each: each.ip)


@st.composite
def worlds(draw: st.DrawFn) -> Present:
    network, some = draw(networks()), draw(nodes("our"))
    made_here = st.booleans()
    fabrics = [
        replace(fabric, id=FabricId(fabric.id + 1), automatic=draw(made_here))
        for fabric in network["fabrics"]
    ]
    vlans = [
        replace(vlan, fabric_id=FabricId(vlan.fabric_id + 1), automatic=draw(made_here))
        for vlan in network["vlans"]
    ]
    subnets = [replace(subnet, automatic=draw(st.booleans())) for subnet in network["subnets"]]
    held = draw(addresses(subnets, some))
    found = here(**{**network, "fabrics": fabrics, "vlans": vlans, "subnets": subnets}, nodes=some, held=held)
    return replace(found, tags=tuple(draw(st.sampled_from([[], [Tag(TagId(2), "gpu", "mine")]]))))


@st.composite
def estates(draw: st.DrawFn) -> SourceInventory:
    network, some = draw(networks()), draw(nodes("sys"))
    spaces = [Space(SpaceId(0), "dmz"), Space(SpaceId(1), "9")]
    machines = [SourceMachine(each.system_id) for each in some if each.kind is NodeKind.MACHINE]
    hosts = [
        SourceHost(HostId(draw(KEYS)), name, "virsh", f"qemu+ssh://u@{name}/system")
        for name in draw(st.sets(st.sampled_from(["kvm1", "KVM_1"]), max_size=1))
    ]
    return an_estate(
        **network,
        spaces=spaces,
        zones=[Zone(ZoneId(1), draw(st.sampled_from(["default", "here"]))), Zone(ZoneId(2), "7")],
        resource_pools=[
            ResourcePool(ResourcePoolId(0), "default", "all"),
            ResourcePool(ResourcePoolId(1), "web"),
        ],
        domains=[Domain(DomainId(0), "maas")],
        tags=[Tag(TagId(1), "gpu"), Tag(TagId(2), "a b")],
        nodes=some,
        machines=machines,
        held=draw(addresses(network["subnets"], some)),
        hosts=hosts,
    )


@given(worlds(), estates(), st.booleans())
def test_doing_it_leaves_nothing_to_do_and_nothing_of_ours_is_lost(
    present: Present, estate: SourceInventory, prefer_theirs: bool
) -> None:
    plan = plan_import(present, estate, prefer_theirs=prefer_theirs)
    assert plan == plan_import(present, estate, prefer_theirs=prefer_theirs)
    after = done(present, plan)
    again = plan_import(after, estate, prefer_theirs=prefer_theirs)
    assert again.wanted == ()
    assert again.hosts == ()
    before = renumbered(present, list(plan.renumberings)).snapshot
    assert {each.id for each in before.fabrics} <= {each.id for each in after.snapshot.fabrics}
    assert {each.cidr for each in before.subnets} <= {each.cidr for each in after.snapshot.subnets}
    assert set(before.node_by_system_id) <= set(after.snapshot.node_by_system_id)
    assert {each for each in before.held if each.kind is not AddressKind.OBSERVED} <= set(after.snapshot.held)
    for change in plan.changes:
        assert change.action is not ImportAction.CONFLICT or render_change(change)


@given(worlds(), estates())
def test_no_two_things_get_one_name_or_tag(present: Present, estate: SourceInventory) -> None:
    after = done(present, plan_import(present, estate)).snapshot
    for names in (
        [each.name for each in after.fabrics],
        [(each.fabric_id, each.vid) for each in after.vlans],
        [each.hostname for each in after.nodes],
        [nic.id for node in after.nodes for nic in node.interfaces if node.system_id.startswith("sys")],
    ):
        assert len(set(names)) == len(names)
    fabric_of = {each.id: each.fabric_id for each in after.vlans}
    for each in after.subnets:
        for other in after.subnets:
            apart = fabric_of[each.vlan_id] != fabric_of[other.vlan_id]
            assert each.id == other.id or apart or not each.cidr.overlaps(other.cidr)


def automatic(key: int, cidr: Any = NET, **parts: Any) -> dict[str, Any]:
    """A wire as hostloom makes one for a subnet that it sees."""
    wire = a_wire(f"fabric-{key}", key=key, cidr=cidr, **parts)
    return {noun: [replace(item, automatic=True) for item in items] for noun, items in wire.items()}


OTHER_NET = ip_network("192.168.7.0/24")


def ids_by_name(present: Present) -> dict[str, int]:
    """Fabrics by name, subnets by CIDR, VLANs by the CIDR of a subnet on them."""
    snapshot = present.snapshot
    return {
        **{fabric.name: fabric.id for fabric in snapshot.fabrics},
        **{str(subnet.cidr): subnet.id for subnet in snapshot.subnets},
        **{f"vlan of {subnet.cidr}": subnet.vlan_id for subnet in snapshot.subnets},
    }


def test_what_hostloom_made_by_itself_gives_way() -> None:
    """Their record is not one of ours, but has the id of one of ours."""
    present, estate = here(**automatic(1)), an_estate(**a_wire("lan", key=1, cidr=OTHER_NET))
    plan = plan_import(present, estate)
    assert [render_change(change) for change in plan.changes[:3]] == [
        "hostloom made it by itself with id 1, which an imported one needs",
        "hostloom made it by itself with id 51, which an imported one needs",
        "hostloom made it by itself with id 2, which an imported one needs",
    ]
    after = done(present, plan)
    assert ids_by_name(after) == {
        "lan": 1,
        "fabric-1": 2,
        str(OTHER_NET): 2,
        str(NET): 3,
        f"vlan of {OTHER_NET}": 51,
        f"vlan of {NET}": 52,
    }
    assert plan_import(after, estate).wanted == ()


def test_what_hostloom_saw_by_itself_takes_the_imported_id() -> None:
    """It is the same subnet; MAAS's fabric-0 has the id 0."""
    present, estate = here(**automatic(3)), an_estate(**a_wire("fabric-0", key=0))
    plan = plan_import(present, estate)
    after = done(present, plan)
    assert ids_by_name(after) == {"fabric-0": 0, str(NET): 1, f"vlan of {NET}": 50}
    assert not any(item.automatic for item in (*after.snapshot.fabrics, *after.snapshot.subnets))
    assert plan_import(after, estate).wanted == ()


def test_two_can_exchange_their_ids() -> None:
    ours = [automatic(1), automatic(2, OTHER_NET)]
    theirs = [a_wire("lan", key=2), a_wire("wan", key=1, cidr=OTHER_NET)]
    present = here(**{noun: [*ours[0][noun], *ours[1][noun]] for noun in ours[0]})
    estate = an_estate(**{noun: [*theirs[0][noun], *theirs[1][noun]] for noun in theirs[0]})
    after = done(present, plan_import(present, estate))
    assert {key: ids_by_name(after)[key] for key in ("lan", "wan", str(NET), str(OTHER_NET))} == {
        "lan": 2,
        "wan": 1,
        str(NET): 3,
        str(OTHER_NET): 2,
    }
    assert plan_import(after, estate).wanted == ()


@pytest.mark.parametrize("how", ["made", "changed", "served"])
def test_what_an_operator_has_keeps_its_id(how: str) -> None:
    """That is said before anything is changed; the imported one gets another id."""
    parts = automatic(1)
    if how == "made":
        parts = {noun: [replace(item, automatic=False) for item in items] for noun, items in parts.items()}
    elif how == "changed":
        parts["subnets"] = [replace(parts["subnets"][0], generation=2)]
    else:
        parts["vlans"] = [replace(parts["vlans"][0], dhcp_on=True, generation=2)]
    present, estate = here(**parts), an_estate(**a_wire("lan", key=1, cidr=OTHER_NET))
    plan = plan_import(present, estate)
    (change,) = (change for change in plan.changes if change.name == str(OTHER_NET))
    assert (change.action, change.ours, codes(change)) == (ImportAction.CREATE, "3", [ImportCode.OTHER_ID])
    after = done(present, plan)
    assert ids_by_name(after)[str(NET)] == 2
    assert plan_import(after, estate).wanted == ()


def test_an_operators_object_stops_the_one_that_would_take_its_id() -> None:
    """Ours is the same subnet, but the id that it had there is an operator's here."""
    parts, kept = automatic(7), a_wire("mine", key=1, cidr=OTHER_NET)
    present = here(**{noun: [*parts[noun], *kept[noun]] for noun in parts})
    estate = an_estate(**a_wire("lan", key=1))
    after = done(present, plan_import(present, estate))
    assert ids_by_name(after)[str(OTHER_NET)] == 2
    assert ids_by_name(after)[str(NET)] == 8
    assert "it keeps its id 8" in [render_change(change) for change in plan_import(present, estate).changes]
    assert plan_import(after, estate).wanted == ()


def test_a_name_that_a_recognised_fabric_gives_up_is_free() -> None:
    """Ours is `lan`. Their fabric-0 is another fabric and keeps its name."""
    ours = a_wire("fabric-0", key=3)
    theirs = a_wire("lan", key=5)
    estate = an_estate(
        fabrics=[Fabric(FabricId(0), "fabric-0"), *theirs["fabrics"]],
        vlans=[Vlan(VlanId(2), FabricId(0), 0, "untagged"), *theirs["vlans"]],
        subnets=[*theirs["subnets"], Subnet(SubnetId(9), ip_network("10.0.9.0/24"), VlanId(2), "")],
    )
    plan = plan_import(here(**ours), estate)
    assert [(each.action, each.name, each.ours) for each in plan.changes[:2]] == [
        (ImportAction.CHANGE, "lan", "3"),
        (ImportAction.CREATE, "fabric-0", "0"),
    ]


def test_a_vlan_without_a_name_stays_without_one() -> None:
    """Also one that hostloom has called after its tag; a name that an operator gave stays."""
    theirs = a_wire("lan", vid=20)
    theirs["vlans"] = [
        Vlan(VlanId(49), FabricId(0), 0, "untagged"),
        *(replace(vlan, name="") for vlan in theirs["vlans"]),
    ]
    estate = an_estate(**theirs)
    after = done(here(), plan_import(here(), estate))
    assert {vlan.vid: vlan.name for vlan in after.snapshot.vlans} == {0: "untagged", 20: ""}
    assert plan_import(after, estate).wanted == ()
    ours = automatic(3, vid=20)
    present = here(**ours)
    after = done(present, plan_import(present, estate))
    assert {vlan.vid: vlan.name for vlan in after.snapshot.vlans}[20] == ""
    named = {**ours, "vlans": [replace(ours["vlans"][0], name="lab", generation=2)]}
    after = done(here(**named), plan_import(here(**named), estate))
    assert {vlan.vid: vlan.name for vlan in after.snapshot.vlans}[20] == "lab"
