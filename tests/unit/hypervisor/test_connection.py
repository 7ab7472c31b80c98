"""Deadlines, hosts that hang, and calls that were given up; libvirt's own client against sockets of ours."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import libvirt
import pytest

from hostloom.hypervisor import xml_in
from hostloom.hypervisor.connection import Deadlines, HostConnection
from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import (
    HostRefused,
    HostUnreachable,
    HostUnreadable,
    HypervisorRejected,
    OutcomeUnknown,
)
from support.near import Near
from support.specs import UUID
from support.waiting import wait_until

PATIENCE = Deadlines(read_s=0.2, write_s=0.2, cool_down_s=300, close_s=0.2)
URI = "test:///default"


@pytest.fixture
def connection() -> Iterator[HostConnection]:
    made = HostConnection("kvm1", URI, lambda uri: uri, PATIENCE)
    made.read("warm up", lambda c: c.getHostname(), 5)
    yield made
    made.close()


class Clock:
    """The real clock, which a test can put forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of connections."""
    clock = Clock()
    monkeypatch.setattr("hostloom.hypervisor.connection.time", clock)
    return clock


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """A socket that accepts connections and never answers; calls to it end when it is closed."""
    with TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(Path(directory) / "deaf.sock"))
        listener.listen(64)
        yield listener


@pytest.fixture
def deaf_uri(deaf: socket.socket) -> str:
    return f"qemu+unix:///system?socket={deaf.getsockname()}"


def hang(connection: HostConnection, until: threading.Event, begun: threading.Event | None = None) -> None:
    def call(_: libvirt.virConnect) -> None:
        if begun is not None:
            begun.set()
        until.wait(20)

    with pytest.raises(HostUnreachable):
        connection.read("hang", call)


def test_a_read_that_hangs_ends_at_its_deadline_and_the_next_one_works(connection: HostConnection) -> None:
    release = threading.Event()
    hang(connection, release)
    assert connection._abandoned == 1, "it waited for the end of the call"
    assert connection.read("read", lambda c: c.getType(), 5) == "TEST"
    release.set()


def test_the_write_lane_goes_on_while_a_read_hangs(connection: HostConnection) -> None:
    release = threading.Event()
    thread = threading.Thread(target=hang, args=(connection, release))
    thread.start()
    assert connection.write("write", lambda c, _: c.getType(), 5) == "TEST"
    assert thread.is_alive()
    thread.join()
    release.set()


def test_a_change_that_ran_out_of_time_has_an_unknown_outcome(connection: HostConnection) -> None:
    release = threading.Event()

    def change(_connection: libvirt.virConnect, proceed: Callable[[], None]) -> None:
        proceed()
        release.wait(20)

    with pytest.raises(OutcomeUnknown) as error:
        connection.write("define machine web1", change)
    assert (error.value.host, error.value.action) == ("kvm1", "define machine web1")
    release.set()


def test_a_change_that_was_given_up_before_it_began_never_begins(connection: HostConnection) -> None:
    release, looked, changed = threading.Event(), threading.Event(), []

    def change(_connection: libvirt.virConnect, proceed: Callable[[], None]) -> None:
        release.wait(20)
        looked.set()
        proceed()
        changed.append(True)

    with pytest.raises(HostUnreachable):
        connection.write("define machine web1", change)
    release.set()
    assert looked.wait(5)
    wait_until(lambda: connection._abandoned == 0, "no call is left", every_s=0.01)
    assert changed == []


def test_a_call_behind_a_slow_one_says_that_it_waited(connection: HostConnection) -> None:
    done = []
    begun, release = threading.Event(), threading.Event()

    def slow(_connection: libvirt.virConnect) -> None:
        begun.set()
        release.wait(20)

    thread = threading.Thread(target=lambda: connection.read("slow", slow, 20))
    thread.start()
    assert begun.wait(5)
    with pytest.raises(HostUnreachable, match="other calls took longer"):
        connection.read("behind", lambda _: done.append(True), 0.1)
    release.set()
    thread.join()
    assert connection.read("after", lambda c: c.getType(), 5) == "TEST"
    assert done == []


def test_after_three_hung_calls_the_host_is_refused_at_once_until_the_pause_is_over(
    connection: HostConnection, clock: Clock
) -> None:
    release = threading.Event()
    for _ in range(3):
        hang(connection, release)
    asked: list[str] = []
    with pytest.raises(HostUnreachable, match="3 calls hang"):
        connection.read("read", lambda _: asked.append("during the pause"))
    assert asked == []
    clock.ahead_s += PATIENCE.cool_down_s
    # One call is let through; it answers, and so the host is back although three threads still hang.
    assert connection.read("read", lambda c: c.getType(), 5) == "TEST"
    assert connection.read("read", lambda c: c.getType(), 5) == "TEST"
    # It hangs again: that is enough, and the pause is longer.
    hang(connection, release)
    with pytest.raises(HostUnreachable, match="4 calls hang"):
        connection.read("read", lambda c: c.getType())
    release.set()
    wait_until(lambda: connection._abandoned == 0, "no call is left", every_s=0.01)
    assert connection.read("read", lambda c: c.getType(), 5) == "TEST"


def test_only_one_call_tries_a_host_whose_pause_is_over(connection: HostConnection, clock: Clock) -> None:
    release, begun = threading.Event(), threading.Event()
    for _ in range(3):
        hang(connection, release)
    clock.ahead_s += PATIENCE.cool_down_s
    trial = threading.Thread(target=hang, args=(connection, release, begun))
    trial.start()
    assert begun.wait(5)
    with pytest.raises(HostUnreachable, match="3 calls hang"):
        connection.read("read", lambda c: c.getType())
    trial.join()
    release.set()


def test_a_dead_host_does_not_slow_another(deaf: socket.socket, deaf_uri: str) -> None:
    hypervisors = LibvirtHypervisors(Near(), Deadlines(read_s=60, close_s=0.1))
    dead, living = hypervisors.of("dead", deaf_uri), hypervisors.of("living", URI)
    failures: list[DriverError] = []

    def ask() -> None:
        try:
            dead.power(UUID)
        except DriverError as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        living.describe()
    assert failures == []
    hypervisors.close()
    assert failures == [], "it waited for the calls that hang"
    deaf.close()
    for thread in threads:
        thread.join()
    assert [type(each) for each in failures] == [HostUnreachable] * 2


def test_a_host_that_is_not_there_and_one_that_does_not_let_us_in(tmp_path: Path) -> None:
    hypervisors = LibvirtHypervisors(Near())
    with pytest.raises(HostUnreachable, match="kvm9"):
        hypervisors.of("kvm9", f"qemu+unix:///system?socket={tmp_path}/none.sock").describe()

    def refuse(_uri: str) -> str:
        raise HostRefused("kvm8", "Permission denied (publickey)")

    with pytest.raises(HostRefused, match="publickey"):
        LibvirtHypervisors(Near(refuse)).of("kvm8", "qemu+ssh://kvm8/system").describe()


def test_errors_keep_libvirts_words_and_stderr_stays_clean(
    connection: HostConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(HypervisorRejected) as error:
        connection.read("find it", lambda c: c.lookupByName("nobody"))
    assert (error.value.host, error.value.action) == ("kvm1", "find it")
    assert "not found" in error.value.cause
    assert capfd.readouterr().err == ""


def test_a_closed_connection_refuses_and_close_is_safe_from_many_threads(connection: HostConnection) -> None:
    closers = [threading.Thread(target=connection.close) for _ in range(8)]
    for each in closers:
        each.start()
    for each in closers:
        each.join()
    with pytest.raises(HostUnreachable, match="closed"):
        connection.read("read", lambda c: c.getType())


def test_a_renamed_host_keeps_its_connection_and_its_new_name() -> None:
    hypervisors = LibvirtHypervisors(Near())
    old = hypervisors.of("old", URI)
    assert hypervisors.of("new", URI) is old
    with pytest.raises(HypervisorRejected, match="'new'"):
        old.start(UUID)
    hypervisors.close()


def test_an_answer_that_cannot_be_parsed_says_so(connection: HostConnection) -> None:
    for answer in ("<domain", "x"):
        with pytest.raises(HostUnreadable, match=r"the answer to look of host .* cannot be read"):
            connection.read("look", lambda _, text=answer: (xml_in.parse(text), int(text)))
    assert connection.read("after", lambda c: c.getType(), 5) == "TEST"


def test_a_ping_waits_for_no_other_reading(connection: HostConnection) -> None:
    """A host that is busy with one is not lost: the reading has a deadline of its own."""
    release, begun = threading.Event(), threading.Event()

    def slow(_: libvirt.virConnect) -> None:
        begun.set()
        release.wait(20)

    reader = threading.Thread(target=lambda: connection.read("read slowly", slow, 20))
    reader.start()
    assert begun.wait(5)
    asked: list[str] = []
    connection.ping(lambda _: asked.append("while busy"), 0.1)
    release.set()
    reader.join(5)
    wait_until(lambda: not connection.is_busy, "it is not busy", every_s=0.01)
    connection.ping(lambda _: asked.append("at rest"), 5)
    assert asked == ["at rest"]


def test_a_ping_that_hangs_says_so_and_the_next_one_asks_again(connection: HostConnection) -> None:
    release = threading.Event()
    with pytest.raises(HostUnreachable):
        connection.ping(lambda _: release.wait(20), 0.1)
    asked: list[int] = []
    connection.ping(lambda _: asked.append(1), 5)
    assert asked == [1]
    release.set()
