"""The error taxonomy: what callers can fix, a correct no, what the world refused, what got stuck.

HostloomError
├── RequestError          the caller can fix the request
│   ├── InvalidValue         field, value, problem, allowed
│   │   ├── Conflict             and what it collides with
│   │   └── NotTogether          options that exclude each other
│   ├── ConstraintError      code, field, column, value, expected
│   ├── NotFound             kind, key, owner
│   │   └── PlanGone             kind, key
│   ├── AlreadyExists        kind, key, by
│   ├── AddressOnWire        ip, machine, nic, macs
│   ├── InUse                kind, key, by
│   ├── Stale                what the request was based on has changed
│   │   ├── StaleGeneration      kind, key, wanted, found
│   │   ├── WorldChanged         planned, current
│   │   ├── RoomTaken            host
│   │   ├── ReadMeanwhile        host
│   │   └── PlanTaken            plan
│   ├── IdempotencyConflict  key
│   ├── IdempotencyPending   key
│   ├── WrongState           kind, key, state, wanted
│   ├── MachineDiffers       machine, differences
│   ├── NothingFits          reasons
│   ├── PlanStale            plan, differences
│   ├── Cancelled
│   ├── NotAuthenticated
│   ├── DecisionTooLong      limit_s
│   ├── TooManyRequests      what, wait_s
│   ├── ReportRefused        a machine's report without leave
│   └── NotPermitted         who, action
├── Refused               a correct no, with its code and explanation
│   └── HostFull             subject, wanted, found
├── DriverError           the world said no; `retryable` says if trying again can help
│   ├── HostUnreachable      host, cause
│   ├── HostKeyUnknown       host, fingerprint
│   ├── HostKeyChanged       host, wanted, found
│   ├── HostRefused          host, cause (credentials, permissions)
│   ├── HostUnreadable       host, part, cause: it answered with what cannot be understood
│   ├── HostNotScannable     uri
│   ├── HypervisorRejected   host, action, cause
│   ├── OutcomeUnknown       host, action: a changing call ran out of time
│   ├── DhcpUnreachable      cause
│   ├── DhcpRejected         cause: Kea's own words
│   └── ImageFailed          what, cause
├── DatabaseUnavailable   trouble: the database is locked, full, read-only or gone
└── ConfigError           setting, value, expected

No HTTP here: the faces map classes to statuses.
"""

from collections.abc import Sequence
from enum import StrEnum


