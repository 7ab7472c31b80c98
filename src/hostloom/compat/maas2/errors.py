"""Our errors as MAAS answered them: its statuses, and its names for the fields."""

from collections.abc import Mapping

from hostloom.compat.maas2.responses import MaasResponse, answer, text
from hostloom.decide.explain.explain import hint_of, render
from hostloom.model import errors
from hostloom.model.errors import HostloomError
from hostloom.model.plan import Explanation, RequestCode

STATUS: Mapping[type[HostloomError], int] = {
    errors.HostloomError: 500,
    errors.RequestError: 400,
    errors.InvalidValue: 400,
    errors.Conflict: 400,
    errors.NotTogether: 400,
    errors.ConstraintError: 400,
    errors.NotFound: 404,
    errors.PlanGone: 404,
    errors.AlreadyExists: 400,
    errors.AddressOnWire: 409,
    errors.InUse: 409,
    errors.Stale: 409,
    errors.StaleGeneration: 409,
    errors.WorldChanged: 409,
    errors.RoomTaken: 409,
    errors.ReadMeanwhile: 409,
    errors.PlanTaken: 409,
    errors.IdempotencyConflict: 409,
    errors.IdempotencyPending: 409,
    errors.WrongState: 409,
    errors.MachineDiffers: 409,
    errors.NothingFits: 409,
    errors.PlanStale: 409,
    errors.Cancelled: 409,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.TooManyRequests: 429,
    errors.DecisionTooLong: 400,
    errors.ReportRefused: 403,
    errors.Refused: 400,
    errors.HostFull: 400,
    errors.DriverError: 503,
    errors.HostUnreachable: 503,
    errors.HostKeyUnknown: 409,
    errors.HostKeyChanged: 503,
    errors.HostRefused: 503,
    errors.HostUnreadable: 503,
    errors.HostNotScannable: 503,
    errors.WireRefused: 503,
    errors.HypervisorRejected: 503,
    errors.OutcomeUnknown: 503,
    errors.DhcpUnreachable: 503,
    errors.DhcpRejected: 503,
    errors.ImageFailed: 503,
    errors.DatabaseUnavailable: 503,
    errors.ConfigError: 500,
    errors.LeaseLost: 409,
}

#: Our names of fields, where MAAS has another.
FIELDS = {
    "memory_mib": "memory",
    "uri": "power_address",
    "resource_pool": "pool",
    "kind": "type",
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

#: What MAAS calls our things in its 404s.
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

#: Fields that hold the name of a thing, where that is not `name`.
_NAMED_BY = {"node": "hostname", "machine": "hostname", "user": "username"}
#: Refusals that MAAS had another status for than 400: no room, which may pass; what is not there or taken.
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
#: What refusals of the text of a field call their subject.
_TEXTS = ("interfaces", "storage")


def fault_of(error: HostloomError) -> MaasResponse:
    """The answer of an error; field errors as a map of lists, the rest as text."""
    status = STATUS[type(error)]
    if isinstance(error, errors.InvalidValue | errors.ConstraintError):
        return answer({FIELDS.get(error.field, error.field): [str(error)]}, status)
    if isinstance(error, errors.AlreadyExists):
        field = _NAMED_BY.get(error.kind, "name" if error.kind in KINDS else "__all__")
        return answer({field: [str(error)]}, status)
    if isinstance(error, errors.NotFound) and error.kind in KINDS:
        return text(f"No {KINDS[error.kind]} matches the given query.", status)
    if isinstance(error, errors.NotAuthenticated):
        return text(f"Authorization Error: {error}", status)
    if isinstance(error, errors.Refused):
        return _refusal(error, REFUSED.get(error.code, status))
    return text(f"{error}\n{error.hint}" if error.hint else str(error), status)


def _refusal(error: errors.Refused, status: int) -> MaasResponse:
    """What is wrong with a field's text stands at the field; all else is the whole explanation as text."""
    if not isinstance(error.explanation, Explanation):
        return text(str(error), status)
    lines = render(error.explanation)
    refusal = error.explanation.refusal
    if status == 400 and refusal is not None and refusal.subject in _TEXTS:
        return answer({refusal.subject: lines}, status)
    hint = hint_of(error.explanation)
    return text("\n".join([*lines, *([hint] if hint and hint not in lines else [])]), status)
