"""Storage pools of hosts, and the tags by which disks select them."""

from dataclasses import replace

from hostloom.model.access import Principal
from hostloom.model.errors.resources import NotFound
from hostloom.model.errors.values import InvalidValue
from hostloom.model.host import Host, StoragePool, tags_by_pool, with_tags
from hostloom.model.ids import natural_key
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin, require_user
from hostloom.services.groupings import check_tag
from hostloom.services.hosts import HOSTS

#: Tags of one storage pool.
MOST_TAGS = 100


def list_(uow: UnitOfWork, principal: Principal, host: str | None = None) -> list[tuple[Host, StoragePool]]:
    """The storage pools of one or all hosts, in the natural order of host and pool names."""
    require_user(principal, "see storage pools")
    host_list = uow.hosts.list() if host is None else [HOSTS.get(uow, principal, host)]
    pairs = [(host, pool) for host in host_list for pool in host.storage_pools]
    return sorted(pairs, key=lambda pair: (natural_key(pair[0].name), natural_key(pair[1].name)))


def get(uow: UnitOfWork, principal: Principal, host: str, name: str) -> tuple[Host, StoragePool]:
    """A storage pool of a host by name; NotFound."""
    matches = [pair for pair in list_(uow, principal, host) if pair[1].name == name]
    if not matches:
        raise NotFound("storage pool", name, f"host {host!r}")
    return matches[0]


def update(
    uow: UnitOfWork,
    principal: Principal,
    host: str,
    name: str,
    add_tags: tuple[str, ...] = (),
    remove_tags: tuple[str, ...] = (),
) -> tuple[Host, StoragePool]:
    """Add and remove tags; refreshes keep them, even while the pool is missing."""
    require_admin(principal, "change storage pools")
    for tag in add_tags:
        check_tag(tag, "add_tags")
    if both := set(add_tags) & set(remove_tags):
        raise InvalidValue("remove_tags", min(both), "is in add_tags too", "give each tag in one of them")
    owner, pool = get(uow, principal, host, name)
    kept = [tag for tag in pool.tags if tag not in remove_tags]
    tags = tuple(dict.fromkeys((*kept, *add_tags)))
    if len(tags) > MOST_TAGS:
        raise InvalidValue(
            "add_tags", None, f"would give the pool {len(tags)} tags", f"a pool has at most {MOST_TAGS}"
        )
    by_pool = tags_by_pool(owner) | {name: tags}
    pool_tags = tuple(sorted((key, words) for key, words in by_pool.items() if words))
    pools = with_tags(owner.storage_pools, pool_tags)
    changed = uow.hosts.update(replace(owner, pool_tags=pool_tags, storage_pools=pools))
    return changed, next(storage_pool for storage_pool in changed.storage_pools if storage_pool.name == name)
