"""How many calls a reading takes, and when libvirt is told to look at a pool again."""

from collections import Counter
from dataclasses import dataclass, field

import libvirt
import pytest

from hostloom.hypervisor import reading
from hostloom.hypervisor.reading import PoolReader, read_host
from hostloom.model.machine import Disk, PowerState

POOL = """<pool type='{kind}'><name>{name}</name><capacity unit='bytes'>100</capacity>
<available unit='bytes'>{free}</available><target><path>/pools/{name}</path></target></pool>"""
DOMAIN = """<domain type='qemu'><name>{name}</name><uuid>{name}</uuid><memory unit='KiB'>65536</memory>
<vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os><devices>
<disk type='file' device='disk'><source file='/pools/default/{name}.raw'/><target dev='vda'/></disk>
<disk type='file' device='disk'><source file='/elsewhere/{name}.raw'/><target dev='vdb'/></disk>
</devices></domain>"""


def libvirt_error(code: int, domain: int = libvirt.VIR_FROM_STORAGE) -> libvirt.libvirtError:
    error = libvirt.libvirtError("call failed")
    error.err = (code, domain, "words", 2, "", "", "", -1, -1)
    return error


@dataclass
class Pool:
    """As much of a storage pool as is asked."""

    name: str
    kind: str = "dir"
    active: bool = True
    error: libvirt.libvirtError | None = None
    free: int = 10
    refreshed: int = 0

    def XMLDesc(self) -> str:  # noqa: N802  (libvirt's name)
        return POOL.format(kind=self.kind, name=self.name, free=self.free)

    def UUIDString(self) -> str:  # noqa: N802  (libvirt's name)
        return self.name

    def isActive(self) -> int:  # noqa: N802  (libvirt's name)
        return int(self.active)

    def refresh(self) -> None:
        self.refreshed += 1
        if self.error is not None:
            raise self.error
        self.free -= 1


@dataclass
class Domain:
    """As much of a domain as is asked."""

    calls: Counter[str]
    text: str
    gone: bool = False

    def name(self) -> str:
        """Known to the client: no call."""
        return self.text

    def XMLDesc(self) -> str:  # noqa: N802  (libvirt's name)
        self.calls["XMLDesc"] += 1
        if self.gone:
            raise libvirt_error(libvirt.VIR_ERR_NO_DOMAIN)
        return DOMAIN.format(name=self.text)


@dataclass
class Host:
    """As much of a connection as is asked; counts what concerns machines."""

    machines: int = 0
    gone: str = ""
    pools: list[Pool] = field(default_factory=lambda: [Pool("default")])
    calls: Counter[str] = field(default_factory=Counter)

    def getInfo(self) -> list[object]:  # noqa: N802  (libvirt's name)
        return ["x86_64", 4096, 4, 0, 1, 1, 4, 1]

    def getHostname(self) -> str:  # noqa: N802  (libvirt's name)
        return "kvm1"

    def listAllStoragePools(self) -> list[Pool]:  # noqa: N802  (libvirt's name)
        return self.pools

    def listAllNetworks(self) -> list[object]:  # noqa: N802  (libvirt's name)
        return []

    def getAllDomainStats(self, _stats: int, flags: int) -> list[tuple[Domain, dict[str, object]]]:  # noqa: N802  (libvirt's name)
        # A guest whose monitor hangs must not hold up the reading of its host.
        assert flags == libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        self.calls["getAllDomainStats"] += 1
        names = [f"m{number}" for number in range(self.machines)]
        return [(Domain(self.calls, name, name == self.gone), self._stats(name)) for name in names]

    def _stats(self, name: str) -> dict[str, object]:
        return {
            "state.state": libvirt.VIR_DOMAIN_RUNNING,
            "block.count": 2,
            "block.0.path": f"/pools/default/{name}.raw",
            "block.0.capacity": 8,
            "block.1.path": f"/elsewhere/{name}.raw",
            "block.1.capacity": 9,
        }


def test_one_call_for_all_machines_and_one_for_each() -> None:
    host = Host(machines=50)
    found = read_host(host, (), PoolReader())
    assert len(found.machines) == 50
    assert host.calls == {"getAllDomainStats": 1, "XMLDesc": 50}


def test_power_and_disks_come_from_the_statistics() -> None:
    (machine,) = read_host(Host(machines=1), (), PoolReader()).machines
    assert machine.power is PowerState.ON
    assert machine.disks == (
        Disk("vda", "default", "m0.raw", 8),
        Disk("vdb", "", "/elsewhere/m0.raw", 9),
    )


def test_a_machine_that_is_deleted_meanwhile_is_not_there() -> None:
    found = read_host(Host(machines=3, gone="m1"), (), PoolReader())
    assert [each.name for each in found.machines] == ["m0", "m2"]


def test_a_pool_is_looked_at_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(reading.time, "monotonic", lambda: now[0])
    pool, reader = Pool("default"), PoolReader()
    host = Host(pools=[pool])
    assert [reader.read(host)[0].free_bytes for _ in range(3)] == [9, 9, 9]
    now[0] += reading.LOOK_AGAIN_S
    assert reader.read(host)[0].free_bytes == 8
    assert pool.refreshed == 2


def test_a_pool_that_cannot_be_looked_at_shows_its_old_figures() -> None:
    busy = Pool("default", error=libvirt_error(libvirt.VIR_ERR_INTERNAL_ERROR))
    assert PoolReader().read(Host(pools=[busy]))[0].free_bytes == 10
    lost = Pool("default", error=libvirt_error(libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_RPC))
    with pytest.raises(libvirt.libvirtError):
        PoolReader().read(Host(pools=[lost]))


def test_pools_that_are_off_or_keep_their_own_books_are_not_looked_at() -> None:
    pools = [Pool("default", active=False), Pool("ceph", kind="rbd")]
    found = PoolReader().read(Host(pools=pools))
    assert [(each.name, each.active, each.total_bytes) for each in found] == [
        ("ceph", True, 100),
        ("default", False, 0),
    ]
    assert [each.refreshed for each in pools] == [0, 0]


@pytest.mark.parametrize(
    ("pools", "default"),
    [
        ([Pool("b"), Pool("default"), Pool("a")], "default"),
        ([Pool("only")], "only"),
        ([Pool("only"), Pool("off", active=False)], "only"),
        ([Pool("a"), Pool("b")], None),
        ([Pool("default", active=False), Pool("a"), Pool("b")], None),
        ([], None),
    ],
)
def test_the_default_pool(pools: list[Pool], default: str | None) -> None:
    found = PoolReader().read(Host(pools=pools))
    assert [each.name for each in found if each.is_default] == ([default] if default else [])
    assert [each.name for each in found] == sorted(each.name for each in pools)
