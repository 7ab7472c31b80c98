"""Suggestions: for what there are none, and why; whatever order the world is in; in a world of many hosts."""

import json
from dataclasses import replace
from itertools import combinations
from typing import Any, TypeVar
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hostloom.decide.changes.apply import apply
from hostloom.decide.changes.request import apply_to_request
from hostloom.decide.changes.text import format_change
from hostloom.decide.dry_run import simulate
from hostloom.decide.explain.changes import render_suggestion
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.decide.suggest import suggest as suggesting
from hostloom.decide.suggest.suggest import advised, suggest
from hostloom.model.errors.values import InvalidValue
from hostloom.model.host import Host
from hostloom.model.hypothetical import ChangeKind, HypotheticalChange, Suggestion
from hostloom.model.node import Node
from hostloom.model.plan import Explanation
from hostloom.model.reasons import RequestCode
from hostloom.model.request import ParsedRequest
from hostloom.serialization import from_json, to_json
from hostloom.simulation.sections import Section
from hostloom.simulation.world_file import Case, WorldDocument, read_request, read_world
from support.a_request import a_request
from support.depth import examples
from support.worlds import ACCEPTANCE, drawn_requests, drawn_worlds, load, world

T = TypeVar("T")
NO_SUCH_NAME = "no name that there is comes near"
NO_NIC = "the host has no NIC that could be brought to that VLAN"
NO_SUBNET = "a label says nothing but its address, and no subnet is near"
TOO_MUCH = "no over-commit that hosts take makes that much room"
ON_THE_HOST = "how the interface is set up on the host is no change that is thought of"
TOO_DEEP = "more would have to change than a suggestion says"
#: Well-formed requests of the world files that no change we know of would make fit.
NOTHING = {
    "one-mac-for-two-nics": "each label says nothing but its MAC",
    "address-in-no-known-subnet": NO_SUBNET,
    "host-is-not-on-the-address-vlan": NO_NIC,
    "one-unmatched-label-fails-the-request": "there is no VLAN with that tag",
    "unknown-space": NO_SUCH_NAME,
    "unknown-fabric": NO_SUCH_NAME,
    "unknown-subnet": NO_SUCH_NAME,
    "unknown-space-concerns-no-host": NO_SUCH_NAME,
    "network-without-attach-network": "the host has no libvirt network",
    "interface-held-by-passthru-is-refused": "only the machine that owns it could give it back",
    "beside-a-128-is-no-subnet": NO_SUBNET,
    "ipv6-of-the-host-is-taken": NO_SUBNET,
    "without-a-vlan-meets-no-space": "every VLAN is in a space",
    "a-class-that-nothing-has-matches-nothing": NO_SUCH_NAME,
    "an-unknown-fabric-by-id": NO_SUCH_NAME,
    "speed-is-not-known-of-the-others": "what a NIC's speed is shows only on the host",
    "not-by-hostname": "there is no other host",
    "the-highest-vid": "there is no such VLAN",
    "two-networks": "the host has no libvirt network",
    "two-keys-are-both": "no VLAN is both",
    "keys-that-exclude-each-other-just-match-nothing": "no VLAN is both",
    "an-unknown-name-comes-first": NO_SUCH_NAME,
    "the-bridge-before-the-keys": "no bridge of a network is on that VLAN",
    "inactive-before-all-that": TOO_DEEP,
    "a-wireless-nic-by-name": ON_THE_HOST,
    "a-bridge-without-pvid": ON_THE_HOST,
    "a-bridge-whose-vlan-no-port-carries": ON_THE_HOST,
    "machines-are-not-on-the-access-vlan-of-the-uplink": ON_THE_HOST,
    "the-zone-before-the-resource-pool": TOO_DEEP,
    "the-resource-pool-before-the-tags": TOO_DEEP,
    "names-as-they-are-written": NO_SUCH_NAME,
    "an-unknown-pool-before-one-of-no-use": "two disks ask for what they cannot have",
    "cores-are-asked-before-memory": TOO_MUCH,
    "architecture-is-asked-before-room": TOO_MUCH,
    "constraints-are-refused-on-an-unknown-host": "what interfaces it has shows only when it is read",
}
TEXTUAL = {
    RequestCode.CONSTRAINT_SYNTAX,
    RequestCode.UNKNOWN_KEY,
    RequestCode.DUPLICATE_LABEL,
    RequestCode.INVALID_LABEL,
    RequestCode.INVALID_VALUE,
}


