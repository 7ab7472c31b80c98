"""Zones, resource pools, domains and tags over HTTP."""

from hostloom.api.crud import crud_router
from hostloom.api.derived import Sent, like
from hostloom.api.forms import Out
from hostloom.model.grouping import Domain, Tag, Zone
from hostloom.services.groupings import (
    DOMAINS,
    RESOURCE_POOLS,
    TAGS,
    ZONES,
    DomainChanges,
    DomainInput,
    GroupChanges,
    GroupInput,
    TagChanges,
    TagInput,
)


@like(Zone)
class GroupOut(Out):
    """A zone or resource pool."""


@like(Domain)
class DomainOut(Out):
    """A domain."""


@like(Tag)
class TagOut(Out):
    """A tag."""


zones = crud_router(
    ZONES,
    GroupOut,
    created=Sent[GroupInput],
    changed=Sent[GroupChanges],
    delete="Delete a zone that nothing is in.",
)
resource_pools = crud_router(
    RESOURCE_POOLS,
    GroupOut,
    created=Sent[GroupInput],
    changed=Sent[GroupChanges],
    delete="Delete a resource pool that nothing is in.",
)
domains = crud_router(
    DOMAINS,
    DomainOut,
    created=Sent[DomainInput],
    changed=Sent[DomainChanges],
    delete="Delete a domain that nothing is in.",
)
tags = crud_router(
    TAGS,
    TagOut,
    created=Sent[TagInput],
    changed=Sent[TagChanges],
    delete="Delete a tag that nothing carries.",
)
