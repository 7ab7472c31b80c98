"""`fabrics/`, `spaces/`, `zones/`, `resourcepools/` and `domains/`."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource, Unsupported
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.noun_actions import NounActions
from hostloom.compat.maas2.responses import MaasResponse, answer
from hostloom.compat.maas2.views.network import View, shown_pool, shown_zone
from hostloom.model.annotation import Annotated
from hostloom.model.grouping import Domain
from hostloom.model.keep import KEEP
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations, groupings
from hostloom.services.fabrics import FABRICS, FabricChanges, FabricInput
from hostloom.services.groupings import (
    DOMAINS,
    RESOURCE_POOLS,
    ZONES,
    DomainChanges,
    DomainInput,
    GroupChanges,
    GroupInput,
)
from hostloom.services.spaces import SPACES, SpaceChanges, SpaceInput

fabrics = Resource("Fabrics", "fabrics/", "Manage fabrics.")
fabric = Resource("Fabric", "fabrics/{id}/", "Manage a fabric.")
spaces = Resource("Spaces", "spaces/", "Manage spaces.")
space = Resource("Space", "spaces/{id}/", "Manage a space.")
zones = Resource("Zones", "zones/", "Manage zones.")
zone = Resource("Zone", "zones/{name}/", "Manage a zone.")
pools = Resource("ResourcePools", "resourcepools/", "Manage resource pools.")
pool = Resource("ResourcePool", "resourcepool/{id}/", "Manage a resource pool.", ("resourcepools/{id}/",))
domains = Resource("Domains", "domains/", "Manage domains.")
domain = Resource("Domain", "domains/{id}/", "Manage a domain.")
FABRIC_RESOURCES = (fabrics, fabric)
SPACE_RESOURCES = (spaces, space)
RESOURCES = (zones, zone, pools, pool, domains, domain)

_NAME = Param("name", "The name.", required=True)
_NEW_NAME = Param("name", "New name.")
_DESCRIPTION = Param("description", "Free-text description.")

# -- fabrics -----------------------------------------------------------------------------------------------

_FABRIC = (
    Param("name", "The name; the first free `fabric-N` by default."),
    _DESCRIPTION,
    Param("class_type", "Class of the fabric, for use in constraints."),
)


def _fabric_input(form: Form) -> FabricInput:
    return FabricInput(
        form.text("name") or None, form.text("class_type") or None, form.text("description") or ""
    )


def _fabric_changes(form: Form) -> FabricChanges:
    return FabricChanges(
        form.changed("name"), form.changed("class_type") or None, form.changed("description")
    )


_fabrics = NounActions(FABRICS, "id", View.fabric, _fabric_input, _fabric_changes)
fabrics.crud("read", "List fabrics with their VLANs.")(_fabrics.list)
fabrics.crud("create", "Create a fabric with its untagged VLAN.", *_FABRIC)(_fabrics.create)
fabric.crud("read", "Show a fabric with its VLANs.")(_fabrics.read)
fabric.crud("update", "Change a fabric.", *_FABRIC)(_fabrics.update)
fabric.crud("delete", "Delete a fabric without tagged VLANs, subnets and interfaces.")(_fabrics.delete)

# -- spaces ------------------------------------------------------------------------------------------------

_SPACE_NAME = Param("name", "The name; `space-ID` by default.")


def _space_input(form: Form) -> SpaceInput:
    return SpaceInput(form.text("name") or None, form.text("description") or "")


def _space_changes(form: Form) -> SpaceChanges:
    return SpaceChanges(form.text("name") or KEEP, form.changed("description"))


_spaces = NounActions(SPACES, "id", View.space, _space_input, _space_changes)
spaces.crud("read", "List spaces with their VLANs and subnets.")(_spaces.list)
spaces.crud("create", "Create a space.", _SPACE_NAME, _DESCRIPTION)(_spaces.create)
space.crud("read", "Show a space with its VLANs and subnets.")(_spaces.read)
space.crud("update", "Change a space.", _NEW_NAME, _DESCRIPTION)(_spaces.update)
space.crud("delete", "Delete a space without VLANs.")(_spaces.delete)

# -- zones and resource pools ------------------------------------------------------------------------------


def _group_input(form: Form) -> GroupInput:
    return GroupInput(form.required("name"), form.text("description") or "")


def _group_changes(form: Form) -> GroupChanges:
    return GroupChanges(form.changed("name"), form.changed("description"))


def _add_group(actions: NounActions, collection: Resource, member: Resource) -> None:
    label = actions.noun.kind
    collection.crud("read", f"List {label}s.")(actions.list)
    collection.crud("create", f"Create a {label}.", _NAME, _DESCRIPTION)(actions.create)
    member.crud("read", f"Show a {label}.")(actions.read)
    member.crud("update", f"Change a {label}.", _NEW_NAME, _DESCRIPTION)(actions.update)
    member.crud("delete", f"Delete a {label} without members.")(actions.delete)


_zones = NounActions(ZONES, "name", lambda _, item: shown_zone(item), _group_input, _group_changes)
_pools = NounActions(RESOURCE_POOLS, "id", lambda _, item: shown_pool(item), _group_input, _group_changes)
_add_group(_zones, zones, zone)
_add_group(_pools, pools, pool)

# -- domains -----------------------------------------------------------------------------------------------

_TTL = Param("ttl", "TTL in seconds; stored for clients, because hostloom serves no DNS.", "Int")
_AUTHORITATIVE = Param("authoritative", "Whether the domain is authoritative; stored for clients.", "Boolean")
_FORWARD = Unsupported("forward_dns_servers", "hostloom serves no DNS: omit the field.")
_MAX_TTL_S = 2**31 - 1


def _domain_input(form: Form) -> DomainInput:
    return DomainInput(form.required("name"), authoritative=form.flag("authoritative") is not False)


def _domain_changes(form: Form) -> DomainChanges:
    authoritative = form.flag("authoritative")
    return DomainChanges(form.changed("name"), KEEP if authoritative is None else authoritative)


def _store_ttl(call: Call, uow: UnitOfWork, item: Domain) -> None:
    ttl = call.form.whole("ttl", 1, _MAX_TTL_S)
    if ttl is not None:
        annotations.merge(uow, call.principal, Annotated.DOMAIN, item.id, {"ttl": ttl})


_domains = NounActions(DOMAINS, "id", View.shown_domain, _domain_input, _domain_changes, _store_ttl)
_DOMAIN = (_AUTHORITATIVE, _TTL)
domains.crud("read", "List domains.")(_domains.list)
domains.crud("create", "Create a domain.", _NAME, *_DOMAIN, unsupported=(_FORWARD,))(_domains.create)
domain.crud("read", "Show a domain.")(_domains.read)
domain.crud("update", "Change a domain.", _NEW_NAME, *_DOMAIN, unsupported=(_FORWARD,))(_domains.update)
domain.crud("delete", "Delete a domain without members.")(_domains.delete)


@domain.op("POST", "set_default", "Make a domain the default one.")
def set_default(call: Call) -> MaasResponse:
    """Make a domain the default. Free machines in the old default domain move to it."""
    with call.begin() as uow:
        changed = groupings.set_default_domain(uow, call.principal, _domains.key(call, uow))
        document = View(uow).shown_domain(changed)
        uow.commit()
    return answer(document)