def suggested(snapshot: Snapshot, request: ParsedRequest) -> tuple[Suggestion, ...] | None:
    """None when the request fits, or is no request."""
    decision = simulate(snapshot, request)
    refusal = decision.explanation.refusal
    if refusal is None or refusal.code in TEXTUAL:
        return None
    return suggest(snapshot, request, decision.explanation)


WELL_FORMED = [
    pytest.param(found, case, id=f"{path.stem}:{case.name}")
    for path in sorted(ACCEPTANCE.rglob("*.yaml"))
    for found in [load(path)]
    for case in found.cases
    if case.batch is None and suggested(found.snapshot, case.request) is not None
]


@pytest.mark.parametrize(("found", "case"), WELL_FORMED)
def test_a_refused_request_gets_a_suggestion_or_there_is_a_reason(found: WorldDocument, case: Case) -> None:
    assert bool(suggested(found.snapshot, case.request)) is (case.name not in NOTHING)


def test_every_reason_is_of_a_case() -> None:
    assert set(NOTHING) <= {each.values[1].name for each in WELL_FORMED}  # type: ignore[union-attr]


def turned(snapshot: Snapshot, random: Any) -> Snapshot:
    """The same world, everything in another order."""

    def shuffled(some: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(random.sample(some, len(some)))

    def node(each: Node) -> Node:
        return replace(each, interfaces=shuffled(each.interfaces))

    def host(each: Host) -> Host:
        pools, networks = shuffled(each.storage_pools), shuffled(each.libvirt_networks)
        return replace(each, storage_pools=pools, libvirt_networks=networks)

    return Snapshot(
        shuffled(snapshot.fabrics),
        shuffled(snapshot.vlans),
        shuffled(snapshot.spaces),
        shuffled(snapshot.subnets),
        shuffled(snapshot.ranges),
        shuffled(snapshot.held),
        shuffled(tuple(map(node, snapshot.nodes))),
        shuffled(tuple(HostState(host(each.host), shuffled(each.machines)) for each in snapshot.hosts)),
    )


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn_worlds(), drawn_requests(), st.randoms(use_true_random=False))
def test_no_order_means_anything(document: dict[str, Any], request: dict[str, Any], random: Any) -> None:
    snapshot, wanted = read_world(document).snapshot, read_request(Section(request, ()))
    found = suggested(snapshot, wanted)
    assume(found is not None)
    assert suggested(turned(snapshot, random), wanted) == found


