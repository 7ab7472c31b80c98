"""Fakes of the ports, kept honest by the contract suites; their worlds can be compared by value."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_address, ip_interface
from urllib.parse import urlsplit

from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.errors.outside import HostNotScannable
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.network import Address
from hostloom.model.node import BridgeKind, InterfaceKind
from hostloom.model.observed import ObservedLink, ObservedNetwork
from hostloom.ports.hosts import OfferedKey
from hostloom.ports.hypervisor import Hypervisors


class FakeScanner:
    """Links by URI; running machines' taps are ports of their bridges."""

    def __init__(self, hypervisors: Hypervisors) -> None:
        self._hypervisors = hypervisors
        self.networks: dict[str, ObservedNetwork] = {}

    def scan(self, uri: str) -> ObservedNetwork:
        if uri not in self.networks:
            raise HostNotScannable(uri)
        devices = tuple(
            _device(nic.target, nic.attachment)
            for machine in self._hypervisors.of("", uri).describe().machines
            for nic in machine.interfaces
            if nic.target and nic.attachment is not None
        )
        network = self.networks[uri]
        return replace(network, links=network.links + devices)


def _device(name: str, attachment: Attachment) -> ObservedLink:
    """The tap of a NIC on a bridge or network, or its macvtap on a parent."""
    link = ObservedLink(name, None, None, True, True, 1500)
    if attachment.kind is AttachKind.MACVLAN:
        return replace(link, parents=(attachment.source,), macvlan_mode=attachment.mode)
    return replace(link, master={"default": "virbr0"}.get(attachment.source, attachment.source))


def a_network(hostname: str, address: str) -> ObservedNetwork:
    """A host with br0 over eth0, and eth1 and eth2 bare."""

    def nic(name: str, n: int) -> ObservedLink:
        return ObservedLink(name, InterfaceKind.PHYSICAL, _mac(hostname, n), True, True, 1500)

    bridge = ObservedLink(
        "br0",
        InterfaceKind.BRIDGE,
        _mac(hostname, 0),
        True,
        True,
        1500,
        (ip_interface(address),),
        ("eth0",),
        BridgeKind.STANDARD,
    )
    return ObservedNetwork(hostname, (bridge, nic("eth0", 0), nic("eth1", 1), nic("eth2", 2)))


def _mac(hostname: str, n: int) -> MacAddress:
    return MacAddress(f"02:00:00:00:{sum(hostname.encode()) & 255:02x}:{n:02x}")


class FakeKeys:
    """Offered and pinned SSH keys; those of one SSH server are one."""

    def __init__(self) -> None:
        #: By URI; the URIs of one server have the same key.
        self.pins: dict[str, OfferedKey] = {}

    def offered(self, uri: str) -> Sequence[OfferedKey]:
        return (OfferedKey("ssh-ed25519", f"SHA256:{uri[-12:]}", "line"),) if "+ssh" in uri else ()

    def pin(self, uri: str, key: OfferedKey) -> None:
        self.pins[uri] = key

    def pinned(self, uri: str) -> str | None:
        key = self._key(uri)
        return None if key is None else key.fingerprint

    def retain(self, uri: str) -> None:
        key = self._key(uri)
        if key is not None:
            self.pins[uri] = key

    def release(self, uri: str) -> None:
        self.pins.pop(uri, None)

    def forget(self, uri: str) -> None:
        self.pins = {other: key for other, key in self.pins.items() if _server(other) != _server(uri)}

    def _key(self, uri: str) -> OfferedKey | None:
        return next((key for other, key in self.pins.items() if _server(other) == _server(uri)), None)


def _server(uri: str) -> tuple[str | None, int | None]:
    parts = urlsplit(uri)
    return parts.hostname, parts.port


class FakeResolver:
    """Literals resolve to themselves, names as told."""

    def __init__(self) -> None:
        self.names: dict[str, tuple[Address, ...]] = {}

    def addresses(self, name: str) -> tuple[Address, ...]:
        try:
            return (ip_address(name),)
        except ValueError:
            return self.names.get(name, ())


class FakeClock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time


class CountingIds:
    """Identities in order."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def system_id(self) -> SystemId:
        return SystemId(f"sys{next(self._count):03d}")

    def hostname(self) -> str:
        return f"vm-{next(self._count)}"

    def uuid(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._count):012d}"

    def mac(self) -> MacAddress:
        n = next(self._count)
        return MacAddress(f"52:54:00:00:{n >> 8:02x}:{n & 255:02x}")

    def secret(self) -> str:
        return f"secret-{next(self._count)}"


class FakeSecrets:
    """Secrets that anyone can guess."""

    def derive(self, purpose: str) -> str:
        return sha256(purpose.encode()).hexdigest()[:32]

    def encrypt(self, text: str, owner: str) -> str:
        return json.dumps([text[::-1], owner])

    def decrypt(self, encrypted: str, owner: str) -> str:
        text, encrypted_for = json.loads(encrypted)
        assert encrypted_for == owner
        return str(text)[::-1]


class FakeSeedDisks:
    """Disks that are the texts of their files."""

    def build(self, files: Mapping[str, str]) -> bytes:
        return json.dumps(dict(files)).encode()