class HostloomError(Exception):
    """Anything hostloom reports by name; `code` is stable, `hint` says what to do next."""

    code = "error"
    hint = ""

    @property
    def details(self) -> dict[str, object]:
        """The structured fields, for the API."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_") and key != "hint"}


class RequestError(HostloomError):
    """The caller can fix the request."""

    code = "bad-request"


class InvalidValue(RequestError):
    """A field's value cannot be used.

    The message is a sentence: field and value are its subject, `problem` is its verb and object ("is the
    gateway of 10.0.0.0/24"). `allowed` is what the caller can do instead ("choose a free host address").
    Text is shown in quotes, addresses and numbers without; None stands for a missing or hidden value.
    """

    code = "invalid-value"

    def __init__(self, field: str, value: object, problem: str, allowed: str = "") -> None:
        super().__init__(" ".join(filter(None, (field, shown_value(value), _sentence(problem, allowed)))))
        self.field, self.value, self.problem, self.allowed = field, _plain(value), problem, allowed

    @property
    def predicate(self) -> str:
        """The message without field and value, for places that show those by themselves."""
        return _sentence(self.problem, self.allowed)

    @property
    def details(self) -> dict[str, object]:
        """With `expected`, the older name of what is allowed."""
        return super().details | {"expected": self.allowed or self.problem}


class Conflict(InvalidValue):
    """The value is well formed but collides with `other`, which exists already."""

    def __init__(self, field: str, value: object, relation: str, other: str, allowed: str = "") -> None:
        super().__init__(field, value, f"{relation} {other}", allowed)
        self.other = other


class NotTogether(InvalidValue):
    """Two options that exclude each other were given."""

    def __init__(self, option: str, other: str, allowed: str = "give one of them") -> None:
        super().__init__(option, None, f"and {other} exclude each other", allowed)
        self.options = (option, other)


#: How kinds are written in sentences, where that is not the kind itself.
_KINDS = {"vlan": "VLAN"}


def _named(kind: str, key: object) -> str:
    """A thing in a sentence: `host 'kvm1'`, `address 10.0.0.5`; without a key the kind alone."""
    return " ".join(filter(None, (_KINDS.get(kind, kind), "" if key == "" else shown_value(key))))


def _sentence(problem: str, allowed: str) -> str:
    return f"{problem}; {allowed}" if allowed else problem


#: Longer values are shortened in messages.
_MAX_SHOWN = 100


def shown_value(value: object) -> str:
    """A value in a sentence: text in quotes, long ones shortened, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(shown_value, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _plain(value: object) -> object:
    """As JSON can hold it."""
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


class ConstraintError(RequestError):
    """A constraint or storage string does not parse; `column` counts from 1."""

    def __init__(self, code: str, field: str, column: int, value: str, expected: str) -> None:
        super().__init__(f"{field}, column {column}: found {value!r}, expected {expected}")
        self.code = code
        self.field, self.column, self.value, self.expected = field, column, value, expected


class NotFound(RequestError):
    """Nothing has that name or id; or its `owner` has no such part."""

    code = "not-found"

    def __init__(self, kind: str, key: object, owner: str = "") -> None:
        thing = _named(kind, key)
        text = f"{owner} has no {thing}" if owner else f"there is no {thing}"
        if kind == "vlan" and "/" not in str(key):
            text = f"{text}; name it FABRIC/VID"
        super().__init__(text)
        self.kind, self.key, self.owner = kind, str(key), owner


class PlanGone(NotFound):
    """No plan has that id, or no longer: they are kept for a quarter of an hour."""

    hint = "plans are forgotten after 15 minutes: make a new one with `hostloom machine plan`"

    def __init__(self, plan_id: str) -> None:
        super().__init__("plan", plan_id)


class AlreadyExists(RequestError):
    """The name, address or MAC is taken; `problem` says how where it does not simply exist."""

    code = "already-exists"

    def __init__(self, kind: str, key: object, problem: str = "") -> None:
        super().__init__(f"{_named(kind, key)} {problem or 'exists already'}")
        self.kind, self.key, self.by = kind, str(key), problem


class AddressOnWire(RequestError):
    """Somebody on the wire has an address that was planned for a machine."""

    code = "address-on-wire"
    hint = "find who it is, or set the address aside with `hostloom address create` and compose again"

    def __init__(self, ip: object, machine: str, nic: str, macs: Sequence[object]) -> None:
        by = ", ".join(map(str, macs))
        super().__init__(f"address {ip} for NIC {nic} of machine {machine} is in use on the wire by MAC {by}")
        self.ip, self.machine, self.nic, self.macs = str(ip), machine, nic, tuple(map(str, macs))


class InUse(RequestError):
    """Deleting or changing it would hurt those who use it; `by` names them."""

    code = "in-use"

    def __init__(self, kind: str, key: object, by: Sequence[str], hint: str = "") -> None:
        super().__init__(f"{_named(kind, key)} is in use by {', '.join(by)}")
        self.hint = hint
        self.kind, self.key, self.by = kind, str(key), tuple(by)


class Stale(RequestError):
    """What the request was based on has changed in the meantime."""

    code = "stale"
    hint = "read it again and repeat the request"


class StaleGeneration(Stale):
    """The row has another generation than the caller read; `found` is None where it is not known."""

    def __init__(self, kind: str, key: object, wanted: int, found: int | None = None) -> None:
        now = "" if found is None else f"; it has generation {found} now"
        super().__init__(f"{_named(kind, key)} has changed since generation {wanted}{now}")
        self.kind, self.key = kind, str(key)
        self.wanted, self.found = str(wanted), "" if found is None else str(found)


class WorldChanged(Stale):
    """A plan was made of an earlier revision of the world, and what it counted on is taken."""

    hint = "repeat the request"

    def __init__(self, planned: int, current: int) -> None:
        super().__init__(
            f"the plan was made at revision {planned}, and the world has changed: it is at {current}"
        )
        self.planned, self.current = planned, current


class RoomTaken(Stale):
    """Parallel requests filled the host that was chosen."""

    hint = "repeat the request"

    def __init__(self, host: str) -> None:
        super().__init__(f"host {host!r} no longer has room for the machine: other requests have filled it")
        self.host = host


class ReadMeanwhile(Stale):
    """A later reading of the host is recorded already."""

    hint = "nothing needs to be done: the later reading counts"

    def __init__(self, host: str) -> None:
        super().__init__(f"host {host!r} was read again while this reading was under way")
        self.host = host


class PlanTaken(Stale):
    """A parallel request applies the same plan."""

    hint = "wait for the operation of the other request"

    def __init__(self, plan: str) -> None:
        super().__init__(f"plan {plan!r} is being applied by another request")
        self.plan = plan


class IdempotencyConflict(RequestError):
    """The idempotency key was used before with another request."""

    code = "idempotency-conflict"

    def __init__(self, key: str) -> None:
        super().__init__(f"idempotency key {key!r} was used for a different request")
        self.key = key


class IdempotencyPending(RequestError):
    """A request with this idempotency key is being answered, or its process died before it was."""

    code = "idempotency-pending"
    hint = "wait for the first request; if its server died, see what it did before you use a new key"

    def __init__(self, key: str) -> None:
        super().__init__(f"the request with idempotency key {key!r} has not been answered yet")
        self.key = key


class WrongState(RequestError):
    """Its state does not allow this; `wanted` is the clause that says what would."""

    code = "wrong-state"

    def __init__(self, kind: str, key: object, state: str, wanted: str, hint: str = "") -> None:
        super().__init__(f"{_named(kind, key)} is {state}; {wanted}")
        self.hint = hint
        self.kind, self.key, self.state, self.wanted = kind, str(key), state, wanted


class MachineDiffers(RequestError):
    """The machine on the host is not the one that was composed; `differences` says how, in words."""

    code = "machine-differs"
    hint = "undo the change on its host, or take the machine apart with `hostloom machine decompose`"

    def __init__(self, machine: str, differences: Sequence[str]) -> None:
        super().__init__(f"machine {machine!r} is not what was composed: {'; '.join(differences)}")
        self.machine, self.differences = machine, tuple(differences)


class NothingFits(RequestError):
    """No machine is free that has what was asked for, and none can be composed."""

    code = "nothing-fits"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"no machine fits: {'; '.join(reasons) or 'there is none'}")
        self._reasons = tuple(reasons)


class PlanStale(RequestError):
    """What was planned is no longer what would be decided; `text` has the differences in words."""

    code = "plan-stale"
    hint = "plan again, and look at what is different"

    def __init__(self, plan: str, differences: Sequence[object], text: Sequence[str]) -> None:
        super().__init__(f"plan {plan} is out of date: {'; '.join(text)}")
        self.plan, self._differences, self._text = plan, tuple(differences), tuple(text)

    @property
    def differences(self) -> tuple[object, ...]:
        """model.stored_plan.PlanDifference (typed as object: errors are imported by everything)."""
        return self._differences

    @property
    def text(self) -> tuple[str, ...]:
        """The same in words, one line each."""
        return self._text


class Cancelled(RequestError):
    """The user asked the operation to stop while it was in a long step."""

    code = "cancelled"


class NotAuthenticated(RequestError):
    """No token, or one that is not known."""

    code = "not-authenticated"
    hint = "send `Authorization: Bearer TOKEN`; `hostloom token create` makes one"


class DecisionTooLong(RequestError):
    """A decision took more of the processor than any sensible request needs."""

    code = "decision-too-long"
    hint = "ask for fewer machines, labels or constraints at a time"

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"no decision within {limit_s:g} s: the request is too large for this estate")
        self.limit_s = limit_s


