"""Deployments: the operating system that a machine gets from a disk image, and how far it has come."""

from dataclasses import dataclass, field
from enum import StrEnum

from hostloom.model.ids import HostId, SystemId
from hostloom.model.node import BridgeKind

#: Label of the disk from which cloud-init configures a composed machine.
SEED_DISK = "seed"
#: Enough for the largest user-data and all keys that a deployment may have.
SEED_SIZE_BYTES = 1 << 20
MAX_SSH_KEYS = 100
#: Limit for all public keys of a deployment together.
MAX_SSH_KEYS_BYTES = 256 * 1024


class DeployStep(StrEnum):
    """The current step of a deployment, or its last one."""

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
    """How a machine becomes a KVM host: the interfaces that get a bridge, and the kind of the bridges."""

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
    """The system that a user requests for a machine."""

    #: A disk image by name.
    image: str
    #: The account to which the SSH keys give access; blank: the default account of the image.
    user: str = ""
    #: Public keys; empty: the stored keys of the requesting user.
    ssh_keys: tuple[str, ...] = ()
    #: User-data for cloud-init, in addition to hostloom's own part.
    user_data: str = field(default="", repr=False)
    #: The disk of a bare machine that is wiped, by name or serial; blank: the smallest that fits.
    disk: str = ""
    #: Set: the machine becomes a KVM host.
    kvm: KvmOptions | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """The system that a machine has or is getting; a machine has at most one deployment."""

    system_id: SystemId
    #: Name of the disk image, and the SHA-256 of its raw disk.
    image: str
    image_sha256: str
    #: Seconds since the epoch.
    started_at: float
    #: cloud-init configures a machine once per instance id.
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
    #: The time after which a machine without a report counts as failed; None: no report is expected.
    deadline: float | None = None
    #: Time of the report; None: not yet.
    reported_at: float | None = None
    #: Time of the success or failure; None: the deployment is unfinished.
    finished_at: float | None = None
    #: SSH host keys as the machine reported them: `ssh-ed25519 AAAA…`.
    host_keys: tuple[str, ...] = ()
    failure: str = ""
    #: The last lines of the console at the time of the failure.
    boot_output: str = ""

    @property
    def is_started(self) -> bool:
        """Whether the operation that deploys the machine has started the new system."""
        return self.step in (DeployStep.PHONE_HOME, DeployStep.BOOT)


@dataclass(frozen=True, slots=True)
class DeployReport:
    """The report of a machine when its new system runs."""

    #: Public SSH host keys: type and data.
    host_keys: tuple[str, ...]
    #: The errors that cloud-init recorded.
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiskProgress:
    """The progress of a bare machine that writes its disk, from its own report."""

    step: DeployStep
    done_bytes: int
    total_bytes: int
    #: Whether the disk is written, so that the machine starts from it now.
    is_done: bool = False
    #: Why it failed; empty: it has not.
    failure: str = ""
    #: The last lines of the console, in case of a failure.
    output: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageCopy:
    """A copy of a disk image in a storage pool of a host; disks of machines are cloned from it."""

    host_id: HostId
    pool: str
    sha256: str
    volume: str
    #: False: its upload is running or was interrupted.
    complete: bool = False
    #: The operation that uploads it.
    operation_id: str = ""


def copy_volume(sha256: str) -> str:
    """The name of the volume with an image's copy."""
    return f"hostloom-image-{sha256[:16]}.qcow2"
