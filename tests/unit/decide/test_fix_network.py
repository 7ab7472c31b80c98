"""What is wrong with a host's libvirt networks, and how they are mended, or why not."""

from dataclasses import replace

import pytest

from hostloom.decide.explain.fixes import offer_of, render_choice, render_fix, render_verdict
from hostloom.decide.hosts.fix_network import plan_fix
from hostloom.decide.placement.libvirt_networks import NetworkVerdict, judge_networks
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.attachment import AttachKind
from hostloom.model.host import CorrelationState, PlacedInterface, PlacedMachine
from hostloom.model.network_fix import FixCode, FixPlan, FixStepKind
from hostloom.model.node import Node
from support.worlds import world

WORLD = world("""
world: 1
fabrics:
  - name: f
    vlans:
      - {vid: 0, space: mgmt, dhcp: true, foreign_dhcp: [10.0.0.66]}
      - {vid: 10, space: relayed, relay: f/0}
      - {vid: 20, space: dmz}
      - {vid: 30, space: far}
subnets:
  - {cidr: 10.0.0.0/24, vlan: f/0}
  - {cidr: 10.0.20.0/24, vlan: f/20}
hosts:
  - name: rack
    address: qemu:///system
    interfaces:
      - {name: eth0, type: physical, vlan: f/0, addresses: [10.0.0.2/24]}
      - {name: eth1, type: physical, vlan: f/20, addresses: [10.0.20.2/24]}
      - {name: virbr0, type: bridge, vlan: f/20, addresses: [10.0.20.1/24]}
      - {name: virbr9, type: bridge}
    libvirt_networks:
      - {name: default, active: true, bridge: virbr0, dhcp: true, forward: nat}
      - {name: stray, active: true, bridge: virbr9, dhcp: true, forward: nat}
  - name: kvm1
    address: qemu+ssh://u@192.0.2.1/system
    interfaces:
      - {name: eth0, type: physical}
      - {name: eth1, type: physical}
      - {name: eth2, type: physical}
      - {name: eth3, type: physical, vlan: f/0}
      - {name: eth4, type: physical}
      - {name: br8, type: bridge, parents: [eth4], vlan: f/0}
      - {name: br0, type: bridge, parents: [eth0], vlan: f/0}
      - {name: br2, type: bridge, parents: [eth1], vlan: f/20}
      - {name: br3, type: bridge, parents: [eth2], vlan: f/30}
      - {name: br4, type: bridge, vlan: f/0}
      - {name: br5, type: bridge, vlan: f/0, enabled: false}
      - {name: br6, type: bridge, vlan: f/10}
      - {name: br7, type: bridge}
      - {name: virbr0, type: bridge}
    libvirt_networks:
      - {name: default, active: true, bridge: virbr0, dhcp: true, forward: nat}
      - {name: served, active: true, bridge: br0, dhcp: true}
      - {name: dmz, active: true, bridge: br2, dhcp: true, forward: route}
      - {name: dmz-quiet, active: true, bridge: br2, dhcp: false, forward: bridge}
      - {name: far, active: true, bridge: br3, dhcp: true}
      - {name: nowhere, active: true, bridge: br4, dhcp: true}
      - {name: asleep, active: false, bridge: br0, dhcp: true}
      - {name: unfit, active: true, bridge: br5, dhcp: true}
      - {name: relayed, active: true, bridge: br6, dhcp: true}
      - {name: bare, active: true, bridge: null, dhcp: false, forward: other}
      - {name: lost, active: true, bridge: br99, dhcp: true}
      - {name: good, active: true, bridge: br8, dhcp: false, forward: bridge}
  - name: kvm2
    address: qemu+ssh://u@192.0.2.2/system
    interfaces: [{name: eth0, type: physical}, {name: br0, type: bridge, parents: [eth0], vlan: f/0}]
    libvirt_networks: [{name: maas, active: true, bridge: br0, dhcp: false, forward: bridge}]
  - name: kvm3
    address: qemu+ssh://u@192.0.2.3/system
    interfaces: [{name: eth0, type: physical}, {name: br2, type: bridge, parents: [eth0], vlan: f/30}]
  - name: stranger
    address: qemu+ssh://u@192.0.2.4/system
    known: false
    libvirt_networks: [{name: default, active: true, bridge: virbr0, dhcp: true, forward: nat}]
""").snapshot


