"""SSH keys of what is reached at another address than before."""

from hostloom.ports.context import Ports
from hostloom.ports.hosts import OfferedKey


def move_key(ports: Ports, uri: str | None, new_uri: str | None, accepted: OfferedKey | None = None) -> None:
    """Give the new URI the key that was accepted or is pinned there; the old URI needs none now.

    None is a place that is reached without SSH.
    """
    if new_uri is not None and accepted is not None:
        ports.keys.pin(new_uri, accepted)
    if uri == new_uri:
        return
    if new_uri is not None:
        ports.keys.retain(new_uri)
    if uri is not None:
        ports.keys.release(uri)
