"""Moves pinned SSH keys to new addresses."""

from hostloom.ports.hosts import HostKeys, OfferedKey


def move_key(
    keys: HostKeys, uri: str | None, new_uri: str | None, accepted: OfferedKey | None = None
) -> None:
    """Pin the accepted key for the new URI and remove the one of the old URI.

    None means an address without SSH.
    """
    if new_uri is not None and accepted is not None:
        keys.pin(new_uri, accepted)
    if uri == new_uri:
        return
    if new_uri is not None:
        keys.retain(new_uri)
    if uri is not None:
        keys.release(uri)
