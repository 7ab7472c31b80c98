"""Looks up the groups that requests name, each once, and gives composed machines their tags."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from hostloom.model.errors.resources import NotFound
from hostloom.model.grouping import COMPOSED_TAGS, Tag
from hostloom.model.ids import TagId
from hostloom.model.request import ParsedBatch, ParsedRequest
from hostloom.ports.repositories import Repository
from hostloom.ports.store import UnitOfWork

T = TypeVar("T")


def is_id(key: str) -> bool:
    """Whether a key is a number of a size that an id can have."""
    return key.isascii() and key.isdigit() and len(key) <= 9


def find_by_key(repository: Repository[T, Any], kind: str, key: str) -> T:
    """By id if the key is a number, else by name; NotFound says what the caller asked for."""
    if is_id(key):
        return repository.get(int(key))
    item = repository.find(key)
    if item is None:
        raise NotFound(kind, key)
    return item


def resolve_groups(uow: UnitOfWork, batch: ParsedBatch) -> ParsedBatch:
    """The batch with the ids of its zones, resource pools and domains; NotFound for one that does not exist.

    A group whose id is known is not looked up by its name again: it may have another name by now.
    """
    zone_id = _ids_of(lambda: uow.zones, "zone")
    pool_id = _ids_of(lambda: uow.resource_pools, "resource pool")
    domain_id = _ids_of(lambda: uow.domains, "domain")

    def resolve(request: ParsedRequest) -> ParsedRequest:
        return replace(
            request,
            zone_id=zone_id(request.zone, request.zone_id),
            resource_pool_id=pool_id(request.resource_pool, request.resource_pool_id),
            domain_id=domain_id(request.domain, request.domain_id),
        )

    return replace(batch, machines=tuple(resolve(request) for request in batch.machines))


def bind_groups(batch: ParsedBatch) -> ParsedBatch:
    """The batch with hosts bound to the zones and resource pools that are named, where no host is."""

    def bind(request: ParsedRequest) -> ParsedRequest:
        if request.host is not None:
            return request
        return replace(request, in_zone=request.zone_id, in_resource_pool=request.resource_pool_id)

    return replace(batch, machines=tuple(bind(request) for request in batch.machines))


def _ids_of(groups: Callable[[], Repository[Any, Any]], kind: str) -> Callable[[str | None, int | None], Any]:
    """The id of a group by its key or its known id. Each group is looked up once; None stays None."""
    ids: dict[tuple[str | None, int | None], Any] = {(None, None): None}

    def id_of(key: str | None, group_id: int | None) -> Any:
        if (key, group_id) not in ids:
            group = find_by_key(groups(), kind, str(key)) if group_id is None else groups().get(group_id)
            ids[key, group_id] = group.id
        return ids[key, group_id]

    return id_of


def composed_tags(requested: Sequence[str], of_host: Sequence[str]) -> tuple[str, ...]:
    """The tags of a machine: those requested, those of every composed machine, and those of its host."""
    return tuple(dict.fromkeys((*requested, *COMPOSED_TAGS, *of_host)))


def ensure_composed_tags(uow: UnitOfWork) -> None:
    """List these tags before the first machine carries them; one that is there keeps its kernel options."""
    for name, kernel_options in COMPOSED_TAGS.items():
        if uow.tags.find(name) is None:
            uow.tags.add(Tag(TagId(0), name, "given to composed machines", kernel_options))
