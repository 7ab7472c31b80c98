"""When libvirt is told to look at a pool again, and what one that hangs costs the others: nothing."""

import threading
import time
from collections.abc import Iterator

import libvirt
import pytest

from hostloom.hypervisor import pool_calls
from hostloom.hypervisor import pools as pools_module
from hostloom.hypervisor.pools import PoolReader
from hostloom.model.errors.outside import HostUnreachable
from hostloom.model.finding import Findings
from hostloom.model.host import StoragePool
from support.fake_libvirt import FakeHost, FakePool, libvirt_error


def read(
    host: FakeHost, reader: PoolReader | None = None, findings: Findings | None = None
) -> tuple[StoragePool, ...]:
    return (reader or PoolReader()).read(host, findings or Findings()).pools


@pytest.fixture
def hangs() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def wait_until_back(reader: PoolReader, name: str) -> None:
    for _ in range(500):
        if not reader.trouble(name):
            return
        time.sleep(0.01)
    raise AssertionError(reader.trouble(name))


def test_a_pool_is_looked_at_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(pools_module.time, "monotonic", lambda: now[0])
    pool, reader = FakePool("default"), PoolReader()
    host = FakeHost(pools=[pool])
    assert [read(host, reader)[0].free_bytes for _ in range(3)] == [9, 9, 9]
    now[0] += pools_module.LOOK_AGAIN_S
    assert read(host, reader)[0].free_bytes == 8
    assert pool.refreshed == 2


def test_a_pool_that_cannot_be_looked_at_shows_its_old_figures() -> None:
    busy = FakePool("default", error=libvirt_error())
    findings = Findings()
    assert read(FakeHost(pools=[busy]), findings=findings)[0].free_bytes == 10
    assert findings.all() == ()
    lost = FakePool("default", error=libvirt_error(domain=libvirt.VIR_FROM_RPC))
    with pytest.raises(libvirt.libvirtError):
        read(FakeHost(pools=[lost], alive=False))


def test_pools_that_are_off_or_keep_their_own_books_are_not_looked_at() -> None:
    pools = [FakePool("default", active=False), FakePool("ceph", kind="rbd")]
    found = read(FakeHost(pools=pools))
    assert [(each.name, each.active, each.total_bytes) for each in found] == [
        ("ceph", True, 100),
        ("default", False, 0),
    ]
    assert [each.refreshed for each in pools] == [0, 0]


@pytest.mark.parametrize(
    ("pools", "default"),
    [
        ([FakePool("b"), FakePool("default"), FakePool("a")], "default"),
        ([FakePool("only")], "only"),
        ([FakePool("only"), FakePool("off", active=False)], "only"),
        ([FakePool("a"), FakePool("b")], None),
        ([FakePool("default", active=False), FakePool("a"), FakePool("b")], None),
        ([], None),
    ],
)
def test_the_default_pool(pools: list[FakePool], default: str | None) -> None:
    found = read(FakeHost(pools=pools))
    assert [each.name for each in found if each.is_default] == ([default] if default else [])
    assert [each.name for each in found] == sorted(each.text for each in pools)


# -- pools that hang -------------------------------------------------------------------------------------


def test_a_pool_that_hangs_is_named_and_the_others_are_read(hangs: threading.Event) -> None:
    nas, local = FakePool("nas", kind="netfs", hangs=hangs), FakePool("local")
    host, reader = FakeHost(pools=[nas, local]), PoolReader(deadline_s=0.1)
    for _ in range(5):
        findings = Findings()
        read_now = reader.read(host, findings, ["nas", "local"])
        found = {pool.name: pool for pool in read_now.pools}
        assert (found["local"].active, found["local"].is_default) == (True, True)
        assert not found["nas"].active
        assert "does not answer" in found["nas"].trouble
        assert [finding.part for finding in findings.all()] == ["storage pool nas"]
    # One call hangs in libvirt, however often the host is read.
    assert nas.refreshed == 1
    assert "has not answered for" in reader.trouble("nas")
    assert reader.trouble("local") == ""
    hangs.set()
    wait_until_back(reader, "nas")
    findings = Findings()
    assert [pool.active for pool in read(host, reader, findings)] == [True, True]
    assert findings.all() == ()


