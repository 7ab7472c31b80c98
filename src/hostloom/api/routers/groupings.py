"""Zones, resource pools, domains and tags over HTTP: four nouns of one shape."""

from typing import TypeVar

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import ABSENT, Flag, In, Out, Patch, Text
from hostloom.api.paging import PageOut, Paging
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.services import groupings
from hostloom.services.groupings import DomainChanges, GroupChanges, TagChanges


class GroupIn(In):
    """A zone or resource pool to create."""

    name: Text
    description: Text = ""


class GroupPatch(Patch):
    """What to change of a zone or resource pool."""

    name: Text = ABSENT
    description: Text = ABSENT


class GroupOut(Out):
    """A zone or resource pool."""

    id: int
    name: str
    description: str
    generation: int


class DomainIn(In):
    """A domain to create."""

    name: Text
    authoritative: Flag = True


class DomainPatch(Patch):
    """What to change of a domain."""

    name: Text = ABSENT
    authoritative: Flag = ABSENT


class DomainOut(Out):
    """A domain."""

    id: int
    name: str
    authoritative: bool
    generation: int


class TagIn(In):
    """A tag to create."""

    name: Text
    description: Text = ""
    kernel_options: Text = ""


class TagPatch(Patch):
    """What to change of a tag."""

    name: Text = ABSENT
    description: Text = ABSENT
    kernel_options: Text = ABSENT


class TagOut(Out):
    """A tag."""

    id: int
    name: str
    description: str
    kernel_options: str
    generation: int


O = TypeVar("O", GroupOut, DomainOut, TagOut)  # noqa: E741  (an answer's form)


def _of(form: type[O], item: Zone | ResourcePool | Domain | Tag) -> O:
    """The model's fields are the answer's, one by one."""
    return form(**{name: getattr(item, name) for name in form.model_fields})


zones = APIRouter(prefix="/zones", tags=["zones"])


@zones.get("", response_model=PageOut[GroupOut])
def list_zones(call: Reading, page: Paging) -> Response:
    """List zones by id."""
    with call.begin() as uow:
        found = groupings.list_(call.principal, uow.zones, page.after_number, page.more)
    return call.page(page, [_of(GroupOut, each) for each in found], lambda each: each.id)


@zones.post("", status_code=201, response_model=GroupOut)
def create_zone(call: Changing, body: GroupIn) -> Response:
    """Create a zone."""
    return call.commit(
        201, lambda uow: _of(GroupOut, groupings.create_zone(uow, call.principal, **body.model_dump()))
    )


@zones.get("/{key}", response_model=GroupOut)
def get_zone(call: Reading, key: str) -> Response:
    """Show a zone by name or id."""
    with call.begin() as uow:
        return call.one(_of(GroupOut, groupings.get(call.principal, uow.zones, "zone", key)))


@zones.patch("/{key}", response_model=GroupOut)
def update_zone(call: Changing, key: str, body: GroupPatch) -> Response:
    """Change a zone."""
    changes = GroupChanges(**body.sent())
    return call.commit(
        200,
        lambda uow: _of(
            GroupOut, groupings.update(call.principal, uow.zones, "zone", key, changes, call.generation)
        ),
    )


@zones.delete("/{key}", status_code=204)
def delete_zone(call: Changing, key: str) -> Response:
    """Delete a zone that nothing is in."""
    return call.commit(
        204, lambda uow: groupings.delete(call.principal, uow.zones, "zone", key, call.generation)
    )


resource_pools = APIRouter(prefix="/resource-pools", tags=["resource-pools"])


@resource_pools.get("", response_model=PageOut[GroupOut])
def list_resource_pools(call: Reading, page: Paging) -> Response:
    """List resource pools by id."""
    with call.begin() as uow:
        found = groupings.list_(call.principal, uow.resource_pools, page.after_number, page.more)
    return call.page(page, [_of(GroupOut, each) for each in found], lambda each: each.id)


@resource_pools.post("", status_code=201, response_model=GroupOut)
def create_resource_pool(call: Changing, body: GroupIn) -> Response:
    """Create a resource pool."""
    return call.commit(
        201,
        lambda uow: _of(GroupOut, groupings.create_resource_pool(uow, call.principal, **body.model_dump())),
    )


