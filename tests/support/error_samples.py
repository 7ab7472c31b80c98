"""A realistic sample of every error class."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from hostloom.decide.explain.reason_texts import refused
from hostloom.model.errors.base import DriverError, HostloomError, RequestError
from hostloom.model.errors.outside import (
    DhcpRejected,
    DhcpUnreachable,
    DiskImageFailed,
    DownloadFailed,
    HostKeyChanged,
    HostKeyUnknown,
    HostNotScannable,
    HostRefused,
    HostUnreachable,
    HostUnreadable,
    HypervisorRejected,
    ImageFailed,
    OutcomeUnknown,
    PowerRefused,
    PowerUnconfirmed,
    PowerUnreachable,
    SeedDiskFailed,
    WireRefused,
)
from hostloom.model.errors.permissions import NotAuthenticated, NotPermitted, ReportRefused, TooManyRequests
from hostloom.model.errors.refusals import DecisionTooLong, NothingFits
from hostloom.model.errors.resources import (
    AddressOnWire,
    AlreadyExists,
    InUse,
    MachineDiffers,
    NotFound,
    PlanGone,
    WrongState,
)
from hostloom.model.errors.server import (
    Cancelled,
    ConfigError,
    DatabaseTrouble,
    DatabaseUnavailable,
    LeaseLost,
)
from hostloom.model.errors.stale import (
    IdempotencyConflict,
    IdempotencyPending,
    PlanStale,
    PlanTaken,
    ReadMeanwhile,
    RoomTaken,
    StaleGeneration,
    WorldChanged,
)
from hostloom.model.errors.values import Conflict, ConstraintError, InvalidValue, NotTogether
from hostloom.model.reasons import Refusal, RequestCode, SubjectKind

#: Classes that are only raised as one of their subclasses.
FAMILIES = frozenset({"HostloomError", "RequestError", "DriverError", "Stale"})
FINGERPRINT = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"


def error_classes(family: type[HostloomError]) -> Iterator[type[HostloomError]]:
    """A class and everything below it."""
    yield family
    for child in family.__subclasses__():
        yield from error_classes(child)


def samples() -> list[HostloomError]:
    """At least one of every class, in the order of the modules."""
    return [*_requests(), *_stale(), *_refusals(), *_outside(), *_server()]


def _requests() -> list[RequestError]:
    gateway = "is the gateway of 10.0.0.0/24"
    return [
        InvalidValue("ip", ip_address("10.0.0.1"), gateway, "choose a free host address of 10.0.0.0/24"),
        InvalidValue("subnet", None, "is missing, and several contain 10.0.0.9 (1, 2)", "give the id of one"),
        InvalidValue("hostname", "web", "is given to two machines of the request", "give each its own name"),
        InvalidValue("mtu", 99999, "is out of range", "choose 552 to 65535"),
        Conflict("cidr", ip_network("10.0.0.0/25"), "overlaps", "subnet 10.0.0.0/24 of fabric lan"),
        NotTogether("forget_key", "accept_key"),
        NotTogether("primary", "mode off", "only mode on takes racks"),
        ConstraintError("unknown-key", "interfaces", 6, "spce", "a key such as space, vlan or ip"),
        NotFound("host", "kvm9"),
        NotFound("vlan", "20"),
        NotFound("interface", "eth9", "node 'kvm1'"),
        PlanGone("00000006-0000-4000-8000-000000000000"),
        AlreadyExists("fabric", "lan"),
        AlreadyExists("address", ip_address("10.0.0.5"), "is held by web"),
        AlreadyExists("URI", "qemu+ssh://kvm1/system", "belongs to host 'kvm1'"),
        AddressOnWire("10.0.0.20", "web", "eth0", ["52:54:00:12:34:56"]),
        InUse("VLAN", "lan/20", ["subnet 10.0.20.0/24", "machine web"]),
        WrongState("machine", "web", "commissioning", "wait until its operation has ended"),
        WrongState(
            "machine", "web", "composed without network boot", "commissioning boots it from the network"
        ),
        MachineDiffers("web", ["NIC eth0 is on br1 instead of br0"]),
        NotAuthenticated("no token was sent"),
        NotPermitted("alice", "decompose machines"),
        TooManyRequests("failed logins", 60),
        ReportRefused(),
    ]


def _stale() -> list[RequestError]:
    return [
        StaleGeneration("host", "kvm1", 4, 5),
        StaleGeneration("machine", "web", 4),
        WorldChanged(5, 6),
        RoomTaken("kvm1"),
        ReadMeanwhile("kvm1"),
        PlanTaken("00000006-0000-4000-8000-000000000000"),
        PlanStale("00000006-0000-4000-8000-000000000000", (), ["eth0 gets 10.0.0.21 instead of 10.0.0.20"]),
        IdempotencyConflict("deploy-42"),
        IdempotencyPending("deploy-42"),
    ]


def _refusals() -> list[HostloomError]:
    cores = Refusal(
        "host_has_room", RequestCode.NOT_ENOUGH_CORES, SubjectKind.HOST, "kvm1", "8 cores", "2 cores free"
    )
    disk = Refusal(
        "disk_has_a_pool",
        RequestCode.POOL_FULL,
        SubjectKind.DISK,
        "root",
        "31 GB",
        "30 GB in default on kvm1",
    )
    unknown = Refusal("host_exists", RequestCode.UNKNOWN_HOST, SubjectKind.HOST, "kvm9")
    return [
        refused(unknown),
        refused(cores),
        refused(disk),
        NothingFits(["web: it has 2 cores, wanted: 4"]),
        DecisionTooLong(20),
    ]


def _outside() -> list[DriverError]:
    return [
        HostUnreachable("kvm1", "no answer within 10 s"),
        HostKeyUnknown("kvm1", FINGERPRINT),
        HostKeyChanged("kvm1", FINGERPRINT, FINGERPRINT.swapcase()),
        HostRefused("kvm1", "Permission denied (publickey)"),
        HostUnreadable("kvm1", "links", "`ip -j -d addr show` prints nothing"),
        HostNotScannable("qemu+tls://kvm1/system"),
        WireRefused("eth1 of kvm1", "it is down"),
        HypervisorRejected("kvm1", "start machine 'web'", "Cannot access storage file"),
        OutcomeUnknown("kvm1", "start machine 'web'", 60),
        OutcomeUnknown("kvm1", "start machine 'web'", 60, "the connection was closed"),
        DhcpUnreachable("/run/kea/kea4.sock: no answer within 5 s"),
        DhcpRejected("config-set: pool 10.0.0.0-10.0.0.9 is not in subnet 10.0.1.0/24"),
        ImageFailed("apt-get download linux-image-amd64", "it did not end within 600 s"),
        SeedDiskFailed("mformat", "it is not installed"),
        PowerUnreachable("10.0.0.9", "ipmitool did not end within 20 s"),
        PowerRefused("10.0.0.9", "power on", "user or password is wrong: RAKP 2 HMAC is invalid"),
        PowerUnconfirmed("10.0.0.9", "power off", "power off", "power on", 60.0),
        DiskImageFailed("debian-12.qcow2", "it has a backing file, so it is incomplete"),
        DownloadFailed("https://images.example/debian-12.qcow2", "the server answers 404 Not Found"),
    ]


def _server() -> list[HostloomError]:
    return [
        *map(DatabaseUnavailable, DatabaseTrouble),
        ConfigError("listen", "nowhere", "is not an address and a port", "write it like 127.0.0.1:5240"),
        Cancelled("cancelled"),
        LeaseLost("00000006-0000-4000-8000-000000000000"),
    ]
