"""Deployments: the operating system that a machine gets from a disk image, and how far it has come."""

from dataclasses import dataclass, field
from enum import StrEnum

from hostloom.model.ids import HostId, SystemId
from hostloom.model.node import BridgeKind

#: Of a machine that hostloom composes: the disk that cloud-init reads its configuration from.
SEED_DISK = "seed"
#: Enough for the largest user-data and all keys that a deployment may have.
SEED_SIZE_BYTES = 1 << 20
MAX_SSH_KEYS = 100
#: Of all public keys of a deployment together.
MAX_SSH_KEYS_BYTES = 256 * 1024


class DeployStep(StrEnum):
    """What a deployment does now, or did last."""

    IMAGE = "image"
    CLONE = "clone"
    SEED = "seed"
    POWER = "power"
    WRITE = "write"
    #: A bare machine that is released overwrites its disk.
    ERASE = "erase"
    VERIFY = "verify"
    NETWORK = "network"
    BOOT = "boot"
    PHONE_HOME = "phone-home"
    REGISTER = "register"


@dataclass(frozen=True, slots=True)
class KvmOptions:
    """How a machine becomes a KVM host: which of its interfaces get a bridge, and of what kind."""

    #: Whether every interface with an address or lease gets a bridge. None: only if `bridges` is empty.
    bridge_all: bool | None = None
    #: Interfaces that get a bridge, with or without addresses.
    bridges: tuple[str, ...] = ()
    bridge_kind: BridgeKind = BridgeKind.STANDARD
    stp: bool = False
    forward_delay_s: int = 15
    #: None: that of the interface.
    mtu: int | None = None

    @property
    def bridges_every_configured(self) -> bool:
        """Whether every interface with an address or lease gets a bridge."""
        return not self.bridges if self.bridge_all is None else self.bridge_all


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """What a user wants to be installed on a machine."""

    #: A disk image by name.
    image: str
    #: The account that the SSH keys open; blank: that of the image.
    user: str = ""
    #: Public keys; empty: those of the user who asks.
    ssh_keys: tuple[str, ...] = ()
    #: For cloud-init, beside hostloom's own part.
    user_data: str = field(default="", repr=False)
    #: Of a bare machine: the disk that is wiped, by name or serial; blank: chosen by rule.
    disk: str = ""
    #: Set: the machine becomes a KVM host.
    kvm: KvmOptions | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is installed on a machine, or being installed; one for each machine."""

    system_id: SystemId
    #: Name of the disk image, and the SHA-256 of its raw disk.
    image: str
    image_sha256: str
    #: Seconds since the epoch.
    started_at: float
    #: cloud-init configures a machine once for each instance id.
    instance_id: str = ""
    user: str = ""
    ssh_keys: tuple[str, ...] = ()
    user_data: str = field(default="", repr=False)
    kvm: KvmOptions | None = None
    disk: str = ""
    #: Whether the disk is erased quickly when the machine is released.
    quick_erase: bool = False
    step: DeployStep = DeployStep.IMAGE
    done_bytes: int = 0
    total_bytes: int = 0
    #: Hash of the token with which the machine reports; empty: it does not report.
    token_sha256: str = ""
    #: When a machine that has not reported counts as failed; None: no report is awaited.
    deadline: float | None = None
    #: When the machine reported; None: not yet.
    reported_at: float | None = None
    #: When it was deployed or failed.
    finished_at: float | None = None
    #: SSH host keys as the machine reported them: `ssh-ed25519 AAAA…`.
    host_keys: tuple[str, ...] = ()
    failure: str = ""
    #: The console's last lines when it failed.
    boot_output: str = ""

    @property
    def is_started(self) -> bool:
        """Whether the operation that deploys the machine has done its part."""
        return self.step in (DeployStep.PHONE_HOME, DeployStep.BOOT)


@dataclass(frozen=True, slots=True)
class DeployReport:
    """What a machine reports when its new system runs."""

    #: Public SSH host keys: type and data.
    host_keys: tuple[str, ...]
    #: What went wrong, as cloud-init says.
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiskProgress:
    """How far a bare machine is with writing its disk, as it reports."""

    step: DeployStep
    done_bytes: int
    total_bytes: int
    #: The disk is written, and the machine starts from it now.
    is_done: bool = False
    #: Why it stopped; empty: it did not.
    failure: str = ""
    #: The console's last lines, with a failure.
    output: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageCopy:
    """The copy of a disk image in a storage pool of a host, which the disks of machines are cloned from."""

    host_id: HostId
    pool: str
    sha256: str
    volume: str
    #: False: it is being uploaded, or was when the upload broke off.
    complete: bool = False
    #: The operation that uploads it.
    operation_id: str = ""


def copy_volume(sha256: str) -> str:
    """The volume of an image's copy."""
    return f"hostloom-image-{sha256[:16]}.qcow2"
