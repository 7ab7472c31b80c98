"""Responses for errors of hostloom, with the statuses and field names of MAAS."""

from collections.abc import Mapping

from hostloom.compat.maas2.responses import MaasResponse, answer, text
from hostloom.decide.explain.explain import hint_of, render
from hostloom.model.errors.base import DriverError, HostloomError, RequestError
from hostloom.model.errors.outside import (
    DhcpRejected,
    DhcpUnreachable,
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
from hostloom.model.errors.refusals import DecisionTooLong, HostFull, NothingFits, Refused
from hostloom.model.errors.resources import (
    AddressOnWire,
    AlreadyExists,
    InUse,
    MachineDiffers,
    NotFound,
    PlanGone,
    WrongState,
)
from hostloom.model.errors.server import Cancelled, ConfigError, DatabaseUnavailable, LeaseLost
from hostloom.model.errors.stale import (
    IdempotencyConflict,
    IdempotencyPending,
    PlanStale,
    PlanTaken,
    ReadMeanwhile,
    RoomTaken,
    Stale,
    StaleGeneration,
    WorldChanged,
)
from hostloom.model.errors.values import Conflict, ConstraintError, InvalidValue, NotTogether
from hostloom.model.plan import Explanation
from hostloom.model.reasons import RequestCode

STATUS: Mapping[type[HostloomError], int] = {
    HostloomError: 500,
    RequestError: 400,
    InvalidValue: 400,
    Conflict: 400,
    NotTogether: 400,
    ConstraintError: 400,
    NotFound: 404,
    PlanGone: 404,
    AlreadyExists: 400,
    AddressOnWire: 409,
    InUse: 409,
    Stale: 409,
    StaleGeneration: 409,
    WorldChanged: 409,
    RoomTaken: 409,
    ReadMeanwhile: 409,
    PlanTaken: 409,
    IdempotencyConflict: 409,
    IdempotencyPending: 409,
    WrongState: 409,
    MachineDiffers: 409,
    NothingFits: 409,
    PlanStale: 409,
    Cancelled: 409,
    NotAuthenticated: 401,
    NotPermitted: 403,
    TooManyRequests: 429,
    DecisionTooLong: 400,
    ReportRefused: 403,
    Refused: 400,
    HostFull: 400,
    DriverError: 503,
    HostUnreachable: 503,
    HostKeyUnknown: 409,
    HostKeyChanged: 503,
    HostRefused: 503,
    HostUnreadable: 503,
    HostNotScannable: 503,
    WireRefused: 503,
    HypervisorRejected: 503,
    OutcomeUnknown: 503,
    DhcpUnreachable: 503,
    DhcpRejected: 503,
    ImageFailed: 503,
    SeedDiskFailed: 503,
    PowerRefused: 503,
    PowerUnconfirmed: 503,
    PowerUnreachable: 503,
    DatabaseUnavailable: 503,
    ConfigError: 500,
    LeaseLost: 409,
}

#: MAAS's names of fields that have another name in hostloom.
FIELDS = {
    "memory_mib": "memory",
    "uri": "power_address",
    "resource_pool": "pool",
    "kind": "type",
    "public_key": "key",
    "gateway": "gateway_ip",
    "start": "start_ip",
    "end": "end_ip",
    "space_id": "space",
    "relay": "relay_vlan",
    "primary": "primary_rack",
    "secondary": "secondary_rack",
    "admin": "is_superuser",
    "default_pool": "default_storage_pool",
}

#: MAAS's names of the kinds of records in 404s.
KINDS = {
    "fabric": "Fabric",
    "vlan": "VLAN",
    "space": "Space",
    "subnet": "Subnet",
    "range": "IPRange",
    "zone": "Zone",
    "resource pool": "ResourcePool",
    "domain": "Domain",
    "tag": "Tag",
    "user": "User",
    "host": "Pod",
    "machine": "Machine",
    "node": "Node",
    "interface": "Interface",
}

#: The fields with the name of a record, unless it is `name`.
_NAMED_BY = {"node": "hostname", "machine": "hostname", "user": "username"}
#: Refusals with another status than 400: 503 for temporary causes, 404 for missing or used ones.
REFUSED: Mapping[str, int] = {
    RequestCode.NOT_ENOUGH_CORES: 503,
    RequestCode.NOT_ENOUGH_MEMORY: 503,
    RequestCode.POOL_FULL: 503,
    RequestCode.SUBNET_FULL: 503,
    RequestCode.HOST_UNREACHABLE: 503,
    RequestCode.UNKNOWN_SPACE: 404,
    RequestCode.ADDRESS_IN_USE: 404,
    RequestCode.ADDRESS_IN_RANGE: 404,
    RequestCode.ADDRESS_RESERVED: 404,
}
#: Fields whose text is the subject of a refusal.
_TEXTS = ("interfaces", "storage")


def fault_of(error: HostloomError) -> MaasResponse:
    """Make the response for an error: a map of lists for field errors, else plain text."""
    status = STATUS[type(error)]
    if isinstance(error, InvalidValue | ConstraintError):
        return answer({FIELDS.get(error.field, error.field): [str(error)]}, status)
    if isinstance(error, AlreadyExists):
        field = _NAMED_BY.get(error.kind, "name" if error.kind in KINDS else "__all__")
        return answer({field: [str(error)]}, status)
    if isinstance(error, NotFound) and error.kind in KINDS:
        return text(f"No {KINDS[error.kind]} matches the given query.", status)
    if isinstance(error, NotAuthenticated):
        return text(f"Authorization Error: {error}", status)
    if isinstance(error, Refused):
        return _refusal(error, REFUSED.get(error.code, status))
    return text(f"{error}\n{error.hint}" if error.hint else str(error), status)


def _refusal(error: Refused, status: int) -> MaasResponse:
    """Make the response for a refusal: lines at the field at fault, else the explanation as plain text."""
    if not isinstance(error.explanation, Explanation):
        return text(str(error), status)
    lines = render(error.explanation)
    refusal = error.explanation.refusal
    if status == 400 and refusal is not None and refusal.subject in _TEXTS:
        return answer({refusal.subject: lines}, status)
    hint = hint_of(error.explanation)
    return text("\n".join([*lines, *([hint] if hint and hint not in lines else [])]), status)