WORLD = world("""
world: 1
fabrics:
  - name: f
    vlans: [{vid: 0, space: mgmt, dhcp: true}, {vid: 20, space: dmz, dhcp: true}, {vid: 30, space: lab}]
  - {name: g, vlans: [{vid: 0, space: far, dhcp: true}]}
subnets:
  - {cidr: 10.0.0.0/24, vlan: f/0, name: office}
  - {cidr: 10.0.20.0/30, vlan: f/20, used: [10.0.20.2], gateway: 10.0.20.1}
nodes: [{name: twin, interfaces: [{name: eth0, vlan: f/0, addresses: [192.0.2.3]}]}]
hosts:
  - name: kvm1
    address: qemu+ssh://u@192.0.2.1/system
    cores: 4
    memory_mib: 8192
    interfaces:
      - {name: eth0, type: physical}
      - {name: br0, type: bridge, parents: [eth0], vlan: f/0}
      - {name: eth1, type: physical, vlan: f/0, tags: [dark], enabled: false}
      - {name: eth2, type: physical, vlan: f/0, tags: [down], link: false}
      - {name: eth3, type: physical, vlan: f/20, tags: [dmz]}
      - {name: eth4, type: physical, tags: [spare]}
    libvirt_networks:
      - {name: own, active: false, bridge: br0, dhcp: false, forward: bridge}
      - {name: chatty, active: true, bridge: br0, dhcp: true}
    storage_pools: [{name: default, total_gb: 20, default: true}, {name: big, total_gb: 200}]
  - {name: kvm2, address: qemu+ssh://u@192.0.2.2/system, reachable: false, architectures: [arm64],
     interfaces: [{name: br0, type: bridge, vlan: f/0}]}
  - {name: kvm3, address: qemu+ssh://u@192.0.2.3/system, interfaces: [{name: br0, type: bridge, vlan: f/0}]}
""").snapshot


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"interfaces": "eth0:tag=dark"}, "enable-interface:kvm1/eth1"),
        ({"interfaces": "eth0:tag=down"}, "link-up:kvm1/eth2"),
        ({"interfaces": "eth0:space=mgmt,tag=spare"}, "move-interface:kvm1/eth4=f/0"),
        ({"interfaces": "eth0:space=far"}, "move-interface:kvm1/eth4=g/0"),
        ({"interfaces": "eth0:name=eth0"}, "change-request:interfaces=eth0:name=br0"),
        ({"interfaces": "eth0:attach=network,network=own"}, "start-network:kvm1/own"),
        ({"interfaces": "eth0:attach=network,network=chatty"}, "libvirt-dhcp-off:kvm1/chatty"),
        ({"interfaces": "eth0:attach=network,network=chaty"}, None),
        ({"interfaces": "eth0:network=chatty"}, None),
        ({"interfaces": "eth0:vid=20,tag=dmz"}, "free-address:10.0.20.0/30=10.0.20.2"),
        ({"interfaces": "eth0:tag=dmz,ip=10.0.20.2"}, "free-address:10.0.20.0/30=10.0.20.2"),
        ({"interfaces": "eth0:ip=10.0.0.255"}, "change-request:interfaces=eth0:ip=10.0.0.1"),
        ({"interfaces": "eth0:subnet=ofice"}, "change-request:interfaces=eth0:subnet=office"),
        ({"interfaces": "eth0:subnet=10.0.0.0/25"}, "change-request:interfaces=eth0:subnet=10.0.0.0/24"),
        ({"interfaces": "eth0:subnet=space:mgnt"}, "change-request:interfaces=eth0:subnet=space:mgmt"),
        ({"storage": "root:30"}, "grow-pool:kvm1/default=10000000000"),
        ({"storage": "root:8(ssd)"}, "change-request:storage=root:8(big)"),
        ({"cores": 5}, "raise-cpu-ratio:kvm1=1.25"),
        ({"memory_mib": 8193}, "raise-memory-ratio:kvm1=1.05"),
        ({"host": "kvm2"}, "reach-host:kvm2"),
        ({"host": "kvm3"}, "choose-node:kvm3=host-kvm3"),
        ({"host": "kvm"}, "change-request:host=kvm1"),
        ({"architecture": "arm64"}, "change-request:architecture=amd64"),
    ],
)
def test_each_code_has_its_remedy(fields: dict[str, Any], expected: str | None) -> None:
    request = a_request(**{"host": "kvm1", "memory_mib": 1024} | fields)
    found = suggested(WORLD, request)
    assert found is not None
    texts = [[format_change(change) for change in each.changes] for each in found]
    assert ([expected] in texts) if expected else all(len(each) > 1 for each in texts), texts


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn_worlds(), drawn_requests(), st.integers(1, 12))
def test_what_is_told_when_few_decisions_may_be_tried_is_as_good(
    document: dict[str, Any], request: dict[str, Any], tries: int
) -> None:
    snapshot, wanted = read_world(document).snapshot, read_request(Section(request, ()))
    with patch.object(suggesting, "TRIES", tries):
        found = suggested(snapshot, wanted)
    for each in found or ():
        assert fits(snapshot, wanted, each.changes)
        for size in range(1, len(each.changes)):
            assert not any(fits(snapshot, wanted, some) for some in combinations(each.changes, size))


