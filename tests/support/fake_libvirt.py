"""As much of a libvirt connection as a reading asks for, with what goes wrong on demand."""

import threading
from collections import Counter
from dataclasses import dataclass, field

import libvirt

POOL = """<pool type='{kind}'><name>{name}</name><capacity unit='bytes'>100</capacity>
<available unit='bytes'>{free}</available><target><path>/pools/{name}</path></target></pool>"""
DOMAIN = """<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='KiB'>65536</memory>
<vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os><devices>
<disk type='file' device='disk'><source file='/pools/default/{name}.raw'/><target dev='vda'/></disk>
<disk type='file' device='disk'><source file='/elsewhere/{name}.raw'/><target dev='vdb'/></disk>
</devices></domain>"""
NETWORK = "<network><name>{name}</name><bridge name='virbr0'/></network>"


def libvirt_error(
    code: int = libvirt.VIR_ERR_INTERNAL_ERROR, domain: int = libvirt.VIR_FROM_STORAGE
) -> libvirt.libvirtError:
    error = libvirt.libvirtError("call failed")
    error.err = (code, domain, "words", 2, "", "", "", -1, -1)
    return error


def uuid_of(name: str) -> str:
    return f"00000000-0000-4000-8000-{int(name[1:]):012}"


@dataclass
class FakePool:
    """A storage pool."""

    text: str
    kind: str = "dir"
    active: bool = True
    error: libvirt.libvirtError | None = None
    free: int = 10
    refreshed: int = 0
    #: Of the host: while one of its pools is looked at, libvirt's list does not come.
    locked: "list[FakePool]" = field(default_factory=list)
    #: Set: the look goes on until it is cleared.
    hangs: threading.Event | None = None
    xml: str = ""

    def name(self) -> str:
        return self.text

    def XMLDesc(self) -> str:  # noqa: N802  (libvirt's name)
        self._wait()
        return self.xml or POOL.format(kind=self.kind, name=self.text, free=self.free)

    def isActive(self) -> int:  # noqa: N802  (libvirt's name)
        return int(self.active)

    def refresh(self) -> None:
        self.refreshed += 1
        if self.hangs is not None:
            self.locked.append(self)
        self._wait()
        if self.error is not None:
            raise self.error
        self.free -= 1

    def _wait(self) -> None:
        if self in self.locked and self.hangs is not None:
            self.hangs.wait(20)
            if self in self.locked:
                self.locked.remove(self)


@dataclass
class FakeDomain:
    """A domain."""

    calls: Counter[str]
    text: str
    gone: bool = False
    xml: str = ""

    def name(self) -> str:
        """Known to the client: no call."""
        return self.text

    def UUIDString(self) -> str:  # noqa: N802  (libvirt's name)
        return uuid_of(self.text)

    def XMLDesc(self) -> str:  # noqa: N802  (libvirt's name)
        self.calls["XMLDesc"] += 1
        if self.gone:
            raise libvirt_error(libvirt.VIR_ERR_NO_DOMAIN)
        return self.xml or DOMAIN.format(name=self.text, uuid=uuid_of(self.text))


@dataclass
class FakeNetwork:
    """A network."""

    text: str
    xml: str = ""

    def name(self) -> str:
        return self.text

    def XMLDesc(self) -> str:  # noqa: N802  (libvirt's name)
        return self.xml or NETWORK.format(name=self.text)

    def isActive(self) -> int:  # noqa: N802  (libvirt's name)
        return 1


@dataclass
class FakeHost:
    """A connection; counts what concerns machines."""

    machines: int = 0
    gone: str = ""
    pools: list[FakePool] = field(default_factory=lambda: [FakePool("default")])
    networks: list[FakeNetwork] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    #: XML of machines by name, in place of the usual one.
    xml: dict[str, str] = field(default_factory=dict)
    #: Errors by the name of the call.
    errors: dict[str, libvirt.libvirtError] = field(default_factory=dict)
    alive: bool = True
    topology: str = ""
    closed: int = 0
    locked: list[FakePool] = field(default_factory=list)

    def __post_init__(self) -> None:
        for pool in self.pools:
            pool.locked = self.locked

    def close(self) -> None:
        self.closed += 1

    def isAlive(self) -> int:  # noqa: N802  (libvirt's name)
        return int(self.alive)

    def getInfo(self) -> list[object]:  # noqa: N802  (libvirt's name)
        return ["x86_64", 4096, 4, 0, 1, 1, 4, 1]

    def getCapabilities(self) -> str:  # noqa: N802  (libvirt's name)
        self._fail("getCapabilities")
        return f"<capabilities><host>{self.topology}</host></capabilities>"

    def getHostname(self) -> str:  # noqa: N802  (libvirt's name)
        self._fail("getHostname")
        return "kvm1"

    def listAllStoragePools(self) -> list[FakePool]:  # noqa: N802  (libvirt's name)
        self._fail("listAllStoragePools")
        for pool in list(self.locked):
            pool._wait()
        return self.pools

    def storagePoolLookupByName(self, name: str) -> FakePool:  # noqa: N802  (libvirt's name)
        for pool in self.pools:
            if pool.text == name:
                return pool
        raise libvirt_error(libvirt.VIR_ERR_NO_STORAGE_POOL)

    def listAllNetworks(self) -> list[FakeNetwork]:  # noqa: N802  (libvirt's name)
        self._fail("listAllNetworks")
        return self.networks

    def listAllDomains(self, _flags: int) -> list[FakeDomain]:  # noqa: N802  (libvirt's name)
        """Those that start with the host: none."""
        self._fail("listAllDomains")
        return []

    def getAllDomainStats(self, stats: int, flags: int) -> list[tuple[FakeDomain, dict[str, object]]]:  # noqa: N802  (libvirt's name)
        # A guest whose monitor hangs must not hold up the reading of its host.
        assert flags == libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        self.calls["getAllDomainStats"] += 1
        self._fail("getAllDomainStats")
        names = [f"m{number}" for number in range(self.machines)]
        return [
            (
                FakeDomain(self.calls, name, name == self.gone, self.xml.get(name, "")),
                self._stats(name, with_disks=bool(stats & libvirt.VIR_DOMAIN_STATS_BLOCK)),
            )
            for name in names
        ]

    def _stats(self, name: str, *, with_disks: bool) -> dict[str, object]:
        state: dict[str, object] = {"state.state": libvirt.VIR_DOMAIN_RUNNING}
        disks = {
            "block.count": 2,
            "block.0.name": "vda",
            "block.0.path": f"/pools/default/{name}.raw",
            "block.0.capacity": 8,
            "block.1.name": "vdb",
            "block.1.path": f"/elsewhere/{name}.raw",
            "block.1.capacity": 9,
        }
        return state | disks if with_disks else state | {"block.count": 0}

    def _fail(self, call: str) -> None:
        if call in self.errors:
            raise self.errors[call]