class TooManyRequests(RequestError):
    """Somebody asks more often than anybody needs to, or more than fits waits already."""

    code = "too-many-requests"

    def __init__(self, what: str, wait_s: int = 30) -> None:
        super().__init__(f"too many {what}: try again in {wait_s} s")
        self.what, self.wait_s = what, wait_s


class NotPermitted(RequestError):
    """The user may not do this."""

    code = "not-permitted"

    def __init__(self, who: str, action: str) -> None:
        super().__init__(f"user {who!r} may not {action}")
        self.who, self.action = who, action


class ReportRefused(RequestError):
    """A machine reports without leave; its secret is named nowhere."""

    code = "report-refused"

    def __init__(self) -> None:
        super().__init__(
            "this report is not taken: its token is wrong, has been used or has expired, or it is another "
            "machine's; boot from the network again to get a new one"
        )


class Refused(HostloomError):
    """A correct no: the request is well formed, but a rule refuses it.

    `explanation` is a model.plan.Explanation (typed as object: errors are imported by everything).
    """

    def __init__(self, code: str, message: str, explanation: object = None) -> None:
        super().__init__(message)
        self.code = code
        self._explanation = explanation

    @property
    def explanation(self) -> object:
        """The model.plan.Explanation of the refusal, or None."""
        return self._explanation