def fits(snapshot: Snapshot, request: ParsedRequest, changes: tuple[HypotheticalChange, ...]) -> bool:
    try:
        for change in changes:
            snapshot, request = apply(snapshot, change), apply_to_request(request, change)
    except InvalidValue:
        return False
    return simulate(snapshot, request).plan is not None


def many_hosts() -> Snapshot:
    """Thirty without the VLAN or a NIC for it, one that is full, and one with a VLAN that no DHCP serves."""
    bare = [f"{{name: kvm{n}, address: 'qemu+ssh://u@192.0.2.{n}/system'}}" for n in range(1, 31)]
    nic = "interfaces: [{name: eth0, type: physical, vlan: %s}]"
    full = "{name: full, address: 'qemu+ssh://u@192.0.2.40/system', memory_mib: 2048, " + nic % "f/20" + "}"
    dark = "{name: dark, address: 'qemu+ssh://u@192.0.2.41/system', " + nic % "f/30" + "}"
    vlans = "[{vid: 20, space: dmz, dhcp: true}, {vid: 30, space: dmz}]"
    hosts = ", ".join((*bare, full, dark))
    return world(f"{{world: 1, fabrics: [{{name: f, vlans: {vlans}}}], hosts: [{hosts}]}}").snapshot


def test_of_many_hosts_those_are_looked_at_that_were_refused_for_different_reasons() -> None:
    snapshot, request = many_hosts(), a_request(interfaces="eth0:space=dmz", memory_mib=4096)
    found = suggested(snapshot, request)
    assert found is not None
    told = {(each.host, *map(format_change, each.changes)) for each in found}
    assert {("full", "raise-memory-ratio:full=2"), ("dark", "serve-vlan:f/30")} <= told
    assert all(fits(snapshot, request, each.changes) for each in found)


def test_what_would_do_on_another_host_by_itself_is_no_part_of_a_suggestion() -> None:
    request = a_request(interfaces="eth0:space=dmz,vid=30", memory_mib=4096)
    found = suggested(many_hosts(), request)
    assert found is not None
    assert [tuple(map(format_change, each.changes)) for each in found if each.host != "dark"] == []


def test_suggestions_are_kept_with_the_explanation() -> None:
    request = a_request(host="kvm1", cores=5)
    told = advised(WORLD, request, simulate(WORLD, request)).explanation
    kept = from_json(json.loads(json.dumps(to_json(told))), Explanation)
    assert kept == told
    assert [each.was for each in kept.suggestions[0].changes] == ["1"]


def test_a_command_can_be_typed_whatever_the_names() -> None:
    change = HypotheticalChange(ChangeKind.SERVE_VLAN, "my lab; reboot/20")
    assert render_suggestion(Suggestion((change,), "kvm1")).endswith(
        "`hostloom vlan dhcp on 'my lab; reboot/20'`"
    )


def test_a_nic_without_a_vlan_is_named_with_the_command() -> None:
    """The first suggestion for a request that a NIC would meet if its VLAN were known."""
    found = load(ACCEPTANCE / "own/nic-without-a-vlan.yaml")
    first, *_ = suggested(found.snapshot, found.cases[0].request) or ()
    assert render_suggestion(first) == (
        "it would fit on kvm2 if eth1 of kvm2, whose VLAN is unknown, were on VLAN physical/20: "
        "`hostloom node interface update kvm2 eth1 --vlan physical/20`"
    )
