"""Zones, resource pools, domains and tags, which group nodes, hosts and machines."""

from dataclasses import dataclass, replace
from typing import Any

from hostloom.model.access import Principal
from hostloom.model.errors.values import InvalidValue
from hostloom.model.grouping import FIRST_NAME, MAAS_DOMAIN, Domain, ResourcePool, Tag, Zone
from hostloom.model.ids import DomainId, ResourcePoolId, ZoneId, check_hostname
from hostloom.model.keep import KEEP, Keep
from hostloom.model.machine import MachineOrigin, MachineState
from hostloom.model.node import NodeKind
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin
from hostloom.services.naming import check_name, find_by_key
from hostloom.services.nouns import NamedNoun, plain_noun

#: A machine in these states has no owner.
_FREE = frozenset(
    {
        MachineState.NEW,
        MachineState.COMMISSIONING,
        MachineState.FAILED_COMMISSIONING,
        MachineState.READY,
        MachineState.BROKEN,
    }
)


@dataclass(frozen=True)
class GroupInput:
    """A zone or resource pool to create."""

    name: str
    description: str = ""


@dataclass(frozen=True)
class GroupChanges:
    """What to change of a zone or resource pool."""

    name: str | Keep = KEEP
    description: str | Keep = KEEP


@dataclass(frozen=True)
class DomainInput:
    """A domain to create."""

    name: str
    authoritative: bool = True
    description: str = ""


@dataclass(frozen=True)
class DomainChanges:
    """What to change of a domain."""

    name: str | Keep = KEEP
    authoritative: bool | Keep = KEEP
    description: str | Keep = KEEP


@dataclass(frozen=True)
class TagInput:
    """A tag to create."""

    name: str
    description: str = ""
    kernel_options: str = ""


@dataclass(frozen=True)
class TagChanges:
    """What to change of a tag."""

    name: str | Keep = KEEP
    description: str | Keep = KEEP
    kernel_options: str | Keep = KEEP


def zone_id(uow: UnitOfWork, key: str | None) -> ZoneId:
    """The zone with this name or id; the default one for None."""
    return uow.zones.default().id if key is None else find_by_key(uow.zones, "zone", key).id


def resource_pool_id(uow: UnitOfWork, key: str | None) -> ResourcePoolId:
    """The resource pool with this name or id; the default one for None."""
    if key is None:
        return uow.resource_pools.default().id
    return find_by_key(uow.resource_pools, "resource pool", key).id


def domain_id(uow: UnitOfWork, key: str | None) -> DomainId:
    """The domain with this name or id; the default one for None."""
    return uow.domains.default().id if key is None else find_by_key(uow.domains, "domain", key).id


def with_group_ids(uow: UnitOfWork, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of an input or change, with the ids of groups in place of their keys; NotFound."""
    finders = {"zone": zone_id, "resource_pool": resource_pool_id, "domain": domain_id}
    ids = {f"{name}_id": find(uow, fields[name]) for name, find in finders.items() if name in fields}
    return {name: value for name, value in fields.items() if name not in finders} | ids


def set_default_domain(uow: UnitOfWork, principal: Principal, key: str) -> Domain:
    """Make a domain the default; free machines in the former default domain move to it. NotFound."""
    require_admin(principal, "choose the default domain")
    before, domain = uow.domains.default(), find_by_key(uow.domains, "domain", key)
    if domain.id == before.id:
        return domain
    uow.domains.set_default(domain.id)
    free = {
        machine.system_id for machine in uow.machines.list() if machine.state in _FREE and not machine.owner
    }
    for node in uow.nodes.list():
        if node.domain_id == before.id and node.system_id in free:
            uow.nodes.update(replace(node, domain_id=domain.id))
    return domain


def name_domain_as_maas(uow: UnitOfWork) -> None:
    """Rename the default domain to `maas`, as MAAS's clients expect, if nothing depends on its name."""
    domains = uow.domains.list(limit=2)
    is_untouched = len(domains) == 1 and (domains[0].name, domains[0].generation) == (FIRST_NAME, 1)
    if not is_untouched:
        return
    has_composed = any(machine.origin is not MachineOrigin.ADOPTED for machine in uow.machines.list())
    if not has_composed and not any(node.kind is NodeKind.DEVICE for node in uow.nodes.list()):
        uow.domains.update(replace(domains[0], name=MAAS_DOMAIN))


def delete_tag(uow: UnitOfWork, principal: Principal, name: str) -> None:
    """Delete a tag and remove it from everything that has it, including locked machines; NotFound."""
    require_admin(principal, "delete tags")
    tag = find_by_key(uow.tags, "tag", name)

    def left(words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(word for word in words if word != tag.name)

    for node in uow.nodes.list():
        if tag.name in node.tags:
            uow.nodes.update(replace(node, tags=left(node.tags)))
        for nic in node.interfaces:
            if tag.name in nic.tags:
                uow.nodes.update_interface(node.system_id, replace(nic, tags=left(nic.tags)))
    for host in uow.hosts.list():
        if tag.name in host.tags:
            uow.hosts.update(replace(host, tags=left(host.tags)))
    uow.tags.delete(tag.id)


def check_tag(name: str, field: str = "name") -> str:
    """Return the tag if it is valid in constraints, else raise InvalidValue."""
    check_name(name, field)
    if any(sign in name for sign in ",;:=() ") or len(name) > 64:
        raise InvalidValue(
            field, name, "is not a tag", "use up to 64 characters, without spaces and , ; : = ( )"
        )
    return name


def _check_domain(name: str) -> str:
    labels = name.split(".")
    if len(name) > 253:
        raise InvalidValue("name", name, "is too long for a DNS name", "use at most 253 characters")
    for label in labels:
        check_hostname(label)
    return name


ZONES: NamedNoun[Zone, GroupInput, GroupChanges] = plain_noun(
    "zone", Zone, lambda uow: uow.zones, lambda zone: check_name(zone.name)
)
RESOURCE_POOLS: NamedNoun[ResourcePool, GroupInput, GroupChanges] = plain_noun(
    "resource pool", ResourcePool, lambda uow: uow.resource_pools, lambda pool: check_name(pool.name)
)
DOMAINS: NamedNoun[Domain, DomainInput, DomainChanges] = plain_noun(
    "domain", Domain, lambda uow: uow.domains, lambda domain: _check_domain(domain.name)
)
TAGS: NamedNoun[Tag, TagInput, TagChanges] = plain_noun(
    "tag", Tag, lambda uow: uow.tags, lambda tag: check_tag(tag.name)
)
