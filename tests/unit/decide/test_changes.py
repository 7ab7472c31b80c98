"""Changes that are thought of: each does what it says, refuses what is not there, and can be written."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostloom.decide.changes.apply import apply
from hostloom.decide.changes.request import apply_to_request
from hostloom.decide.changes.text import FORMS, format_change, parse_change
from hostloom.decide.dry_run import simulate
from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.values import InvalidValue
from hostloom.model.hypothetical import ChangeKind, HypotheticalChange
from hostloom.model.node import Node, NodeInterface
from hostloom.simulation.world_file import read_world
from support.a_request import a_request
from support.depth import examples
from support.indexes import assert_indexes, build_indexes
from support.worlds import drawn_worlds, world

WORLD = world("""
world: 1
fabrics:
  - name: f
    vlans: [{vid: 0, space: mgmt, dhcp: true}, {vid: 20, space: dmz}, {vid: 30, relay: f/0}]
subnets:
  - {cidr: 10.0.0.0/24, vlan: f/0, used: [10.0.0.9]}
  - {cidr: 10.0.20.0/24, vlan: f/20, ranges: [{type: dynamic, start: 10.0.20.5, end: 10.0.20.9}]}
nodes: [{name: other, interfaces: [{name: eth0, addresses: [192.0.2.1]}]}]
hosts:
  - name: kvm1
    address: qemu+ssh://u@192.0.2.1/system
    reachable: false
    interfaces:
      - {name: eth0, type: physical, vlan: f/0}
      - {name: br0, type: bridge, parents: [eth0], vlan: f/0}
      - {name: eth1, type: physical, vlan: f/20, enabled: false, link: false}
      - {name: eth1.30, type: vlan, parents: [eth1], vlan: f/30}
      - {name: eth2, type: physical}
    libvirt_networks: [{name: default, active: false, bridge: virbr0, dhcp: true, forward: nat}]
