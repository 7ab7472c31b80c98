"""`machines/{system_id}/`: actions between allocation and release."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param
from hostloom.compat.maas2.handlers.machines import COMMENT, find, machine, machines, show
from hostloom.compat.maas2.merging import without_empty
from hostloom.compat.maas2.responses import MaasResponse
from hostloom.compat.maas2.views.machines import OWNER_DATA
from hostloom.model.annotation import Annotated
from hostloom.services import annotations, lifecycle
from hostloom.services import machines as service

#: The resources with the actions of this module and of `allocation`.
RESOURCES = (machines, machine)
#: For clients that send only described parameters.
ANY = Param("*", "Any key with its value.")


@machine.op("POST", "lock", "Protect a machine from changes, power-off and deletion.", COMMENT)
def lock(call: Call) -> MaasResponse:
    """Return the locked machine."""
    return _locked(call, locked=True)


@machine.op("POST", "unlock", "Remove the lock of a machine.", COMMENT)
def unlock(call: Call) -> MaasResponse:
    """Return the unlocked machine."""
    return _locked(call, locked=False)


@machine.op("POST", "mark_broken", "Mark a machine as broken, so that it is not allocated.", COMMENT)
def mark_broken(call: Call) -> MaasResponse:
    """Return the broken machine."""
    with call.begin() as uow:
        item = find(call, uow)
    lifecycle.mark_broken(call.ports, call.principal, item.system_id, call.form.text("comment") or "")
    return _again(call)


@machine.op("POST", "mark_fixed", "Mark a broken machine as fixed.", COMMENT)
def mark_fixed(call: Call) -> MaasResponse:
    """Return the ready machine."""
    with call.begin() as uow:
        item = find(call, uow)
    lifecycle.mark_fixed(call.ports, call.principal, item.system_id, call.form.text("comment") or "")
    return _again(call)


@machine.op(
    "POST",
    "set_owner_data",
    "Store key-value pairs with a machine; an empty value removes its key.",
    ANY,
    prefixes=("",),
)
@machine.op(
    "POST",
    "set_workload_annotations",
    "The same as `set_owner_data`, under its newer name.",
    ANY,
    prefixes=("",),
)
def set_owner_data(call: Call) -> MaasResponse:
    """Return the machine. Its owner and administrators may change the data."""
    changes = {name: call.form.text(name) or "" for name in call.form.names}
    with call.begin() as uow:
        item = find(call, uow)
        service.require_owner(call.principal, item, "keep data with")
        annotation = annotations.of(uow, call.principal, Annotated.NODE, [item.system_id]).get(
            item.system_id, {}
        )
        owner_data = without_empty(annotation.get(OWNER_DATA, {}), changes)
        annotations.merge(uow, call.principal, Annotated.NODE, item.system_id, {OWNER_DATA: owner_data})
        maas_response = show(uow, item)
        uow.commit()
    return maas_response


def _locked(call: Call, *, locked: bool) -> MaasResponse:
    with call.begin() as uow:
        item = find(call, uow)
    comment = call.form.text("comment") or ""
    lifecycle.set_locked(call.ports, call.principal, item.system_id, locked=locked, comment=comment)
    return _again(call)


def _again(call: Call) -> MaasResponse:
    with call.begin() as uow:
        return show(uow, find(call, uow))
