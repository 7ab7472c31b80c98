"""What the hypervisor adapter needs of a host beside libvirt."""

from typing import Protocol


class HostAccess(Protocol):
    """The ways to hosts; `remote.connection.Remotes` is one."""

    def libvirt_uri(self, uri: str) -> str:
        """A URI that libvirt opens here: `qemu+ssh://` becomes a local socket that SSH forwards."""
        ...

    def read_file(self, uri: str, path: str, limit_bytes: int) -> str:
        """The end of a file on the host of a URI; empty if it is not there."""
        ...

    def remove_files(self, uri: str, *paths: str) -> None:
        """Remove files on the host of a URI; those that are not there are gone. HostRefused if we may not."""
        ...

    def forget(self, uri: str) -> None:
        """Close the way to a host that is no longer managed, unless another URI goes by it."""
        ...