""").snapshot
EXAMPLES = [
    "serve-vlan:f/20",
    "libvirt-dhcp-off:kvm1/default",
    "start-network:kvm1/default",
    "add-vlan-interface:kvm1/eth2=f/30",
    "enable-interface:kvm1/eth1",
    "link-up:kvm1/eth1",
    "free-address:10.0.0.0/24=10.0.0.9",
    "raise-cpu-ratio:kvm1=1.5",
    "raise-memory-ratio:kvm1=1.25",
    "grow-pool:kvm1/default=1000000",
    "reach-host:kvm1",
    "choose-node:kvm1=host-kvm1",
    "change-request:netboot=false",
    "lose-interface:kvm1/eth1",
    "lose-vlan:f/0",
    "lose-host:kvm1",
    "stop-serving-vlan:f/30",
    "set-macvlan-mode:kvm1=private",
    "set-bridge-ports:kvm1/br0=eth0,eth2",
    "move-interface:kvm1/eth2=f/20",
    "set-interface-vlan:kvm1/eth2=f/20",
]


def with_node() -> Snapshot:
    """The world with its ambiguous host settled."""
    return apply(WORLD, parse_change("choose-node:kvm1=host-kvm1"))


def after(text: str) -> Snapshot:
    snapshot = with_node()
    build_indexes(snapshot)
    changed = apply(snapshot, parse_change(text))
    assert_indexes(changed)
    return changed


def interface(snapshot: Snapshot, name: str) -> NodeInterface:
    node = snapshot.node_of(snapshot.hosts[0].host)
    assert node is not None
    return next(each for each in node.interfaces if each.name == name)


def test_there_is_an_example_of_every_kind() -> None:
    assert {parse_change(text).kind for text in EXAMPLES} == set(ChangeKind) == set(FORMS)


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_kind_changes_something_and_leaves_every_index_right(text: str) -> None:
    changed = after(text)
    change = parse_change(text)
    if change.kind is ChangeKind.CHANGE_REQUEST:
        assert apply_to_request(a_request(), change) == a_request(netboot=False)
    elif change.kind is not ChangeKind.CHOOSE_NODE:
        assert changed != with_node()


def test_what_the_changes_do() -> None:
    vlans = {vlan.vid: vlan for vlan in after("serve-vlan:f/20").vlans}
    assert vlans[20].dhcp_on
    host = after("libvirt-dhcp-off:kvm1/default").hosts[0].host
    assert not host.libvirt_networks[0].dhcp
    assert after("start-network:kvm1/default").hosts[0].host.libvirt_networks[0].active
    new = interface(after("add-vlan-interface:kvm1/eth2=f/30"), "eth2.30")
    assert (new.tag_vid, new.parents, new.vlan_id) == (30, ("eth2",), vlans[30].id)
    assert interface(after("enable-interface:kvm1/eth1"), "eth1").enabled
    assert interface(after("link-up:kvm1/eth1"), "eth1").link
    assert after("raise-cpu-ratio:kvm1=1.5").hosts[0].host.cpu_over_commit_ratio == 1.5
    assert after("raise-memory-ratio:kvm1=1.25").hosts[0].host.memory_over_commit_ratio == 1.25
    pool = after("grow-pool:kvm1/default=1000000").hosts[0].host.storage_pools[0]
    assert pool.free_bytes == pool.total_bytes == 1000 * 10**9 + 1000000
    assert after("reach-host:kvm1").hosts[0].host.reachable
    assert not after("lose-host:kvm1").hosts[0].host.reachable
    assert after("set-macvlan-mode:kvm1=vepa").hosts[0].host.default_macvlan_mode == "vepa"
    assert interface(after("set-bridge-ports:kvm1/br0=eth0,eth2"), "br0").parents == ("eth0", "eth2")
    assert interface(after("set-bridge-ports:kvm1/br0="), "br0").parents == ()
    assert interface(after("move-interface:kvm1/eth2=f/20"), "eth2").vlan_id == vlans[20].id
    assert interface(after("set-interface-vlan:kvm1/eth2=f/20"), "eth2").vlan_id == vlans[20].id
    assert vlans[30].id not in after("stop-serving-vlan:f/30").bootable_vlans


def test_what_rests_on_a_lost_interface_has_no_link() -> None:
    lost = after("lose-interface:kvm1/eth1")
    assert not interface(lost, "eth1.30").link
    lost = after("lose-interface:kvm1/eth0")
    assert (interface(lost, "br0").parents, interface(lost, "br0").link) == ((), False)


def test_a_lost_vlan_takes_its_subnets_and_its_relays_along() -> None:
    lost = after("lose-vlan:f/0")
    assert [str(each.cidr) for each in lost.subnets] == ["10.0.20.0/24"]
    assert interface(lost, "br0").vlan_id is None
    assert lost.bootable_vlans == frozenset()


def test_a_freed_address_can_be_given() -> None:
    request = a_request(interfaces="eth0:ip=10.0.0.9")
    before = simulate(with_node(), request).explanation.refusal
    now = simulate(after("free-address:10.0.0.0/24=10.0.0.9"), request).explanation.refusal
    assert before is not None
    assert before.code == "address-in-use"
    assert now is not None
    assert now.code == "host-unreachable"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("serve-vlan:f/99", "vlan"),
        ("lose-host:kvm9", "host"),
        ("lose-interface:kvm9/eth0", "host"),
        ("lose-interface:kvm1/eth9", "interface"),
        ("libvirt-dhcp-off:kvm1/maas", "network"),
        ("start-network:kvm1/maas", "network"),
        ("add-vlan-interface:kvm1/eth1=f/30", "interface"),
        ("add-vlan-interface:kvm1/eth2=f/0", "value"),
        ("add-vlan-interface:kvm1/eth2=g/30", "value"),
        ("free-address:10.9.0.0/24=10.0.0.9", "subnet"),
        ("free-address:10.0.0.0/24=10.0.0.8", "value"),
        ("free-address:10.0.0.0/24=nine", "value"),
        ("raise-cpu-ratio:kvm1=0", "value"),
        ("raise-memory-ratio:kvm1=much", "value"),
        ("raise-memory-ratio:kvm1=1000", "value"),
        ("grow-pool:kvm1/nvme=5", "pool"),
        ("grow-pool:kvm1/default=-5", "value"),
        ("choose-node:kvm1=nobody", "value"),
        ("set-macvlan-mode:kvm1=best", "value"),
        ("set-bridge-ports:kvm1/eth0=eth1", "interface"),
        ("set-bridge-ports:kvm1/br0=br0", "value"),
        ("move-interface:kvm1/eth2=f/77", "value"),
    ],
)
def test_what_is_not_there_is_named(text: str, field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        after(text)
    assert caught.value.details["field"] == field


def test_the_interfaces_of_a_host_that_is_not_known_cannot_be_changed() -> None:
    with pytest.raises(InvalidValue, match="known"):
        apply(WORLD, parse_change("lose-interface:kvm1/eth0"))


@pytest.mark.parametrize(
    "text", ["", "lose", "lose-host", "lose-host:", "lose-host:a/b", "lose-host:a=b", "x:y"]
)
def test_a_change_that_cannot_be_read_says_what_was_expected(text: str) -> None:
    with pytest.raises(InvalidValue, match="HOST"):
        parse_change(text)


@pytest.mark.parametrize("text", EXAMPLES)
def test_written_and_read_again(text: str) -> None:
    assert format_change(parse_change(text)) == text


NAMES = st.text("abcz019.-_", min_size=1, max_size=8)


@given(st.sampled_from(list(ChangeKind)), NAMES, NAMES, NAMES)
def test_any_change_is_written_and_read_again(kind: ChangeKind, host: str, subject: str, value: str) -> None:
    form = FORMS[kind]
    has_host, has_subject = form.startswith("HOST"), not form.startswith("HOST") or form.startswith("HOST/")
    change = HypotheticalChange(
        kind, subject if has_subject else "", host if has_host else "", value if "=" in form else ""
    )
    assert parse_change(format_change(change)) == change


@given(st.sampled_from(list(ChangeKind)), NAMES, NAMES, NAMES)
def test_nothing_but_invalid_value_is_raised(kind: ChangeKind, host: str, subject: str, value: str) -> None:
    for name in (host, "kvm1"):
        try:
            apply(with_node(), HypotheticalChange(kind, subject, name, value))
        except InvalidValue:
            continue


def test_an_option_that_a_request_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidValue, match="option"):
        apply_to_request(a_request(), HypotheticalChange(ChangeKind.CHANGE_REQUEST, "colour", "", "red"))


def test_served_by_ourselves_a_vlan_is_not_relayed_any_more() -> None:
    (vlan,) = (each for each in after("serve-vlan:f/30").vlans if each.vid == 30)
    assert (vlan.dhcp_on, vlan.relay_vlan_id) == (True, None)


def test_without_a_value_the_lowest_address_is_given_back() -> None:
    freed = after("free-address:10.0.0.0/24=")
    assert {str(each.ip) for each in with_node().held} - {str(each.ip) for each in freed.held} == {"10.0.0.9"}
    with pytest.raises(InvalidValue, match="that is in use"):
        after("free-address:10.0.20.0/24=")


def test_names_with_signs_of_the_form_are_written_and_read_again() -> None:
    for change in (
        HypotheticalChange(ChangeKind.LOSE_INTERFACE, "a/b=c%2F", "x/y=z%25"),
        HypotheticalChange(ChangeKind.SERVE_VLAN, "a/b=c/20"),
        HypotheticalChange(ChangeKind.MOVE_INTERFACE, "eth0", "kvm1", "a=b/20"),
        HypotheticalChange(ChangeKind.CHANGE_REQUEST, "interfaces", "", "eth0:space=a"),
    ):
        assert parse_change(format_change(change)) == change
    assert format_change(HypotheticalChange(ChangeKind.LOSE_HOST, "", "a/b")) == "lose-host:a%2Fb"


ANY = st.text(max_size=6)


@given(st.sampled_from(list(ChangeKind)), ANY, ANY, ANY)
def test_whatever_is_read_is_written_alike(kind: ChangeKind, host: str, subject: str, value: str) -> None:
    text = format_change(HypotheticalChange(kind, subject, host, value))
    try:
        change = parse_change(text)
    except InvalidValue:
        return
    assert parse_change(format_change(change)) == change


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn_worlds(), st.data())
def test_in_any_world_changes_of_what_is_there_keep_every_index_right(
    document: dict[str, Any], data: st.DataObject
) -> None:
    snapshot = read_world(document).snapshot
    build_indexes(snapshot)
    for _ in range(3):
        try:
            snapshot = apply(snapshot, data.draw(changes_of(snapshot)))
        except InvalidValue:
            continue
        assert_indexes(snapshot)
        for node in snapshot.nodes:
            assert_node(snapshot, node)


def assert_node(snapshot: Snapshot, node: Node) -> None:
    """Nothing is stacked on what is gone, and nothing is on a VLAN that is gone."""
    names = [each.name for each in node.interfaces]
    assert len({each.id for each in node.interfaces}) == len(set(names)) == len(names)
    for each in node.interfaces:
        assert set(each.parents) <= set(names)
        assert each.vlan_id is None or each.vlan_id in snapshot.vlan_by_id


def changes_of(snapshot: Snapshot) -> st.SearchStrategy[HypotheticalChange]:
    """Changes of hosts, interfaces and VLANs that are in the world."""
    state = st.sampled_from(snapshot.hosts)
    vlans = [f"{snapshot.fabric_by_id[each.fabric_id].name}/{each.vid}" for each in snapshot.vlans]
    interfaces = sorted({each.name for node in snapshot.nodes for each in node.interfaces})
    name = st.sampled_from([*interfaces, "default", "maas", "pool0"])
    subnet = st.sampled_from([str(each.cidr) for each in snapshot.subnets] or ["10.9.0.0/24"])
    kinds = st.sampled_from(sorted(ChangeKind))
    value = st.one_of(
        st.sampled_from(vlans),
        name,
        st.lists(name, max_size=2).map(",".join),
        st.sampled_from(["1.5", "", "vepa"]),
    )
    return st.builds(
        lambda kind, host, subject, value: HypotheticalChange(kind, subject, host.host.name, value),
        kinds,
        state,
        st.one_of(name, st.sampled_from(vlans), subnet),
        value,
    )


def test_options_of_a_request_are_read_as_strictly_as_its_world() -> None:
    request = a_request(host="kvm1", architecture="arm64")
    assert apply_to_request(request, parse_change("change-request:host=")).host is None
    assert apply_to_request(request, parse_change("change-request:architecture=")).architecture is None
    for text in ("netboot=maybe", "cores=none", "memory_mib=-1"):
        with pytest.raises(InvalidValue, match="value"):
            apply_to_request(request, parse_change(f"change-request:{text}"))
