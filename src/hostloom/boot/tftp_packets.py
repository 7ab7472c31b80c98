"""TFTP (RFC 1350) with options (RFC 2347, 2348, 2349): packets and single transfers, without sockets."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

DEFAULT_BLOCK = 512
#: Block size limit that fits an Ethernet frame, over IPv6 too: firmware reassembles fragments badly.
MAX_BLOCK = 1448
MIN_BLOCK = 8
MAX_TIMEOUT_S = 10
#: Limit of a request with a name and the known options.
MAX_REQUEST = 512


class Opcode(IntEnum):
    """Types of packets."""

    READ = 1
    WRITE = 2
    DATA = 3
    ACK = 4
    ERROR = 5
    OPTIONS_ACK = 6


class ErrorCode(IntEnum):
    """Error codes of refused requests."""

    NOT_DEFINED = 0
    NOT_FOUND = 1
    ACCESS = 2
    ILLEGAL = 4


class RefusedRequest(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def packet(self) -> bytes:
        """The error packet."""
        return struct.pack("!HH", Opcode.ERROR, self.code) + str(self).encode("ascii") + b"\0"


@dataclass(frozen=True)
class ReadRequest:
    """A read request."""

    name: str
    #: Options as sent, by name in lower case.
    options: Mapping[str, str]


def parse_request(packet: bytes) -> ReadRequest | None:
    """Parse a request; None for another packet, which gets no answer; RefusedRequest."""
    if len(packet) < 2 or struct.unpack_from("!H", packet)[0] not in (Opcode.READ, Opcode.WRITE):
        return None
    if struct.unpack_from("!H", packet)[0] == Opcode.WRITE:
        raise RefusedRequest(ErrorCode.ACCESS, "files are read here, not written")
    parts = packet[2:].split(b"\0")
    if len(packet) > MAX_REQUEST or len(parts) < 3 or parts[-1] or len(parts) % 2 == 0:
        raise RefusedRequest(ErrorCode.ILLEGAL, "not a request")
    try:
        name, mode, *option_fields = [part.decode("ascii") for part in parts[:-1]]
    except UnicodeDecodeError as error:
        raise RefusedRequest(ErrorCode.ILLEGAL, "not a request") from error
    if mode.lower() != "octet":
        raise RefusedRequest(ErrorCode.NOT_DEFINED, "only the mode octet is served")
    return ReadRequest(
        name, {key.lower(): value for key, value in zip(option_fields[::2], option_fields[1::2], strict=True)}
    )


def parse_ack(packet: bytes) -> int | None:
    """The number of an acknowledged block; None for any other packet."""
    if len(packet) < 4 or struct.unpack_from("!H", packet)[0] != Opcode.ACK:
        return None
    return int(struct.unpack_from("!H", packet, 2)[0])


def is_error(packet: bytes) -> bool:
    """Whether the client ends the transfer, as firmware does after it has requested only the size."""
    return len(packet) >= 2 and struct.unpack_from("!H", packet)[0] == Opcode.ERROR


@dataclass
class Transfer:
    """The transfer of one file, block by block; each acknowledgement triggers the next block."""

    content: bytes
    request: ReadRequest
    timeout_s: int = 1
    block_size: int = DEFAULT_BLOCK
    #: The last packet, for retransmissions.
    packet: bytes = b""
    is_over: bool = False
    #: Number of the last block, from 1; 0 for the options.
    _number: int = 0
    _accepted: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The first packet: the accepted options, or else the first block."""
        requested = {key: _number(value) for key, value in self.request.options.items()}
        if (block := requested.get("blksize")) is not None and block >= MIN_BLOCK:
            self._accepted["blksize"] = self.block_size = min(block, MAX_BLOCK)
        if requested.get("tsize") is not None:
            self._accepted["tsize"] = len(self.content)
        # Accept a value unchanged or not at all: a timeout of 255 s would keep a dead transfer too long.
        if (timeout := requested.get("timeout")) is not None and 1 <= timeout <= MAX_TIMEOUT_S:
            self._accepted["timeout"] = self.timeout_s = timeout
        if self._accepted:
            options = "".join(f"{key}\0{value}\0" for key, value in self._accepted.items())
            self.packet = struct.pack("!H", Opcode.OPTIONS_ACK) + options.encode("ascii")
        else:
            self._send(1)

    def take(self, packet: bytes) -> bool:
        """Process a packet; whether there is a new packet to send."""
        if is_error(packet):
            self.is_over = True
            return False
        # Ignore repeated acknowledgements of older blocks; otherwise every packet would be sent twice.
        if parse_ack(packet) != self._number & 0xFFFF:
            return False
        if self._number and self._is_last():
            self.is_over = True
            return False
        self._send(self._number + 1)
        return True

    def _send(self, number: int) -> None:
        start = (number - 1) * self.block_size
        head = struct.pack("!HH", Opcode.DATA, number & 0xFFFF)
        self._number, self.packet = number, head + self.content[start : start + self.block_size]

    def _is_last(self) -> bool:
        """Whether the block is the last one, which is shorter than the others or empty."""
        return self._number * self.block_size > len(self.content)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