class HostFull(Refused):
    """The host has no room for `subject`, a host or a disk: what is wanted of it, and what it has left."""

    def __init__(
        self, code: str, message: str, explanation: object, subject: str, *, wanted: str, found: str
    ) -> None:
        super().__init__(code, message, explanation)
        self.subject, self.wanted, self.found = subject, wanted, found


class DriverError(HostloomError):
    """The world outside said no."""

    code = "driver-error"
    retryable = False


class HostUnreachable(DriverError):
    """The host does not answer."""

    code = "host-unreachable"
    retryable = True

    def __init__(self, host: str, cause: str) -> None:
        super().__init__(f"host {host!r} cannot be reached: {cause}")
        self.host, self.cause = host, cause


class HostKeyUnknown(DriverError):
    """The host's SSH key is not pinned yet; show the fingerprint and ask."""

    code = "host-key-unknown"
    hint = "compare the fingerprint with the host's own and add the host with it"

    def __init__(self, host: str, fingerprint: str) -> None:
        super().__init__(f"the SSH key of {host!r} is not known: {fingerprint}")
        self.host, self.fingerprint = host, fingerprint


class HostKeyChanged(DriverError):
    """The host shows another SSH key than the pinned one: nothing is sent to it."""

    code = "host-key-changed"
    hint = "if it was reinstalled, compare its key and accept it: `hostloom host update NAME --accept-key …`"

    def __init__(self, host: str, wanted: str, found: str) -> None:
        super().__init__(f"the SSH key of {host!r} has changed: pinned {wanted}, found {found}")
        self.host, self.wanted, self.found = host, wanted, found


class HostRefused(DriverError):
    """The host answers but does not let us in."""

    code = "host-refused"

    def __init__(self, host: str, cause: str) -> None:
        super().__init__(f"host {host!r} refused the connection: {cause}")
        self.host, self.cause = host, cause


class HostUnreadable(DriverError):
    """The host answers, but a part of it as a whole cannot be read."""

    code = "host-unreadable"

    def __init__(self, host: str, part: str, cause: str) -> None:
        super().__init__(f"{part} of host {host!r} cannot be read: {cause}")
        self.host, self.part, self.cause = host, part, cause


class HostNotScannable(DriverError):
    """The URI gives no way to the host's links (TLS, test driver, a bare socket), or `cause` stands in it."""

    code = "host-not-scannable"
    hint = "say what cannot be seen with `hostloom node interface update`"

    def __init__(self, uri: str, cause: str = "that takes SSH or the machine itself") -> None:
        super().__init__(f"the links of {uri!r} cannot be read: {cause}")
        self.uri, self.cause = uri, cause


