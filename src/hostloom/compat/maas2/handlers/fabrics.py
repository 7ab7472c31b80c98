"""`fabrics/`."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.references import key_of
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer
from hostloom.compat.maas2.views.network import View
from hostloom.model.network import Fabric
from hostloom.ports.store import UnitOfWork
from hostloom.services.fabrics import FABRICS, FabricChanges, FabricInput

fabrics = Resource("Fabrics", "fabrics/", "Manage fabrics.")
fabric = Resource("Fabric", "fabrics/{id}/", "Manage a fabric.")
RESOURCES = (fabrics, fabric)

_PARAMS = (
    Param("name", "The name; the first free `fabric-N` by default."),
    Param("description", "Free-text description."),
    Param("class_type", "Class of the fabric, for use in constraints."),
)


@fabrics.crud("read", "List fabrics with their VLANs.")
def list_fabrics(call: Call) -> MaasResponse:
    """List in the order of ids."""
    with call.begin() as uow:
        view = View(uow)
        return answer([view.fabric(fabric) for fabric in FABRICS.list(uow, call.principal)])


@fabrics.crud("create", "Create a fabric with its untagged VLAN.", *_PARAMS)
def create_fabric(call: Call) -> MaasResponse:
    """Return the new fabric."""
    form = call.form
    fabric_input = FabricInput(
        form.text("name") or None, form.text("class_type") or None, form.text("description") or ""
    )
    with call.begin() as uow:
        created = FABRICS.create(uow, call.principal, fabric_input)
        maas_response = answer(View(uow).fabric(created))
        uow.commit()
    return maas_response


@fabric.crud("read", "Show a fabric with its VLANs.")
def read_fabric(call: Call) -> MaasResponse:
    """Look up by id."""
    with call.begin() as uow:
        return answer(View(uow).fabric(_find(call, uow)))


@fabric.crud("update", "Change a fabric.", *_PARAMS)
def update_fabric(call: Call) -> MaasResponse:
    """Apply the fields that the client sent."""
    form = call.form
    changes = FabricChanges(
        name=form.changed("name"),
        class_type=form.changed("class_type") or None,
        description=form.changed("description"),
    )
    with call.begin() as uow:
        changed = FABRICS.update(uow, call.principal, str(_find(call, uow).id), changes)
        maas_response = answer(View(uow).fabric(changed))
        uow.commit()
    return maas_response


@fabric.crud("delete", "Delete a fabric without tagged VLANs, subnets and interfaces.")
def delete_fabric(call: Call) -> MaasResponse:
    """Refused while it has tagged VLANs, subnets or interfaces."""
    with call.begin() as uow:
        FABRICS.delete(uow, call.principal, str(_find(call, uow).id))
        uow.commit()
    return GONE


def _find(call: Call, uow: UnitOfWork) -> Fabric:
    return FABRICS.get(uow, call.principal, key_of(uow.fabrics, call.places["id"]))
