"""Hosts that libvirt reaches by itself: nothing to forward, and files that are noted, not touched."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Near:
    """Every URI is opened as it is, or as `resolve` says."""

    resolve: Callable[[str], str] = str
    #: Paths that were to be removed.
    removed: list[str] = field(default_factory=list)
    #: URIs that are no longer used.
    forgotten: list[str] = field(default_factory=list)

    def libvirt_uri(self, uri: str) -> str:
        return self.resolve(uri)

    def read_file(self, _uri: str, _path: str, _limit_bytes: int) -> str:
        return ""

    def remove_files(self, _uri: str, *paths: str) -> None:
        self.removed += paths

    def forget(self, uri: str) -> None:
        self.forgotten.append(uri)
