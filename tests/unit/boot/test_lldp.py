"""What a switch says of its port, in frames as real ones send them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostloom.boot.lldp import parse_frame
from hostloom.model.commissioning import LldpNeighbour
from hostloom.model.errors.values import InvalidValue

HEAD = bytes.fromhex("0180c200000e525400aabbcc")
LLDP = b"\x88\xcc"
END = b"\0\0"


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!H", kind << 9 | len(value)) + value


CHASSIS = tlv(1, b"\x04" + bytes.fromhex("001122334455"))
PORT = tlv(2, b"\x05" + b"Ethernet1/7")
TTL = tlv(3, b"\0x")
NAME = tlv(5, b"leaf-3.example.net")
VID = tlv(127, b"\x00\x80\xc2\x01" + struct.pack("!H", 20))
OTHER = tlv(127, b"\x00\x12\x0f\x01\x03\x6c")


def frame(*parts: bytes, tag: bytes = b"", kind: bytes = LLDP) -> str:
    return (HEAD + tag + kind + b"".join(parts)).hex()


WHOLE = LldpNeighbour("00:11:22:33:44:55", "Ethernet1/7", "leaf-3.example.net", 20)


def test_a_switch_that_says_everything() -> None:
    assert parse_frame(frame(CHASSIS, PORT, TTL, NAME, OTHER, VID, END)) == WHOLE


def test_a_frame_with_a_tag_and_without_an_end() -> None:
    tagged = frame(CHASSIS, PORT, TTL, NAME, VID, tag=b"\x81\x00\x00\x05")
    assert parse_frame(tagged) == WHOLE


def test_what_comes_after_the_end_is_padding() -> None:
    assert parse_frame(frame(CHASSIS, PORT, TTL, END, NAME)) == LldpNeighbour(
        "00:11:22:33:44:55", "Ethernet1/7"
    )


@pytest.mark.parametrize(
    ("value", "port"),
    [
        (b"\x03" + bytes.fromhex("00aabbccddee"), "00:aa:bb:cc:dd:ee"),
        (b"\x04\x01" + bytes([10, 0, 0, 1]), "10.0.0.1"),
        (b"\x04\x02" + bytes(15) + b"\x01", "::1"),
        (b"\x07" + b"49", "49"),
        (b"\x05" + b"ge-0/0/1\0", "ge-0/0/1"),
        (b"\x06" + b"\x01\xff\x02", "01ff02"),
    ],
)
def test_a_port_by_whatever_it_calls_itself(value: bytes, port: str) -> None:
    assert parse_frame(frame(CHASSIS, tlv(2, value), TTL, END)).port == port


@pytest.mark.parametrize(("vid", "found"), [(0, None), (1, 1), (4094, 4094), (4095, None)])
def test_a_port_may_have_no_vlan(vid: int, found: int | None) -> None:
    said = tlv(127, b"\x00\x80\xc2\x01" + struct.pack("!H", vid))
    assert parse_frame(frame(CHASSIS, PORT, said, END)).vid == found


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "00",
        frame(CHASSIS, PORT, kind=b"\x08\x00"),
        frame(CHASSIS, TTL, END),
        frame(PORT, TTL, END),
        frame(CHASSIS, tlv(2, b"\x05"), END),
        frame(CHASSIS, PORT)[:-4],
        HEAD.hex() + "8100",
    ],
)
def test_what_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is not an LLDP frame"):
        parse_frame(text)


TEXT = st.text(st.characters(codec="ascii", exclude_categories=("C",)), min_size=1, max_size=60)


@given(TEXT, TEXT, st.one_of(st.none(), st.integers(1, 4094)))
def test_what_was_said_is_what_is_read(port: str, name: str, vid: int | None) -> None:
    parts = [CHASSIS, tlv(2, b"\x05" + port.encode()), TTL, tlv(5, name.encode())]
    if vid is not None:
        parts.append(tlv(127, b"\x00\x80\xc2\x01" + struct.pack("!H", vid)))
    found = parse_frame(frame(*parts, END))
    assert found == LldpNeighbour("00:11:22:33:44:55", port, name, vid)


@given(st.binary(max_size=200))
def test_no_frame_breaks_the_reader(payload: bytes) -> None:
    try:
        found = parse_frame(frame(payload))
    except InvalidValue:
        return
    assert found.chassis and found.port
    assert all(each.isprintable() for each in (found.chassis, found.port, found.system_name))