def host(name: str, snapshot: Snapshot = WORLD) -> HostState:
    return next(each for each in snapshot.hosts if each.host.name == name)


def racks() -> tuple[Node, ...]:
    node = WORLD.node_of(host("rack").host)
    assert node is not None
    return (node,)


def fix(name: str, network: str | None = None, bridge: str | None = None) -> FixPlan:
    return plan_fix(WORLD, host(name), racks(), network, bridge)


def steps(plan: FixPlan) -> list[str]:
    return [" ".join(filter(None, (each.kind, each.subject, each.value))) for each in plan.steps]


@pytest.mark.parametrize(
    ("name", "network", "wanted"),
    [
        ("kvm1", "served", ["libvirt-dhcp-off served"]),
        ("kvm1", "dmz", ["libvirt-dhcp-off dmz", "serve-vlan f/20"]),
        ("kvm1", "dmz-quiet", ["serve-vlan f/20"]),
        ("kvm1", "relayed", ["libvirt-dhcp-off relayed"]),
        # NAT, but the rack is on the host itself and has an address on the bridge
        ("rack", "default", ["libvirt-dhcp-off default", "serve-vlan f/20"]),
    ],
)
def test_a_network_is_mended(name: str, network: str, wanted: list[str]) -> None:
    assert steps(fix(name, network)) == wanted


@pytest.mark.parametrize(
    ("name", "network", "code", "offer"),
    [
        ("kvm1", "default", FixCode.NO_RACK_ON_HOST, "br8"),
        ("kvm1", "nowhere", FixCode.NO_RACK_ON_HOST, "br8"),
        ("kvm1", "far", FixCode.NO_RACK_ON_VLAN, "br8"),
        ("kvm1", "asleep", FixCode.NETWORK_INACTIVE, "br8"),
        ("kvm1", "unfit", FixCode.BRIDGE_UNFIT, "br8"),
        ("kvm1", "bare", FixCode.NETWORK_WITHOUT_BRIDGE, "br8"),
        ("kvm1", "lost", FixCode.BRIDGE_NOT_KNOWN, "br8"),
        ("kvm1", "gone", FixCode.NETWORK_MISSING, "br8"),
        ("kvm1", "good", FixCode.NOTHING_TO_FIX, ""),
        ("rack", "stray", FixCode.NO_VLAN, ""),
        ("kvm2", "maas", FixCode.NOTHING_TO_FIX, ""),
        ("stranger", "default", FixCode.HOST_NOT_KNOWN, ""),
    ],
)
def test_a_network_that_cannot_be_mended_is_told_why(
    name: str, network: str, code: FixCode, offer: str
) -> None:
    plan = fix(name, network)
    assert ([each.code for each in plan.refusals], plan.offer, plan.steps) == ([code], offer, ())
    assert all("{" not in line for line in render_fix(plan))


@pytest.mark.parametrize(
    ("name", "bridge", "wanted"),
    [
        ("kvm1", "br8", ["make-network maas br8"]),
        ("kvm1", "br0", FixCode.BRIDGE_OF_LIBVIRT),
        ("kvm1", "br2", FixCode.BRIDGE_OF_LIBVIRT),
        ("kvm1", "br3", FixCode.BRIDGE_OF_LIBVIRT),
        ("kvm1", "br7", FixCode.NO_VLAN),
        ("kvm1", "eth3", FixCode.NOT_A_BRIDGE),
        ("kvm1", "br99", FixCode.BRIDGE_NOT_KNOWN),
        ("kvm2", "br0", FixCode.NETWORK_EXISTS),
        ("kvm3", "br2", FixCode.NO_RACK_ON_VLAN),
    ],
)
def test_a_network_maas_is_made_on_a_bridge_of_the_hosts(
    name: str, bridge: str, wanted: list[str] | FixCode
) -> None:
    plan = fix(name, bridge=bridge)
    found = steps(plan) or plan.refusals[0].code
    assert found == wanted


def test_without_a_name_what_comes_first_is_done() -> None:
    assert [each.code for each in fix("kvm2").refusals] == [FixCode.NOTHING_TO_FIX]
    assert steps(fix("rack")) == ["libvirt-dhcp-off default", "serve-vlan f/20"]
    assert [each.code for each in fix("kvm3").refusals] == [FixCode.NO_SERVED_BRIDGE]


