"""TFTP on the wire (RFC 1350) with options (RFC 2347, 2348, 2349): packets and one transfer; no sockets."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

DEFAULT_BLOCK = 512
#: So that a packet with its headers fits an Ethernet frame, over IPv6 too: firmware reassembles badly.
MAX_BLOCK = 1448
MIN_BLOCK = 8
MAX_TIMEOUT_S = 10
#: Longer requests have more in them than a name and the options that we know.
MAX_REQUEST = 512


class Opcode(IntEnum):
    """What a packet is."""

    READ = 1
    WRITE = 2
    DATA = 3
    ACK = 4
    ERROR = 5
    OPTIONS_ACK = 6


class ErrorCode(IntEnum):
    """Why a request is refused."""

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
        """The answer."""
        return struct.pack("!HH", Opcode.ERROR, self.code) + str(self).encode("ascii") + b"\0"


@dataclass(frozen=True)
class ReadRequest:
    """A file is asked for."""

    name: str
    #: By name in lower case, as sent.
    options: Mapping[str, str]


def parse_request(packet: bytes) -> ReadRequest | None:
    """None for what is no request, and is not answered; RefusedRequest."""
    if len(packet) < 2 or struct.unpack_from("!H", packet)[0] not in (Opcode.READ, Opcode.WRITE):
        return None
    if struct.unpack_from("!H", packet)[0] == Opcode.WRITE:
        raise RefusedRequest(ErrorCode.ACCESS, "files are read here, not written")
    words = packet[2:].split(b"\0")
    if len(packet) > MAX_REQUEST or len(words) < 3 or words[-1] or len(words) % 2 == 0:
        raise RefusedRequest(ErrorCode.ILLEGAL, "not a request")
    try:
        name, mode, *rest = [word.decode("ascii") for word in words[:-1]]
    except UnicodeDecodeError as error:
        raise RefusedRequest(ErrorCode.ILLEGAL, "not a request") from error
    if mode.lower() != "octet":
        raise RefusedRequest(ErrorCode.NOT_DEFINED, "only the mode octet is served")
    return ReadRequest(name, {key.lower(): value for key, value in zip(rest[::2], rest[1::2], strict=True)})


def parse_ack(packet: bytes) -> int | None:
    """The block that was received; None for anything else."""
    if len(packet) < 4 or struct.unpack_from("!H", packet)[0] != Opcode.ACK:
        return None
    return int(struct.unpack_from("!H", packet, 2)[0])


def is_error(packet: bytes) -> bool:
    """Whether the other side ends the transfer; firmware does after asking for the size alone."""
    return len(packet) >= 2 and struct.unpack_from("!H", packet)[0] == Opcode.ERROR


@dataclass
class Transfer:
    """One file on its way, block after block, each sent once the last one is acknowledged."""

    content: bytes
    request: ReadRequest
    timeout_s: int = 1
    block_size: int = DEFAULT_BLOCK
    #: What was sent last, to be sent again.
    packet: bytes = b""
    is_over: bool = False
    #: Of the block that was sent last, from 1; 0: the options.
    _number: int = 0
    _accepted: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The first packet: what we take of the options that were asked for, else the first block."""
        asked = {key: _number(value) for key, value in self.request.options.items()}
        if (block := asked.get("blksize")) is not None and block >= MIN_BLOCK:
            self._accepted["blksize"] = self.block_size = min(block, MAX_BLOCK)
        if asked.get("tsize") is not None:
            self._accepted["tsize"] = len(self.content)
        # Accepted as asked or not at all: 255 s between two tries would keep a dead transfer for long.
        if (timeout := asked.get("timeout")) is not None and 1 <= timeout <= MAX_TIMEOUT_S:
            self._accepted["timeout"] = self.timeout_s = timeout
        if self._accepted:
            words = "".join(f"{key}\0{value}\0" for key, value in self._accepted.items())
            self.packet = struct.pack("!H", Opcode.OPTIONS_ACK) + words.encode("ascii")
        else:
            self._send(1)

    def take(self, packet: bytes) -> bool:
        """What the other side sent; whether there is something new to send."""
        if is_error(packet):
            self.is_over = True
            return False
        # An older block's second acknowledgement is not answered, or each packet would be sent twice.
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
        """The last one is shorter than the others; it may be empty."""
        return self._number * self.block_size > len(self.content)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
