"""Observes DHCP messages on this machine's interfaces; sends nothing."""

import ctypes
import logging
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Sequence

from hostloom.model.dhcp_exchange import DhcpMessage
from hostloom.wire.dhcp_messages import parse

log = logging.getLogger(__name__)

ETH_P_ALL, SO_ATTACH_FILTER = 3, 26
LOOK_EVERY_S = 1.0
#: Limit of undrained messages; the oldest ones are dropped.
KEPT = 10_000
FRAME_BYTES = 2048
_ACCEPT, _REJECT = (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0)
#: Classic BPF: UDP to 67 or 68 over IPv4 (no later fragment), to 546 or 547 over IPv6; the kernel has removed
#: one 802.1Q tag before. (code, jump if true, jump if false, value)
_FILTER = (
    (0x28, 0, 0, 12),  # ether type
    (0x15, 0, 7, 0x0800),
    (0x30, 0, 0, 23),  # protocol
    (0x15, 0, 14, 17),
    (0x28, 0, 0, 20),  # fragment offset
    (0x45, 12, 0, 0x1FFF),
    (0xB1, 0, 0, 14),  # x = length of the IPv4 header
    (0x48, 0, 0, 16),  # destination port
    (0x05, 0, 0, 4),  # to the comparison
    (0x15, 0, 8, 0x86DD),
    (0x30, 0, 0, 20),  # next header
    (0x15, 0, 6, 17),
    (0x28, 0, 0, 56),  # destination port
    (0x15, 3, 0, 67),
    (0x15, 2, 0, 68),
    (0x15, 1, 0, 546),
    (0x15, 0, 1, 547),
    _ACCEPT,
    _REJECT,
)


class PacketSnooper:
    """Implements ports.DhcpSnooper; listens in its own thread from `start` to `stop`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: frozenset[str] = frozenset()
        self._seen: deque[DhcpMessage] = deque(maxlen=KEPT)
        self._open: dict[str, tuple[int, socket.socket]] = {}
        self._told: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dhcp-snooping", daemon=True)

    def start(self) -> None:
        """Start the thread; it listens on no interface before `watch`."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread."""
        self._stopping.set()
        self._thread.join(5)

    def watch(self, interfaces: Sequence[str]) -> None:
        """Watch exactly these interfaces from now on."""
        with self._lock:
            self._wanted = frozenset(interfaces)

    def drain(self) -> Sequence[DhcpMessage]:
        """Messages since the last call."""
        with self._lock:
            dhcp_messages = tuple(self._seen)
            self._seen.clear()
        return dhcp_messages

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._keep_up()
            if not self._open:
                self._stopping.wait(LOOK_EVERY_S)
                continue
            for key, _ in self._selector.select(LOOK_EVERY_S):
                self._hear(key.data)
        for name in tuple(self._open):
            self._close(name)
        self._selector.close()

    def _keep_up(self) -> None:
        with self._lock:
            names = self._wanted
        for name, (index, _) in tuple(self._open.items()):
            if name not in names or _index(name) != index:
                self._close(name)
        for name in names - self._open.keys():
            if (current_index := _index(name)) is not None:
                self._try_open(name, current_index)

    def _try_open(self, name: str, index: int) -> None:
        try:
            listener = _listen(name)
        except OSError as error:
            if name not in self._told:
                log.warning("DHCP on %s is not seen: %s", name, error)
            self._told.add(name)
            return
        self._told.discard(name)
        self._open[name] = (index, listener)
        self._selector.register(listener, selectors.EVENT_READ, name)

    def _close(self, name: str) -> None:
        _, listener = self._open.pop(name)
        self._selector.unregister(listener)
        listener.close()

    def _hear(self, name: str) -> None:
        try:
            frame = self._open[name][1].recv(FRAME_BYTES)
        except OSError:
            return
        message = parse(frame, time.time(), name)
        if message is not None:
            with self._lock:
                self._seen.append(message)


def _listen(name: str) -> socket.socket:
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    try:
        # Attach the filter before binding the interface; otherwise all kinds of frames would be queued.
        code = b"".join(struct.pack("HBBI", *instruction) for instruction in _FILTER)
        program = ctypes.create_string_buffer(code)
        attached = struct.pack("HL", len(_FILTER), ctypes.addressof(program))
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, attached)
        listener.bind((name, ETH_P_ALL))
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _index(name: str) -> int | None:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None
