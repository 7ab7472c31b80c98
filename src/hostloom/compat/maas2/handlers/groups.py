"""`zones/`, `resourcepools/` and `domains/`."""

from collections.abc import Callable
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource, Unsupported
from hostloom.compat.maas2.references import key_of
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer
from hostloom.compat.maas2.views.network import View, shown_pool, shown_zone
from hostloom.model.annotation import Annotated
from hostloom.model.grouping import Domain
from hostloom.model.keep import KEEP
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations, groupings
from hostloom.services.groupings import (
    DOMAINS,
    RESOURCE_POOLS,
    ZONES,
    DomainChanges,
    DomainInput,
    GroupChanges,
    GroupInput,
)
from hostloom.services.nouns import NamedNoun

zones = Resource("Zones", "zones/", "Manage zones.")
zone = Resource("Zone", "zones/{name}/", "Manage a zone.")
pools = Resource("ResourcePools", "resourcepools/", "Manage resource pools.")
pool = Resource("ResourcePool", "resourcepool/{id}/", "Manage a resource pool.", ("resourcepools/{id}/",))
domains = Resource("Domains", "domains/", "Manage domains.")
domain = Resource("Domain", "domains/{id}/", "Manage a domain.")
RESOURCES = (zones, zone, pools, pool, domains, domain)

_NAME = Param("name", "The name.", required=True)
_NEW_NAME = Param("name", "New name.")
_DESCRIPTION = Param("description", "Free-text description.")
_TTL = Param("ttl", "TTL in seconds; stored for clients, because hostloom serves no DNS.", "Int")
_AUTHORITATIVE = Param("authoritative", "Whether the domain is authoritative; stored for clients.", "Boolean")
_FORWARD = Unsupported("forward_dns_servers", "hostloom serves no DNS: omit the field.")
_MAX_TTL_S = 2**31 - 1


class _PlainGroups:
    """The actions of a kind of group with only a name and a description."""

    def __init__(
        self,
        noun: NamedNoun[Any, GroupInput, GroupChanges],
        parameter: str,
        renderer: Callable[[Any], dict[str, Any]],
    ) -> None:
        self._noun, self._parameter, self._render = noun, parameter, renderer

    def offer(self, collection: Resource, member: Resource) -> None:
        """Register every action."""
        label = self._noun.kind
        collection.crud("read", f"List {label}s.")(self.list)
        collection.crud("create", f"Create a {label}.", _NAME, _DESCRIPTION)(self.create)
        member.crud("read", f"Show a {label}.")(self.read)
        member.crud("update", f"Change a {label}.", _NEW_NAME, _DESCRIPTION)(self.update)
        member.crud("delete", f"Delete a {label} without members.")(self.delete)

    def list(self, call: Call) -> MaasResponse:
        """List in the order of ids."""
        with call.begin() as uow:
            groups = self._noun.list(uow, call.principal)
        return answer([self._render(group) for group in groups])

    def create(self, call: Call) -> MaasResponse:
        """Return the new group."""
        group_input = GroupInput(call.form.required("name"), call.form.text("description") or "")
        with call.begin() as uow:
            created = self._noun.create(uow, call.principal, group_input)
            uow.commit()
        return answer(self._render(created))

    def read(self, call: Call) -> MaasResponse:
        """Look up by name or id."""
        with call.begin() as uow:
            return answer(self._render(self._noun.get(uow, call.principal, self._key(call, uow))))

    def update(self, call: Call) -> MaasResponse:
        """Apply the fields that the client sent."""
        form = call.form
        changes = GroupChanges(form.changed("name"), form.changed("description"))
        with call.begin() as uow:
            changed = self._noun.update(uow, call.principal, self._key(call, uow), changes)
            uow.commit()
        return answer(self._render(changed))

    def delete(self, call: Call) -> MaasResponse:
        """Delete a group. Raises an error while it has members."""
        with call.begin() as uow:
            self._noun.delete(uow, call.principal, self._key(call, uow))
            uow.commit()
        return GONE

    def _key(self, call: Call, uow: UnitOfWork) -> str:
        return key_of(self._noun.repository(uow), call.places[self._parameter])


_PlainGroups(ZONES, "name", shown_zone).offer(zones, zone)
_PlainGroups(RESOURCE_POOLS, "id", shown_pool).offer(pools, pool)


@domains.crud("read", "List domains.")
def list_domains(call: Call) -> MaasResponse:
    """List in the order of ids."""
    with call.begin() as uow:
        view = View(uow)
        return answer([view.shown_domain(domain) for domain in DOMAINS.list(uow, call.principal)])


@domains.crud("create", "Create a domain.", _NAME, _AUTHORITATIVE, _TTL, unsupported=(_FORWARD,))
def create_domain(call: Call) -> MaasResponse:
    """Return the new domain."""
    form = call.form
    name, authoritative, ttl = (
        form.required("name"),
        form.flag("authoritative"),
        form.whole("ttl", 1, _MAX_TTL_S),
    )
    with call.begin() as uow:
        created = DOMAINS.create(
            uow, call.principal, DomainInput(name, authoritative=authoritative is not False)
        )
        return _with_ttl(call, uow, created, ttl)


@domain.crud("read", "Show a domain.")
def read_domain(call: Call) -> MaasResponse:
    """Look up by id or name."""
    with call.begin() as uow:
        return answer(View(uow).shown_domain(_domain(call, uow)))


@domain.crud("update", "Change a domain.", _NEW_NAME, _AUTHORITATIVE, _TTL, unsupported=(_FORWARD,))
def update_domain(call: Call) -> MaasResponse:
    """Apply the fields that the client sent."""
    form = call.form
    authoritative, ttl = form.flag("authoritative"), form.whole("ttl", 1, _MAX_TTL_S)
    changes = DomainChanges(form.changed("name"), KEEP if authoritative is None else authoritative)
    with call.begin() as uow:
        key = str(_domain(call, uow).id)
        return _with_ttl(call, uow, DOMAINS.update(uow, call.principal, key, changes), ttl)


@domain.crud("delete", "Delete a domain without members.")
def delete_domain(call: Call) -> MaasResponse:
    """Delete a domain. Raises an error while it has nodes."""
    with call.begin() as uow:
        DOMAINS.delete(uow, call.principal, str(_domain(call, uow).id))
        uow.commit()
    return GONE


@domain.op("POST", "set_default", "Make a domain the default one.")
def set_default(call: Call) -> MaasResponse:
    """Make a domain the default. Free machines in the old default domain move to it."""
    with call.begin() as uow:
        changed = groupings.set_default_domain(uow, call.principal, str(_domain(call, uow).id))
        document = View(uow).shown_domain(changed)
        uow.commit()
    return answer(document)


def _domain(call: Call, uow: UnitOfWork) -> Domain:
    return DOMAINS.get(uow, call.principal, key_of(uow.domains, call.places["id"]))


def _with_ttl(call: Call, uow: UnitOfWork, item: Domain, ttl: int | None) -> MaasResponse:
    if ttl is not None:
        annotations.merge(uow, call.principal, Annotated.DOMAIN, item.id, {"ttl": ttl})
    document = View(uow).shown_domain(item)
    uow.commit()
    return answer(document)
