"""What a commissioning report must be: typed, bounded, and nothing that is not known."""

import json
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostloom.boot.commissioning_report import MAX_PARTS, parse_hardware
from hostloom.model.commissioning import (
    DhcpFacts,
    FoundDisk,
    FoundHardware,
    FoundNic,
    LldpNeighbour,
)
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress
from hostloom.serialization import to_json

FRAME = "0180c200000e525400aabbcc88cc0207040011223344550404057377370000"
NIC: dict[str, Any] = {
    "name": "eth0",
    "mac": "52-54-00-AA-00-01",
    "carrier": True,
    "link_speed": 1000,
    "driver": "virtio_net",
    "dhcp": {"ip": "10.0.0.9", "server": "10.0.0.2", "gateway": None, "lease_time_s": 600},
    "lldp": FRAME,
}
WHOLE: dict[str, Any] = {
    "cores": 2,
    "memory_mib": 1970,
    "architecture": "x86_64",
    "firmware": "uefi",
    "cpu_model": "QEMU TCG CPU version 2.5+",
    "uuid": "6e0b0a4e-0000-4000-8000-000000000001",
    "disks": [{"name": "vda", "size_bytes": 8_000_000_000, "serial": "root", "rotational": True}],
    "nics": [NIC],
    "uptime_s": 3,
}


def parse(**changes: Any) -> FoundHardware:
    return parse_hardware(json.dumps(WHOLE | changes).encode())


def nic(**changes: Any) -> FoundHardware:
    return parse(nics=[NIC | changes])


def test_a_whole_report() -> None:
    found = parse()
    dhcp = DhcpFacts(ip_address("10.0.0.9"), ip_address("10.0.0.2"), None, 600)
    mac = MacAddress("52:54:00:aa:00:01")
    neighbour = LldpNeighbour("00:11:22:33:44:55", "sw7")
    assert found.nics == (FoundNic("eth0", mac, True, 1000, "virtio_net", dhcp, neighbour),)
    assert found.disks == (FoundDisk("vda", 8_000_000_000, "", "root", True),)
    assert (found.architecture, found.firmware, found.uptime_s) == ("amd64", "uefi", 3.0)


@pytest.mark.parametrize("frame", ["", None])
def test_a_nic_may_have_seen_no_neighbour(frame: str | None) -> None:
    assert nic(lldp=frame).nics[0].neighbour is None
    without = {key: value for key, value in NIC.items() if key != "lldp"}
    assert parse(nics=[without]).nics[0].neighbour is None


@pytest.mark.parametrize(
    "changes",
    [
        {"colour": "red"},
        {"cores": "2"},
        {"cores": True},
        {"cores": 0},
        {"cores": -1},
        {"cores": 2.5},
        {"cores": None},
        {"memory_mib": 10**30},
        {"uptime_s": float("nan")},
        {"uptime_s": float("inf")},
        {"firmware": "coreboot"},
        {"cpu_model": ["x"]},
        {"cpu_model": "x" * 256},
        {"cpu_model": "a\nb"},
        {"nics": []},
        {"nics": {}},
        {"nics": ["eth0"]},
        {"nics": [NIC, NIC]},
        {"nics": [NIC, NIC | {"mac": "52:54:00:aa:00:02"}]},
        {"nics": [NIC] * (MAX_PARTS + 1)},
        {"disks": [{"name": "vda"}]},
        {"disks": [{"name": "vda", "size_bytes": "8"}]},
        {"disks": None},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        parse(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"mac": "eth0"},
        {"mac": 5},
        {"mac": None},
        {"carrier": 1},
        {"dhcp": {"ip": "10.0.0.999"}},
        {"dhcp": {"ip": "10.0.0.9", "domain": "x"}},
        {"dhcp": "10.0.0.9"},
        {"lldp": "zz"},
        {"lldp": 5},
        {"neighbour": {"chassis": "a", "port": "b"}},
        {"colour": "red"},
    ],
)
def test_a_nic_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        nic(**changes)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b"{}", b'"x"', b"[" * 100_000])
def test_what_is_no_report_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidValue):
        parse_hardware(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*WHOLE, "colour"]), JSON)
def test_no_value_breaks_the_reader(field: str, value: Any) -> None:
    try:
        found = parse(**{field: value})
    except InvalidValue:
        return
    assert parse_hardware(json.dumps(to_json(found)).encode()) == found
