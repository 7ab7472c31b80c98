"""A connection that breaks: between two calls, in a look, in a change; through a wire that can be cut."""

import contextlib
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import libvirt
import pytest

from hostloom.hypervisor.connection import Deadlines, HostConnection
from hostloom.model.errors.outside import HostUnreachable, OutcomeUnknown
from support.libvirtd import Libvirtd


class Wire:
    """Relays a Unix socket to another, until it is cut."""

    def __init__(self, path: Path, target: Path) -> None:
        self._target = target
        self._ends: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        """End what is connected; new connections are taken."""
        ends, self._ends = self._ends, []
        for each in ends:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def remove(self) -> None:
        """End all connections, and accept no new ones."""
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self.cut()
        for each in self._threads:
            each.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self._target))
                self._ends += [near, far]
                pumps = [threading.Thread(target=_pump, args=pair) for pair in ((near, far), (far, near))]
                for each in pumps:
                    each.start()
                self._threads += pumps


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with source, contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def wire(libvirtd: Libvirtd) -> Iterator[tuple[Wire, HostConnection]]:
    directory = Path(mkdtemp(prefix="hostloom-wire-"))
    wire = Wire(directory / "s", libvirtd.socket)
    uri = f"test+unix:///default?socket={directory}/s"
    connection = HostConnection("kvm1", uri, lambda uri: uri, Deadlines(read_s=10, write_s=10))
    yield wire, connection
    connection.close()
    wire.remove()
    shutil.rmtree(directory)


def test_a_connection_lost_between_calls_is_opened_again(wire: tuple[Wire, HostConnection]) -> None:
    cable, connection = wire
    for _ in range(3):
        assert connection.read("read", lambda c: c.getType()) == "TEST"
        cable.cut()
    assert connection.write("write", lambda c, _: c.getLibVersion()) > 0


def test_a_connection_lost_in_a_read_is_opened_again(wire: tuple[Wire, HostConnection]) -> None:
    cable, connection = wire
    attempts = []

    def read(c: libvirt.virConnect) -> int:
        attempts.append(True)
        if len(attempts) == 1:
            cable.cut()
        return int(c.getLibVersion() and c.numOfDomains())

    assert connection.read("read", read) >= 0
    assert len(attempts) == 2


def test_a_connection_lost_in_a_change_leaves_its_outcome_unknown(wire: tuple[Wire, HostConnection]) -> None:
    cable, connection = wire

    def change(c: libvirt.virConnect, proceed: Callable[[], None]) -> None:
        proceed()
        cable.cut()
        c.networkLookupByName("default").destroy()

    with pytest.raises(OutcomeUnknown, match="was interrupted"):
        connection.write("stop a network", change)


def test_a_connection_lost_for_good_is_a_host_that_cannot_be_reached(
    wire: tuple[Wire, HostConnection],
) -> None:
    cable, connection = wire
    assert connection.read("read", lambda c: c.getType()) == "TEST"
    cable.remove()
    with pytest.raises(HostUnreachable):
        connection.read("read", lambda c: c.getLibVersion())
    with pytest.raises(HostUnreachable):
        connection.write("write", lambda c, _: c.getLibVersion())
