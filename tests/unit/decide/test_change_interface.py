"""Changes of an interface: what is stacked on it has its link and goes where it goes."""

import pytest

from hostloom.decide.changes.apply import apply
from hostloom.decide.changes.text import parse_change
from hostloom.model.errors.values import InvalidValue
from hostloom.model.node import NodeInterface, VlanSource
from support.indexes import assert_indexes, build_indexes
from support.worlds import world

STACK = world("""
world: 1
fabrics:
  - {name: f, vlans: [{vid: 0, dhcp: true}, {vid: 20}, {vid: 30}]}
  - {name: g, vlans: [{vid: 0}, {vid: 20}]}
hosts:
  - name: kvm1
    address: qemu+ssh://u@192.0.2.1/system
    interfaces:
      - {name: lo, type: loopback}
      - {name: eth0, type: physical}
      - {name: eth1, type: physical}
      - {name: bond0, type: bond, parents: [eth0, eth1], vlan: f/0}
      - {name: bond0.20, type: vlan, parents: [bond0], vlan: f/20}
      - {name: br0, type: bridge, parents: [bond0], vlan: f/0}
      - {name: br20, type: bridge, parents: [bond0.20], vlan: f/20}
      - {name: eth2, type: physical, vlan: g/0, link: false}
      - {name: br2, type: bridge, parents: [eth2], vlan: g/0, link: false}
      - {name: eth3, type: physical, vlan: f/0, enabled: false}
      - {name: brx, type: bridge}
      - {name: a-very-long-nic, type: physical, vlan: f/0}
""").snapshot


def stack(*texts: str) -> dict[str, NodeInterface]:
    snapshot = STACK
    build_indexes(snapshot)
    for text in texts:
        snapshot = apply(snapshot, parse_change(text))
    assert_indexes(snapshot)
    (node,) = snapshot.nodes
    return {each.name: each for each in node.interfaces}


def down(*texts: str) -> set[str]:
    """The interfaces that have lost their link."""
    before = {name for name, each in stack().items() if not each.link}
    return {name for name, each in stack(*texts).items() if not each.link} - before


def on(found: dict[str, NodeInterface]) -> dict[str, str]:
    names = {vlan.id: f"{STACK.fabric_by_id[vlan.fabric_id].name}/{vlan.vid}" for vlan in STACK.vlans}
    return {name: names[each.vlan_id] for name, each in found.items() if each.vlan_id is not None}


def test_a_bond_outlives_one_member_and_takes_all_that_is_on_it_along_with_the_last() -> None:
    assert down("lose-interface:kvm1/eth0") == set()
    assert stack("lose-interface:kvm1/eth0")["bond0"].parents == ("eth1",)
    both = ("lose-interface:kvm1/eth0", "lose-interface:kvm1/eth1")
    assert down(*both) == {"bond0", "bond0.20", "br0", "br20"}
    assert stack(*both)["br0"].parents == ("bond0",)


def test_what_has_no_part_in_it_keeps_its_link() -> None:
    assert down("lose-interface:kvm1/br0") == set()
    assert down("lose-interface:kvm1/bond0.20") == {"br20"}


def test_a_link_that_comes_back_brings_back_what_is_on_it() -> None:
    found = stack("link-up:kvm1/eth2")
    assert (found["eth2"].link, found["br2"].link) == (True, True)
    assert stack("link-up:kvm1/br2")["eth2"].link is False


def test_a_bridge_is_where_its_ports_are() -> None:
    found = stack("lose-interface:kvm1/br2", "set-bridge-ports:kvm1/br0=eth2")
    assert on(found)["br0"] == "g/0"
    assert found["br0"].vlan_source is VlanSource.PORT
    assert found["br0"].link is False
    assert on(found)["bond0"] == "f/0"


def test_a_bridge_that_has_lost_its_last_port_has_no_link_and_one_that_never_had_any_has() -> None:
    assert stack("set-bridge-ports:kvm1/br0=")["br0"].link is False
    assert stack("set-bridge-ports:kvm1/brx=")["brx"].link is True
    assert on(stack("set-bridge-ports:kvm1/brx=a-very-long-nic"))["brx"] == "f/0"


@pytest.mark.parametrize("ports", ["lo", "br2", "bond0,bond0", "eth0"])
def test_what_no_bridge_can_have_is_refused(ports: str) -> None:
    with pytest.raises(InvalidValue, match="value"):
        stack(f"set-bridge-ports:kvm1/br0={ports}")


def test_no_bridge_is_a_port_of_what_is_on_it() -> None:
    with pytest.raises(InvalidValue, match="stacked on brx itself"):
        stack("add-vlan-interface:kvm1/brx=f/20", "set-bridge-ports:kvm1/brx=brx.20")


def test_what_is_moved_takes_members_and_what_is_stacked_on_it_along() -> None:
    moved = on(stack("move-interface:kvm1/bond0=g/0"))
    assert {moved[name] for name in ("eth0", "eth1", "bond0", "br0")} == {"g/0"}
    assert (moved["bond0.20"], moved["br20"]) == ("g/20", "g/20")


def test_a_vlan_interface_is_tagged_within_its_fabric() -> None:
    moved = stack("move-interface:kvm1/bond0.20=f/30")
    assert (on(moved)["bond0.20"], on(moved)["br20"], moved["bond0.20"].tag_vid) == ("f/30", "f/30", 30)
    for vlan in ("g/20", "f/0"):
        with pytest.raises(InvalidValue, match="tagged VLAN of the fabric"):
            stack(f"move-interface:kvm1/bond0.20={vlan}")


def test_a_vlan_is_added_where_its_fabric_is() -> None:
    added = stack("add-vlan-interface:kvm1/bond0=f/30")["bond0.30"]
    assert (added.parents, added.tag_vid, added.link) == (("bond0",), 30, True)
    assert added.id not in {each.id for each in stack().values()}
    assert "vlan30" in stack("add-vlan-interface:kvm1/a-very-long-nic=f/30")
    assert not stack("add-vlan-interface:kvm1/eth3=f/30")["eth3.30"].link


@pytest.mark.parametrize(
    "text",
    ["bond0=g/20", "bond0=f/0", "eth0=f/30", "lo=f/30", "bond0.20=f/30", "bond0=f/20"],
    ids=["another-fabric", "untagged", "member-of-a-bond", "loopback", "vlan-on-vlan", "there-already"],
)
def test_a_vlan_that_cannot_be_added_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        stack(f"add-vlan-interface:kvm1/{text}")
