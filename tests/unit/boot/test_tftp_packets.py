"""TFTP block by block: what is asked, what is sent, what is sent again; no sockets."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostloom.boot.tftp_packets import (
    MAX_BLOCK,
    ErrorCode,
    ReadRequest,
    RefusedRequest,
    Transfer,
    parse_request,
)


def read(name: str = "x", mode: str = "octet", **options: str) -> bytes:
    words = [name, mode, *(word for pair in options.items() for word in pair)]
    return b"\0\1" + b"".join(word.encode() + b"\0" for word in words)


def ack(number: int) -> bytes:
    return struct.pack("!HH", 4, number & 0xFFFF)


def fetch(transfer: Transfer) -> bytes:
    """As a client that gets everything at once."""
    content, number = b"", 0
    if transfer.packet[:2] == b"\0\6":
        assert transfer.take(ack(0))
    while True:
        number += 1
        kind, block = struct.unpack_from("!HH", transfer.packet)
        assert (kind, block) == (3, number & 0xFFFF)
        content += transfer.packet[4:]
        last = len(transfer.packet) < 4 + transfer.block_size
        assert transfer.take(ack(number)) is not last
        if last:
            assert transfer.is_over
            return content


@given(st.binary(max_size=4000), st.one_of(st.none(), st.integers(8, 2000)))
def test_a_file_comes_whole_in_whatever_blocks(content: bytes, block: int | None) -> None:
    options = {} if block is None else {"blksize": str(block)}
    assert fetch(Transfer(content, ReadRequest("x", options))) == content


@pytest.mark.parametrize("length", [0, 511, 512, 513, 1024])
def test_the_last_block_is_short(length: int) -> None:
    assert fetch(Transfer(bytes(length), ReadRequest("x", {}))) == bytes(length)


def test_block_numbers_begin_again_in_a_long_file() -> None:
    content = bytes(8 * 70_000)
    assert fetch(Transfer(content, ReadRequest("x", {"blksize": "8"}))) == content


def test_options_are_taken_as_far_as_we_go() -> None:
    asked = {"blksize": "65464", "tsize": "0", "timeout": "3", "windowsize": "16"}
    transfer = Transfer(b"abc", ReadRequest("x", asked))
    assert transfer.packet == f"\0\6blksize\0{MAX_BLOCK}\0tsize\x003\0timeout\x003\0".encode()
    assert transfer.timeout_s == 3


@pytest.mark.parametrize(
    "options",
    [{}, {"blksize": "7"}, {"blksize": "many"}, {"timeout": "0"}, {"timeout": "255"}, {"tsize": "-1"}],
)
def test_without_an_option_that_we_take_the_file_begins_at_once(options: dict[str, str]) -> None:
    assert Transfer(b"abc", ReadRequest("x", options)).packet == b"\0\3\0\1abc"


def test_an_acknowledgement_that_comes_twice_is_answered_once() -> None:
    transfer = Transfer(bytes(2000), ReadRequest("x", {}))
    assert transfer.take(ack(1))
    second = transfer.packet
    assert not transfer.take(ack(1))
    assert not transfer.take(ack(7))
    assert transfer.packet == second


def test_an_error_of_the_client_ends_it() -> None:
    transfer = Transfer(bytes(2000), ReadRequest("x", {"tsize": "0"}))
    assert not transfer.take(b"\0\5\0\0enough\0")
    assert transfer.is_over


def test_what_is_asked() -> None:
    assert parse_request(read("snponly.efi", "OCTET", BLKSIZE="1468")) == ReadRequest(
        "snponly.efi", {"blksize": "1468"}
    )


@pytest.mark.parametrize("packet", [b"", b"\0", b"\0\3\0\1abc", b"\0\4\0\1", b"\0\5\0\1x\0", b"\xff" * 9])
def test_what_is_no_request_is_not_answered(packet: bytes) -> None:
    assert parse_request(packet) is None


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (b"\0\2x\0octet\0", ErrorCode.ACCESS),
        (read(mode="netascii"), ErrorCode.NOT_DEFINED),
        (b"\0\1", ErrorCode.ILLEGAL),
        (b"\0\1x", ErrorCode.ILLEGAL),
        (b"\0\1x\0", ErrorCode.ILLEGAL),
        (b"\0\1x\0octet", ErrorCode.ILLEGAL),
        (b"\0\1x\0octet\0blksize\0", ErrorCode.ILLEGAL),
        (read("\u00e9"), ErrorCode.ILLEGAL),
        (read("x" * 600), ErrorCode.ILLEGAL),
    ],
)
def test_a_request_that_cannot_be_is_refused(packet: bytes, code: ErrorCode) -> None:
    with pytest.raises(RefusedRequest) as refused:
        parse_request(packet)
    assert refused.value.packet[:4] == struct.pack("!HH", 5, code)


@given(st.binary(max_size=600))
def test_no_packet_breaks_the_reader(packet: bytes) -> None:
    try:
        request = parse_request(packet)
    except RefusedRequest:
        return
    if request is not None:
        Transfer(b"abc", request).take(packet)
