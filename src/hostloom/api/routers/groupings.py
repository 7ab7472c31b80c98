"""Zones, resource pools, domains and tags over HTTP."""

from hostloom.api.crud import Texts, changes_of, crud_router
from hostloom.api.forms import Out, Sent, like
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
    changes_of(ZONES, Sent[GroupInput], Sent[GroupChanges]),
    Texts(delete="Delete an empty zone."),
)
resource_pools = crud_router(
    RESOURCE_POOLS,
    GroupOut,
    changes_of(RESOURCE_POOLS, Sent[GroupInput], Sent[GroupChanges]),
    Texts(delete="Delete an empty resource pool."),
)
domains = crud_router(
    DOMAINS,
    DomainOut,
    changes_of(DOMAINS, Sent[DomainInput], Sent[DomainChanges]),
    Texts(delete="Delete an empty domain."),
)
tags = crud_router(
    TAGS,
    TagOut,
    changes_of(TAGS, Sent[TagInput], Sent[TagChanges]),
    Texts(delete="Delete an unused tag."),
)
