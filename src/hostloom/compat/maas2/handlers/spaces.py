"""`spaces/`."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.references import key_of
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer
from hostloom.compat.maas2.views.network import View
from hostloom.model.keep import KEEP
from hostloom.model.network import Space
from hostloom.ports.store import UnitOfWork
from hostloom.services.spaces import SPACES, SpaceChanges, SpaceInput

spaces = Resource("Spaces", "spaces/", "Manage spaces.")
space = Resource("Space", "spaces/{id}/", "Manage a space.")
RESOURCES = (spaces, space)

_DESCRIPTION = Param("description", "Free-text description.")


@spaces.crud("read", "List spaces with their VLANs and subnets.")
def list_spaces(call: Call) -> MaasResponse:
    """List in the order of ids."""
    with call.begin() as uow:
        view = View(uow)
        return answer([view.space(space) for space in SPACES.list(uow, call.principal)])


@spaces.crud(
    "create",
    "Create a space.",
    Param("name", "The name; `space-ID` by default."),
    _DESCRIPTION,
)
def create_space(call: Call) -> MaasResponse:
    """Return the new space."""
    form = call.form
    space_input = SpaceInput(form.text("name") or None, form.text("description") or "")
    with call.begin() as uow:
        created = SPACES.create(uow, call.principal, space_input)
        maas_response = answer(View(uow).space(created))
        uow.commit()
    return maas_response


@space.crud("read", "Show a space with its VLANs and subnets.")
def read_space(call: Call) -> MaasResponse:
    """Look up by id or name."""
    with call.begin() as uow:
        return answer(View(uow).space(_find(call, uow)))


@space.crud("update", "Change a space.", Param("name", "New name."), _DESCRIPTION)
def update_space(call: Call) -> MaasResponse:
    """Apply the fields that the client sent."""
    form = call.form
    changes = SpaceChanges(form.text("name") or KEEP, form.changed("description"))
    with call.begin() as uow:
        changed = SPACES.update(uow, call.principal, str(_find(call, uow).id), changes)
        maas_response = answer(View(uow).space(changed))
        uow.commit()
    return maas_response


@space.crud("delete", "Delete a space without VLANs.")
def delete_space(call: Call) -> MaasResponse:
    """Refused while VLANs are in it."""
    with call.begin() as uow:
        SPACES.delete(uow, call.principal, str(_find(call, uow).id))
        uow.commit()
    return GONE


def _find(call: Call, uow: UnitOfWork) -> Space:
    return SPACES.get(uow, call.principal, key_of(uow.spaces, call.places["id"]))
