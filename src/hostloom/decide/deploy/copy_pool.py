"""Which storage pool of a host keeps the copy of a disk image."""

from hostloom.model.host import FILE_POOLS, Host
from hostloom.model.ids import natural_key


def copy_pool(host: Host, pool: str) -> str | None:
    """The pool of the disk itself, if it keeps files; otherwise the default pool or the first that does.

    None if no active pool of the host keeps files.
    """
    pools = [
        candidate for candidate in host.storage_pools if candidate.active and candidate.kind in FILE_POOLS
    ]
    ordered = sorted(
        pools,
        key=lambda candidate: (candidate.name != pool, not candidate.is_default, natural_key(candidate.name)),
    )
    return ordered[0].name if ordered else None