@resource_pools.get("/{key}", response_model=GroupOut)
def get_resource_pool(call: Reading, key: str) -> Response:
    """Show a resource pool by name or id."""
    with call.begin() as uow:
        return call.one(
            _of(GroupOut, groupings.get(call.principal, uow.resource_pools, "resource pool", key))
        )


@resource_pools.patch("/{key}", response_model=GroupOut)
def update_resource_pool(call: Changing, key: str, body: GroupPatch) -> Response:
    """Change a resource pool."""
    changes = GroupChanges(**body.sent())
    return call.commit(
        200,
        lambda uow: _of(
            GroupOut,
            groupings.update(
                call.principal, uow.resource_pools, "resource pool", key, changes, call.generation
            ),
        ),
    )


@resource_pools.delete("/{key}", status_code=204)
def delete_resource_pool(call: Changing, key: str) -> Response:
    """Delete a resource pool that nothing is in."""
    return call.commit(
        204,
        lambda uow: groupings.delete(
            call.principal, uow.resource_pools, "resource pool", key, call.generation
        ),
    )


domains = APIRouter(prefix="/domains", tags=["domains"])


@domains.get("", response_model=PageOut[DomainOut])
def list_domains(call: Reading, page: Paging) -> Response:
    """List domains by id."""
    with call.begin() as uow:
        found = groupings.list_(call.principal, uow.domains, page.after_number, page.more)
    return call.page(page, [_of(DomainOut, each) for each in found], lambda each: each.id)


@domains.post("", status_code=201, response_model=DomainOut)
def create_domain(call: Changing, body: DomainIn) -> Response:
    """Create a domain."""
    return call.commit(
        201, lambda uow: _of(DomainOut, groupings.create_domain(uow, call.principal, **body.model_dump()))
    )


@domains.get("/{key}", response_model=DomainOut)
def get_domain(call: Reading, key: str) -> Response:
    """Show a domain by name or id."""
    with call.begin() as uow:
        return call.one(_of(DomainOut, groupings.get(call.principal, uow.domains, "domain", key)))


@domains.patch("/{key}", response_model=DomainOut)
def update_domain(call: Changing, key: str, body: DomainPatch) -> Response:
    """Change a domain."""
    changes = DomainChanges(**body.sent())
    return call.commit(
        200,
        lambda uow: _of(
            DomainOut, groupings.update(call.principal, uow.domains, "domain", key, changes, call.generation)
        ),
    )


@domains.delete("/{key}", status_code=204)
def delete_domain(call: Changing, key: str) -> Response:
    """Delete a domain that nothing is in."""
    return call.commit(
        204, lambda uow: groupings.delete(call.principal, uow.domains, "domain", key, call.generation)
    )


tags = APIRouter(prefix="/tags", tags=["tags"])


@tags.get("", response_model=PageOut[TagOut])
def list_tags(call: Reading, page: Paging) -> Response:
    """List tags by id."""
    with call.begin() as uow:
        found = groupings.list_(call.principal, uow.tags, page.after_number, page.more)
    return call.page(page, [_of(TagOut, each) for each in found], lambda each: each.id)


@tags.post("", status_code=201, response_model=TagOut)
def create_tag(call: Changing, body: TagIn) -> Response:
    """Create a tag."""
    return call.commit(
        201, lambda uow: _of(TagOut, groupings.create_tag(uow, call.principal, **body.model_dump()))
    )


@tags.get("/{key}", response_model=TagOut)
def get_tag(call: Reading, key: str) -> Response:
    """Show a tag by name or id."""
    with call.begin() as uow:
        return call.one(_of(TagOut, groupings.get(call.principal, uow.tags, "tag", key)))


@tags.patch("/{key}", response_model=TagOut)
def update_tag(call: Changing, key: str, body: TagPatch) -> Response:
    """Change a tag."""
    changes = TagChanges(**body.sent())
    return call.commit(
        200,
        lambda uow: _of(
            TagOut, groupings.update(call.principal, uow.tags, "tag", key, changes, call.generation)
        ),
    )


@tags.delete("/{key}", status_code=204)
def delete_tag(call: Changing, key: str) -> Response:
    """Delete a tag that nothing carries."""
    return call.commit(
        204, lambda uow: groupings.delete(call.principal, uow.tags, "tag", key, call.generation)
    )
