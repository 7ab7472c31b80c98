"""A resource that is missing, taken, in use, or in a state that does not allow the request."""

from collections.abc import Sequence

from hostloom.model.errors.base import RequestError, named


class NotFound(RequestError):
    """No record has that name or id, or its `owner` has no such part."""

    code = "not-found"

    def __init__(self, kind: str, key: object, owner: str = "") -> None:
        thing = named(kind, key)
        text = f"{owner} has no {thing}" if owner else f"there is no {thing}"
        if kind == "vlan" and "/" not in str(key):
            text = f"{text}; name it FABRIC/VID"
        super().__init__(text)
        self.kind, self.key, self.owner = kind, str(key), owner


class PlanGone(NotFound):
    """No plan has that id. Plans are deleted after a quarter of an hour."""

    hint = "plans are forgotten after 15 minutes: make a new one with `hostloom machine plan`"

    def __init__(self, plan_id: str) -> None:
        super().__init__("plan", plan_id)


class AlreadyExists(RequestError):
    """The name, address or MAC is taken; `problem` is the verb of the message."""

    code = "already-exists"

    def __init__(self, kind: str, key: object, problem: str = "") -> None:
        super().__init__(f"{named(kind, key)} {problem or 'already exists'}")
        self.kind, self.key, self.by = kind, str(key), problem


class AddressOnWire(RequestError):
    """A device on the wire has an address that was planned for a machine."""

    code = "address-on-wire"
    hint = (
        "find the device with this MAC, or reserve the address with `hostloom address reserve` and try again"
    )

    def __init__(self, ip: object, machine: str, nic: str, macs: Sequence[object]) -> None:
        by = ", ".join(map(str, macs))
        super().__init__(
            f"address {ip}, meant for NIC {nic} of machine {machine!r}, is in use on the wire by MAC {by}"
        )
        self.ip, self.machine, self.nic, self.macs = str(ip), machine, nic, tuple(map(str, macs))


class InUse(RequestError):
    """It cannot be deleted or changed, because others use it; `by` names them."""

    code = "in-use"

    def __init__(self, kind: str, key: object, by: Sequence[str], hint: str = "") -> None:
        super().__init__(f"{named(kind, key)} is in use by {', '.join(by)}")
        self.hint = hint
        self.kind, self.key, self.by = kind, str(key), tuple(by)


class WrongState(RequestError):
    """Its state does not allow this; `wanted` is a clause about the required state."""

    code = "wrong-state"

    def __init__(self, kind: str, key: object, state: str, wanted: str, hint: str = "") -> None:
        super().__init__(f"{named(kind, key)} is {state}; {wanted}")
        self.hint = hint
        self.kind, self.key, self.state, self.wanted = kind, str(key), state, wanted


class MachineDiffers(RequestError):
    """The machine on the host is not the one that was composed; `differences` describes how it differs."""

    code = "machine-differs"
    hint = "undo the change on its host, or take the machine apart with `hostloom machine decompose`"

    def __init__(self, machine: str, differences: Sequence[str]) -> None:
        super().__init__(f"machine {machine!r} is not what was composed: {'; '.join(differences)}")
        self.machine, self.differences = machine, tuple(differences)