class WireRefused(DriverError):
    """An interface cannot take a probe."""

    code = "wire-refused"

    def __init__(self, where: str, cause: str) -> None:
        super().__init__(f"no probe can be put on {where}: {cause}")
        self.where = where


class HypervisorRejected(DriverError):
    """libvirt refused an action; `cause` keeps its words."""

    code = "hypervisor-rejected"

    def __init__(self, host: str, action: str, cause: str) -> None:
        super().__init__(f"cannot {action} on host {host!r}: {cause}")
        self.host, self.action, self.cause = host, action, cause


class OutcomeUnknown(DriverError):
    """A changing call ran out of time, or its connection broke (`cause`): observe before trying again."""

    code = "outcome-unknown"
    retryable = True

    def __init__(self, host: str, action: str, timeout_s: float, cause: str = "") -> None:
        late = f"did not answer within {timeout_s:g} s"
        super().__init__(f"{action} on host {host!r} {f'was cut off: {cause}' if cause else late}")
        self.host, self.action, self.timeout_s, self.cause = host, action, timeout_s, cause


class DhcpUnreachable(DriverError):
    """The DHCP server's control socket does not answer."""

    code = "dhcp-unreachable"
    retryable = True

    def __init__(self, cause: str) -> None:
        super().__init__(f"the DHCP server cannot be reached: {cause}")
        self.cause = cause


class DhcpRejected(DriverError):
    """The DHCP server refused a configuration; the running one is unchanged."""

    code = "dhcp-rejected"

    def __init__(self, cause: str) -> None:
        super().__init__(f"the DHCP server refused the configuration: {cause}")
        self.cause = cause


class ImageFailed(DriverError):
    """A boot image could not be built; what there was is still there."""

    code = "image-failed"

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(f"the boot image cannot be built: {what}: {cause}")
        self.what, self.cause = what, cause


class DatabaseTrouble(StrEnum):
    """What is wrong with the database, as the end of a sentence about it."""

    LOCKED = "another process has locked it"
    FULL = "its disk is full"
    READ_ONLY = "it is read-only"
    GONE = "it is gone or does not answer"
    BUSY = "it takes no more connections"
    DAMAGED = "it is damaged"
    FAILING = "its disk or its server fails"


_DATABASE_HINTS = {
    DatabaseTrouble.LOCKED: "try again; if it stays so, find the process that holds the lock and end it",
    DatabaseTrouble.FULL: "make room on the disk that holds the database; operations go on by themselves",
    DatabaseTrouble.READ_ONLY: "let hostloom write to the database; operations go on by themselves",
    DatabaseTrouble.BUSY: "try again; if it stays so, let the database take more connections",
    DatabaseTrouble.DAMAGED: "restore the database from a backup",
}


class DatabaseUnavailable(HostloomError):
    """The database cannot be used now; nothing was changed. The server's log has the driver's words."""

    code = "database-unavailable"

    def __init__(self, trouble: DatabaseTrouble) -> None:
        super().__init__(f"the database cannot be used: {trouble.value}")
        self.trouble = trouble.name.lower().replace("_", "-")
        self.hint = _DATABASE_HINTS.get(
            trouble, "see that the database is there; operations go on by themselves when it is back"
        )

    @property
    def is_lost(self) -> bool:
        """Whether the connection was lost: a commit that was under way may count or not."""
        return self.trouble == "gone"

    @property
    def details(self) -> dict[str, object]:
        """The trouble alone."""
        return {"trouble": self.trouble}


class ConfigError(HostloomError):
    """A setting is wrong; hostloom does not start."""

    code = "config-error"

    def __init__(self, setting: str, value: object, expected: str) -> None:
        super().__init__(f"setting {setting}: {value!r} is not {expected}")
        self.setting, self.value, self.expected = setting, value, expected


class LeaseLost(HostloomError):
    """Another process took the operation over; this one must stop touching it."""

    code = "lease-lost"

    def __init__(self, operation: str) -> None:
        super().__init__(f"operation {operation} was taken over by another process")
        self.operation = operation