def test_a_host_that_could_be_several_nodes_is_refused() -> None:
    state = host("kvm1")
    unsure = replace(state.host.correlation, state=CorrelationState.AMBIGUOUS, system_id=None)
    plan = plan_fix(WORLD, replace(state, host=replace(state.host, correlation=unsure)), racks())
    assert [each.code for each in plan.refusals] == [FixCode.HOST_AMBIGUOUS]


def test_the_machines_on_the_network_or_its_bridge_are_named() -> None:
    def machine(name: str, kind: AttachKind, source: str) -> PlacedMachine:
        return PlacedMachine(name, 1, 256, (PlacedInterface(kind, source),))

    some = (
        machine("vm10", AttachKind.NETWORK, "dmz"),
        machine("vm9", AttachKind.BRIDGE, "br2"),
        machine("other", AttachKind.BRIDGE, "br0"),
    )
    state = replace(host("kvm1"), machines=some)
    assert plan_fix(WORLD, state, racks(), "dmz").machines == ("vm9", "vm10")
    assert plan_fix(WORLD, state, racks(), "dmz-quiet").machines == ()


def test_what_is_offered_instead_is_a_command() -> None:
    plan = fix("kvm1", "default")
    assert offer_of(plan) == "hostloom host fix-network kvm1 --make-maas br8"
    why, instead = render_fix(plan)
    assert why.endswith("its bridge virbr0 has no physical port, and no rack of ours is on kvm1")
    assert offer_of(plan) in instead


def test_the_vlan_of_a_bridge_is_told_with_a_command() -> None:
    (why,) = render_fix(fix("rack", "stray"))
    assert "`hostloom node interface update rack virbr9 --vlan FABRIC/VID`" in why


def test_every_step_has_its_words() -> None:
    told = {each.kind for plan in (fix("kvm1", "dmz"), fix("kvm1", bridge="br8")) for each in plan.steps}
    assert told == set(FixStepKind)


# -- what is wrong with them ---------------------------------------------------------------------------


def verdicts(name: str) -> dict[str, NetworkVerdict]:
    return {each.network.name: each for each in judge_networks(WORLD, host(name)).networks}


@pytest.mark.parametrize(
    ("network", "codes"),
    [
        ("default", ["libvirt-dhcp-on", "no-vlan"]),
        ("served", ["libvirt-dhcp-on"]),
        ("dmz", ["libvirt-dhcp-on", "vlan-not-bootable"]),
        ("dmz-quiet", ["vlan-not-bootable"]),
        ("asleep", ["network-inactive", "libvirt-dhcp-on"]),
        ("unfit", ["libvirt-dhcp-on", "interface-disabled"]),
        ("bare", ["network-without-bridge"]),
        ("lost", ["libvirt-dhcp-on", "bridge-not-known"]),
        ("relayed", ["libvirt-dhcp-on"]),
        ("good", []),
    ],
)
def test_every_condition_that_fails_is_named(network: str, codes: list[str]) -> None:
    found = verdicts("kvm1")[network]
    assert [str(each.code) for each in found.fails] == codes


def test_isolation_and_others_dhcp_are_told_too() -> None:
    found = verdicts("kvm1")
    assert [str(each.code) for each in found["nowhere"].warnings] == ["isolated-network", "foreign-dhcp"]
    assert (found["nowhere"].isolated, found["served"].isolated) == (True, False)
    assert (found["served"].vlan, found["served"].is_served) == ("f/0", True)
    assert (found["default"].vlan, found["default"].is_served) == (None, False)
    assert render_verdict(found["nowhere"], "kvm1")[-1].endswith("with foreign DHCP servers: 10.0.0.66")


def test_what_a_compose_without_constraints_takes_is_told() -> None:
    taken = judge_networks(WORLD, host("kvm2"))
    assert (taken.takes, taken.attach, taken.boots) == ("maas", "network", True)
    assert render_choice(taken.networks[0], "kvm2") == "taken"
    other = judge_networks(WORLD, host("kvm1"))
    assert (other.takes, other.attach, other.boots) == ("br0", "bridge", True)
    found = verdicts("kvm1")
    assert "hostloom host fix-network kvm1 default" in render_choice(found["default"], "kvm1")
    assert (
        render_choice(found["good"], "kvm1") == "not considered: request it with attach=network,network=good"
    )
    none = judge_networks(WORLD, host("kvm3"))
    assert (none.takes, none.attach, none.boots) == ("", "", False)
    assert judge_networks(WORLD, host("stranger")).takes == "default"