def test_calls_that_hang_are_on_a_connection_of_their_own(hangs: threading.Event) -> None:
    """On a shared connection they would delay all other calls."""
    nas, local = FakePool("nas", hangs=hangs), FakePool("local")
    main = FakeHost(errors={"listAllStoragePools": libvirt_error()})
    sides: list[FakeHost] = []

    def open_side(_main: object) -> FakeHost:
        sides.append(FakeHost(pools=[nas, local], locked=sides[0].locked if sides else []))
        return sides[-1]

    reader = PoolReader(open_side, deadline_s=0.1)
    for _ in range(3):
        assert {pool.name: pool.active for pool in read(main, reader)} == {"local": True, "nas": False}
    # The first is left to the call that hangs, and closed when it returns.
    assert [side.closed for side in sides] == [0, 0]
    hangs.set()
    wait_until_back(reader, "nas")
    assert [side.closed for side in sides] == [1, 0]
    assert [pool.active for pool in read(main, reader)] == [True, True]


def test_where_there_can_be_but_one_connection_pools_are_read_on_that() -> None:
    def open_side(_main: object) -> FakeHost:
        raise HostUnreachable("kvm1", "its sshd takes one session")

    assert [pool.name for pool in read(FakeHost(), PoolReader(open_side))] == ["default"]


def test_a_slow_look_is_not_repeated_soon(hangs: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools_module, "LOOK_AGAIN_S", 0.0)
    nas = FakePool("nas", hangs=hangs)
    host, reader = FakeHost(pools=[nas]), PoolReader(deadline_s=0.1)
    read(host, reader)
    hangs.set()
    wait_until_back(reader, "nas")
    assert [read(host, reader)[0].active for _ in range(3)] == [True] * 3
    assert nas.refreshed == 1


def test_libvirt_is_left_calls_for_everything_else(hangs: threading.Event) -> None:
    shares = [FakePool(f"nas{number}", kind="netfs", hangs=hangs) for number in range(6)]
    local = FakePool("zlocal")
    host, reader = FakeHost(pools=[*shares, local]), PoolReader(deadline_s=0.1)
    for _ in range(3):
        found = {pool.name: pool for pool in read(host, reader)}
    assert [name for name, pool in found.items() if pool.active] == ["zlocal"]
    assert sum(share.refreshed for share in shares) < pool_calls.MAX_HANGING


def test_where_the_list_does_not_come_the_pools_that_are_known_are_asked(hangs: threading.Event) -> None:
    """Another client has told libvirt to look at a share, before this process began."""
    nas, local = FakePool("nas", kind="netfs", hangs=hangs), FakePool("local")
    host, reader = FakeHost(pools=[nas, local]), PoolReader(deadline_s=0.1)
    host.locked.append(nas)
    findings = Findings()
    found = reader.read(host, findings, ["gone", "local", "nas"])
    assert not found.listed
    assert {pool.name: pool.active for pool in found.pools} == {"local": True, "nas": False}
    assert {finding.part for finding in findings.all()} == {"storage pools", "storage pool nas"}


@pytest.mark.parametrize(
    "xml", ["<pool", "<pool/>", "<pool><name>b</name><capacity>x</capacity></pool>", "\x01"]
)
def test_a_pool_that_cannot_be_read_is_named_and_not_used(xml: str) -> None:
    findings = Findings()
    found = read(FakeHost(pools=[FakePool("a"), FakePool("b", xml=xml)]), findings=findings)
    assert [(pool.name, pool.active) for pool in found] == [("a", True), ("b", False)]
    assert [finding.part for finding in findings.all()] == ["storage pool b"]


def test_without_the_daemon_for_storage_there_are_no_pools_and_the_rest_is_read() -> None:
    host = FakeHost(errors={"listAllStoragePools": libvirt_error(domain=libvirt.VIR_FROM_RPC)})
    findings = Findings()
    found = PoolReader().read(host, findings)
    assert (found.pools, found.listed) == ((), False)
    assert [finding.part for finding in findings.all()] == ["storage pools"]
