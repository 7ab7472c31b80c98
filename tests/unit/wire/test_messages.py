"""DHCP messages out of frames, and nothing out of anything else."""

import struct
from ipaddress import IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from hostloom.model.dhcp_exchange import DhcpMessage, MessageKind
from hostloom.model.ids import MacAddress
from hostloom.wire.dhcp_messages import parse

CLIENT, SERVER = bytes.fromhex("525400000001"), bytes.fromhex("02484c000001")


def frame4(
    kind: int, options: bytes = b"", *, ip: bytes = bytes(4), tagged: bool = False, fragment: int = 0
) -> bytes:
    bootp = struct.pack("!BBBBIHH", 1, 1, 6, 0, 0xABCD, 0, 0) + bytes(4) + ip + bytes(8) + CLIENT + bytes(202)
    body = bootp + b"\x63\x82\x53\x63" + bytes((53, 1, kind)) + options + b"\xff"
    udp = struct.pack("!HHHH", 68, 67, 8 + len(body), 0) + body
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, fragment, 64, 17, 0, bytes(4), b"\xff" * 4)
    tag = struct.pack("!HH", 0x8100, 20) if tagged else b""
    return b"\xff" * 6 + CLIENT + tag + struct.pack("!H", 0x0800) + head + udp


def frame6(body: bytes, source: str = "fe80::1") -> bytes:
    udp = struct.pack("!HHHH", 547, 546, 8 + len(body), 0) + body
    addresses = IPv6Address(source).packed + IPv6Address("fe80::2").packed
    head = struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + addresses
    return CLIENT + SERVER + struct.pack("!H", 0x86DD) + head + udp


def option6(code: int, content: bytes) -> bytes:
    return struct.pack("!HH", code, len(content)) + content


def read(frame: bytes) -> DhcpMessage:
    found = parse(frame, 7.0, "eth0")
    assert found is not None
    return found


def test_a_discover_of_ipxe_also_behind_a_tag() -> None:
    for tagged in (False, True):
        found = read(frame4(1, bytes((50, 4, 10, 0, 0, 9)) + b"\x4d\x04iPXE", tagged=tagged))
        assert (found.kind, found.mac, found.ip) == (
            MessageKind.DISCOVER,
            MacAddress("52:54:00:00:00:01"),
            ip_address("10.0.0.9"),
        )
        assert (found.vendor, found.transaction, found.at, found.interface) == ("iPXE", 0xABCD, 7.0, "eth0")


def test_an_answer_has_address_server_and_words() -> None:
    found = read(frame4(6, bytes((54, 4, 10, 0, 0, 2)) + b"\x38\x02no", ip=bytes((10, 0, 0, 9))))
    assert (found.kind, found.ip, found.server, found.message) == (
        MessageKind.NAK,
        ip_address("10.0.0.9"),
        ip_address("10.0.0.2"),
        "no",
    )


def test_a_reply_of_dhcpv6_also_through_a_relay() -> None:
    address = option6(5, IPv6Address("fd00::9").packed + bytes(8))
    duid = option6(1, b"\0\3\0\1" + CLIENT)
    reply = b"\x07\0\0\x05" + duid + option6(3, bytes(12) + address)
    relayed = b"\x0d\0" + bytes(16) + IPv6Address("fe80::5054:ff:fe00:1").packed + option6(9, reply)
    for body in (reply, relayed):
        found = read(frame6(body))
        assert (found.kind, found.ip, found.transaction) == (MessageKind.REPLY, ip_address("fd00::9"), 5)
        assert found.mac == MacAddress("52:54:00:00:00:01")
        assert found.server == ip_address("fe80::1")


def test_a_client_whose_duid_has_no_mac_is_known_by_its_frame() -> None:
    uuid = option6(1, b"\0\4" + bytes(16))
    found = read(frame6(b"\x07\0\0\x05" + uuid))
    assert found.mac == MacAddress("52:54:00:00:00:01")
    relayed = b"\x0c\0" + bytes(16) + IPv6Address("fe80::5054:ff:fe00:7").packed
    assert read(frame6(relayed + option6(9, b"\x01\0\0\x05" + uuid))).mac == MacAddress("52:54:00:00:00:07")


def test_what_is_no_dhcp_is_nothing() -> None:
    assert parse(frame4(99), 0, "eth0") is None
    assert parse(frame4(1, fragment=4), 0, "eth0") is None
    assert parse(b"", 0, "eth0") is None


def test_a_relays_message_with_nothing_in_it_is_nothing() -> None:
    assert parse(frame6(b"\x0c\0" + bytes(32)), 0, "eth0") is None
    assert parse(frame6(b"\x0d\0" + bytes(32) + option6(18, b"port1")), 0, "eth0") is None


HEADS = (
    b"",
    frame4(1)[:60],
    frame4(1)[:290],
    frame6(b""),
    frame6(b"\x0c\0" + bytes(32)),
    frame6(b"\x01\0\0\x05"),
)


@given(st.binary(max_size=400), st.sampled_from(HEADS))
def test_no_bytes_break_it(tail: bytes, head: bytes) -> None:
    parse(head + tail, 0.0, "eth0")
