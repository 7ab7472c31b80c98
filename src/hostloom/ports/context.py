"""The context of all use cases: clock, identities, secrets, and all ports."""

from dataclasses import dataclass, field
from typing import Protocol

from hostloom.model.ids import (
    MacAddress,
    SystemId,
)
from hostloom.model.service_settings import ServiceSettings
from hostloom.ports.dhcp import DhcpServers
from hostloom.ports.disk_images import DiskBuilds, DiskImageFiles, DiskImports, ImageDocuments
from hostloom.ports.hosts import HostKeys, HostScanner, Resolver
from hostloom.ports.hypervisor import Hypervisors
from hostloom.ports.images import ImageStore
from hostloom.ports.power import PowerDrivers
from hostloom.ports.seed_disks import SeedDisks
from hostloom.ports.store import Store
from hostloom.ports.wire import WireProbe


class Clock(Protocol):
    """Time, so that tests can move it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class IdSource(Protocol):
    """The source of all random values, so that decisions and sagas are deterministic."""

    def system_id(self) -> SystemId:
        """Six characters."""
        ...

    def hostname(self) -> str:
        """A name for a machine that the user did not name."""
        ...

    def uuid(self) -> str:
        """A random UUID as text."""
        ...

    def mac(self) -> MacAddress:
        """A unicast, locally administered address of KVM's prefix 52:54:00."""
        ...

    def secret(self) -> str:
        """At least 128 bits, safe in a URL."""
        ...


class Secrets(Protocol):
    """Secrets that need not be stored, or are stored encrypted, because of one secret in a file."""

    def derive(self, purpose: str) -> str:
        """32 letters and digits, always the same for a purpose."""
        ...

    def encrypt(self, text: str, owner: str) -> str:
        """A text that only `decrypt` with the same owner can read; different at every call."""
        ...

    def decrypt(self, encrypted: str, owner: str) -> str:
        """The text; ConfigError if it was encrypted with another file or for another owner."""
        ...


@dataclass(frozen=True)
class Ports:
    """All ports, connected by the composition root or a test, and their settings."""

    store: Store
    hypervisors: Hypervisors
    scanner: HostScanner
    keys: HostKeys
    resolver: Resolver
    #: The DHCP servers of racks; None: hostloom serves no DHCP.
    dhcp: DhcpServers | None
    clock: Clock
    ids: IdSource
    #: None: the server accepts no API keys.
    secrets: Secrets | None = None
    #: None: no probes run.
    wire: WireProbe | None = None
    #: None: the server has no boot images.
    images: ImageStore | None = None
    #: None: the server has no disk images.
    disk_images: DiskImageFiles | None = None
    #: None: no machine can be deployed.
    seed_disks: SeedDisks | None = None
    #: None: the power of bare machines cannot be switched.
    power: PowerDrivers | None = None
    #: None: no disk images can be imported here.
    disk_imports: DiskImports | None = None
    #: None: no disk images can be built here.
    disk_builds: DiskBuilds | None = None
    #: None: no mirrors are read.
    image_documents: ImageDocuments | None = None
    settings: ServiceSettings = field(default_factory=ServiceSettings)
