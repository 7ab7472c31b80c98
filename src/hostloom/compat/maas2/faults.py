"""Our errors as MAAS answered them: its statuses, and its names for the fields."""

from collections.abc import Mapping

from hostloom.compat.maas2.answers import Answer, answer, text
from hostloom.decide.explain.explain import hint_of, render
from hostloom.model import errors
from hostloom.model.errors import HostloomError
from hostloom.model.plan import Explanation

STATUS: Mapping[type[HostloomError], int] = {
    errors.HostloomError: 500,
    errors.RequestError: 400,
    errors.InvalidValue: 400,
    errors.ConstraintError: 400,
    errors.NotFound: 404,
    errors.PlanGone: 404,
    errors.AlreadyExists: 400,
    errors.AddressOnWire: 409,
    errors.InUse: 409,
    errors.StaleGeneration: 409,
    errors.IdempotencyConflict: 409,
    errors.IdempotencyPending: 409,
    errors.WrongState: 409,
    errors.PlanStale: 409,
    errors.Cancelled: 409,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.ReportRefused: 403,
    errors.Refused: 400,
    errors.DriverError: 503,
    errors.HostUnreachable: 503,
    errors.HostKeyUnknown: 409,
    errors.HostKeyChanged: 503,
    errors.HostRefused: 503,
    errors.HostNotScannable: 503,
    errors.WireRefused: 503,
    errors.HypervisorRejected: 503,
    errors.OutcomeUnknown: 503,
    errors.DhcpUnreachable: 503,
    errors.DhcpRejected: 503,
    errors.ImageFailed: 503,
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

#: Refusals for want of room: clients may try again, as with MAAS.
NO_ROOM = frozenset({"not-enough-cores", "not-enough-memory", "not-enough-storage"})


def fault_of(error: HostloomError) -> Answer:
    """The answer of an error; field errors as a map of lists, the rest as text."""
    status = STATUS[type(error)]
    if isinstance(error, errors.InvalidValue | errors.ConstraintError):
        return answer({FIELDS.get(error.field, error.field): [str(error)]}, status)
    if isinstance(error, errors.AlreadyExists):
        return answer({"__all__" if error.kind not in KINDS else "name": [str(error)]}, status)
    if isinstance(error, errors.NotFound) and error.kind in KINDS:
        return text(f"No {KINDS[error.kind]} matches the given query.", status)
    if isinstance(error, errors.NotAuthenticated):
        return text(f"Authorization Error: {error}", status)
    if isinstance(error, errors.Refused):
        return text(_words(error), 503 if error.code in NO_ROOM else status)
    return text(f"{error}\n{error.hint}" if error.hint else str(error), status)


def _words(error: errors.Refused) -> str:
    if not isinstance(error.explanation, Explanation):
        return str(error)
    lines = render(error.explanation)
    hint = hint_of(error.explanation)
    return "\n".join([*lines, *([hint] if hint else [])])
