"""What cannot be read of a scan is named, and takes nothing else away."""

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.hostscan import commands
from hostloom.hostscan.commands import SCRIPT
from hostloom.hostscan.normalize import MAX_LINKS
from hostloom.hostscan.parse import parse
from hostloom.model.errors.outside import HostUnreadable
from hostloom.model.ids import MacAddress
from hostloom.model.observed import ObservedNetwork
from support.depth import examples
from support.recorded_hosts import HOSTS, printed, recorded_parts

NIC = {
    "ifindex": 2,
    "ifname": "eth0",
    "link_type": "ether",
    "flags": ["UP", "LOWER_UP"],
    "address": "52:54:00:00:00:01",
    "mtu": 1500,
    "addr_info": [{"local": "10.0.0.1", "prefixlen": 24}],
}


def read(addr: str, **parts: str) -> ObservedNetwork:
    return parse(printed({"hostname": "h", "ip": "/sbin/ip", "addr": addr} | parts | {"end": ""}), "h")


def text_of(*links: dict[str, Any]) -> str:
    return json.dumps([*links])


def parts_of(network: ObservedNetwork) -> list[str]:
    return [finding.part for finding in network.findings]


@pytest.mark.parametrize(
    ("bad", "part"),
    [
        # iproute2 5.9 with an ERSPAN tunnel.
        (
            '{"ifindex":7,"ifname":"tun10","linkinfo":{"info_data":{"erspan_dir":,"x":"0x0"}}}',
            "link tun10",
        ),
        ('{"ifindex":7,"ifname":"can0","linkinfo":{"info_data":{"state"}}}', "link can0"),
        ('{"ifindex":7,"ifname":"x","mtu":1500', "link x"),
        ('{"ifindex":7,"ifname":"x","mtu":' + "9" * 5000 + "}", "link x"),
        ('{"ifindex":7,"ifname":"x","linkinfo":' + '{"a":' * 3000 + "}" * 3000 + "}", "link x"),
        ('{"ifindex":7,"ifname":"eth0\\u001b[31m"}', r"link eth0\x1b[31m"),
        ('{"ifindex":7,"ifname":"much-too-long-a-name"}', "link much-too-long-a-name"),
        ('{"ifindex":7,"ifname":"\\ud800"}', r"link \ud800"),
        ('{"ifindex":7,"ifname":5}', "link 5"),
        ('{"ifindex":7,"ifname":["x"]}', "link ['x']"),
        ("17", "links"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_link_that_cannot_be_read_is_named_and_the_others_are_read(
    bad: str, part: str, first: bool
) -> None:
    nic = json.dumps(NIC)
    seen = read(f"[{bad},{nic}]" if first else f"[{nic},{bad}]")
    assert [link.name for link in seen.links] == ["eth0"]
    assert str(seen.links[0].addresses[0]) == "10.0.0.1/24"
    assert parts_of(seen) == [part]
    assert all(str(finding).isprintable() for finding in seen.findings)


@pytest.mark.parametrize(
    "changed",
    [
        {"mtu": "big"},
        {"mtu": -1},
        {"mtu": 10**30},
        {"flags": 5},
        {"flags": [1]},
        {"linkinfo": "bridge"},
        {"linkinfo": {"info_kind": 5}},
        {"linkinfo": {"info_data": []}},
        {"addr_info": {"local": 1}},
        {"addr_info": [{"local": "10.0.0.999", "prefixlen": 24}]},
        {"addr_info": [{"local": "10.0.0.1", "prefixlen": 99}]},
        {"addr_info": [{"local": "10.0.0.1"}]},
        {"addr_info": [5]},
        {"master": 7},
        {"link": ["eth1"]},
        {"address": 12},
        {"permaddr": {}},
        {"link_type": None},
        {"linkinfo": {"info_kind": "vlan", "info_data": {"id": "none"}}},
    ],
    ids=str,
)
def test_a_field_of_another_type_is_left_out_and_named(changed: dict[str, Any]) -> None:
    seen = read(text_of(NIC | {"ifname": "eth1"}, NIC | changed))
    assert seen.links[0].name == "eth1"
    assert parts_of(seen) == ["link eth0"]


def test_links_that_were_not_read_are_listed() -> None:
    seen = read(f'[{json.dumps(NIC)},{{"ifindex":7,"ifname":"tun10","x":}}]')
    assert seen.unread == ("tun10",)
    assert read(text_of(NIC | {"mtu": "big"})).unread == ()


@pytest.mark.parametrize(
    ("route", "part"),
    [
        ('{"dst":"10.1.0.0/99","dev":"eth0"}', "route 10.1.0.0/99"),
        ('{"dst":"10.1.0.0/16","metrics":[{"mtu"}]}', "route 10.1.0.0/16"),
        ('{"dst":"10.1.0.0/16","nexthops":5}', "route 10.1.0.0/16"),
        ('{"dst":"10.1.0.0/16","dev":"a b"}', "route 10.1.0.0/16"),
        ('{"dst":"10.1.0.0/16","dev":"a","gateway":"me"}', "route 10.1.0.0/16"),
        ('{"dst":["10.1.0.0/16"],"dev":"a"}', "route ['10.1.0.0/16']"),
        ("{}", "route "),
        ("7", "IPv4 routes"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_route_that_cannot_be_read_is_named(route: str, part: str, first: bool) -> None:
    default = '{"dst":"default","gateway":"10.0.0.254","dev":"eth0"}'
    seen = read(text_of(NIC), route4=f"[{route},{default}]" if first else f"[{default},{route}]")
    assert [(each.destination, each.gateway) for each in seen.routes] == [(None, "10.0.0.254")]
    assert parts_of(seen) == [part]


@pytest.mark.parametrize("word", ["blackhole", "unreachable", "prohibit"])
def test_routes_that_lead_nowhere_as_old_versions_print_them_are_no_trouble(word: str) -> None:
    routes = f'[{{"dst":"default","gateway":"10.0.0.254","dev":"eth0"}},{{"{word}","dst":"10.1.0.0/16"}}]'
    seen = read(text_of(NIC), route4=routes)
    assert len(seen.routes) == 1
    assert seen.findings == ()


def test_no_json_at_all_says_so() -> None:
    with pytest.raises(HostUnreadable, match=r"links of host 'h' cannot be read.*JSON") as caught:
        read('Object "addr" is unknown')
    assert "refused" not in str(caught.value)
    assert parts_of(read(text_of(NIC), route4="nothing", route6="[[")) == ["IPv4 routes", "IPv6 routes"]


def test_open_vswitch_that_cannot_be_read_is_named() -> None:
    ovs = NIC | {"ifname": "br-ex", "linkinfo": {"info_kind": "openvswitch"}}
    assert parts_of(read(text_of(NIC, ovs))) == ["Open vSwitch"]
    tables = {
        f"ovs-{table}": '{"headings":["name"],"data":[[1,2]]}' for table in ("bridge", "port", "interface")
    }
    assert parts_of(read(text_of(NIC), **tables)) == ["Open vSwitch"]
    assert parts_of(read(text_of(NIC))) == []


def test_members_of_bonds_keep_their_own_mac_also_as_old_versions_tell_it() -> None:
    def member(own: object) -> dict[str, Any]:
        info = {"info_slave_kind": "bond", "info_slave_data": {"perm_hwaddr": own}}
        return NIC | {"master": "bond0", "linkinfo": info}

    def mac(*links: dict[str, Any]) -> MacAddress | None:
        return read(text_of(*links)).links[0].mac

    assert mac(member("52:54:00:00:00:02")) == MacAddress("52:54:00:00:00:02")
    assert mac(member("52:54:00:00:00:02") | {"permaddr": "52:54:00:00:00:03"}) == MacAddress(
        "52:54:00:00:00:03"
    )
    for odd in ("", "none", 5, None, "00:00:00:00:00:00"):
        assert mac(member(odd)) == MacAddress("52:54:00:00:00:01")


def test_more_links_than_a_host_has_are_left_out() -> None:
    links = [NIC] + [NIC | {"ifname": f"v{number}"} for number in range(MAX_LINKS)]
    seen = read(text_of(*links))
    assert len(seen.links) == MAX_LINKS
    assert seen.links[0].name == "eth0"
    assert parts_of(seen) == ["links"]


def test_a_part_that_hangs_or_prints_without_end_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = SCRIPT.replace("uname -n", "yes").replace("'ip -j -6 route show'", "'sleep 60'")
    script = script.replace(f"timeout {commands.PART_S}", "timeout 0.3")
    script = script.replace(f"head -c {commands.PART_BYTES}", "head -c 100000")
    monkeypatch.setattr(commands, "PART_BYTES", 100000)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=20)
    seen = parse(done.stdout, "h")
    assert "lo" in [link.name for link in seen.links]
    assert parts_of(seen) == ["the scan's part hostname", "hostname"]
    assert len(done.stdout) < 1_000_000


# -- whatever a host prints ------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path, *(place for key in keys for place in places_in(value[key], (*path, key)))]


@settings(max_examples=examples(150), deadline=None)
@given(data=st.data(), host=st.sampled_from(HOSTS))
def test_a_link_with_any_value_in_any_place_takes_no_other_away(data: st.DataObject, host: str) -> None:
    parts = recorded_parts(host)
    links = json.loads(parts["addr"])
    link = data.draw(st.integers(0, len(links) - 1))
    *before, last = data.draw(st.sampled_from(places_in(links[link])[1:]))
    table = links[link]
    for key in before:
        table = table[key]
    table[last] = data.draw(VALUES)
    seen = parse(printed(parts | {"addr": json.dumps(links)}), host)
    names = {each["ifname"] for number, each in enumerate(links) if number != link and "ifname" in each}
    assert names <= {each.name for each in seen.links}
    assert all(str(finding).isprintable() for finding in seen.findings)


@settings(max_examples=examples(150), deadline=None)
@given(
    data=st.data(),
    host=st.sampled_from(HOSTS),
    part=st.sampled_from(["addr", "route4", "route6", "ovs-bridge", "ovs-port", "ovs-interface", "speed"]),
    noise=st.text(max_size=12),
)
def test_noise_anywhere_never_raises_but_by_name(
    data: st.DataObject, host: str, part: str, noise: str
) -> None:
    parts = recorded_parts(host)
    text = parts[part]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    parts[part] = text[:start] + noise + text[end:]
    seen = parse(printed(parts), host)
    if part == "addr":
        whole = [each["ifname"] for each in json.loads(text) if "ifname" in each]
        assert len({each.name for each in seen.links} & set(whole)) >= len(whole) - 3
    else:
        assert [each.name for each in seen.links] == [each["ifname"] for each in json.loads(parts["addr"])]


@settings(max_examples=examples(100), deadline=None)
@given(text=st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode(errors="replace")))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    try:
        parse(text, "h")
        raise AssertionError("there are no links in it")
    except HostUnreadable:
        pass
