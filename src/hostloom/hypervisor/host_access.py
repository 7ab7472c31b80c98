"""The port through which the hypervisor adapter reads and removes files on a host."""

from typing import Protocol


class HostAccess(Protocol):
    """Access to hosts; `remote.connection.Remotes` implements it."""

    def libvirt_uri(self, uri: str) -> str:
        """A URI that libvirt can open here: `qemu+ssh://` becomes a local socket that SSH forwards."""
        ...

    def read_file(self, uri: str, path: str, limit_bytes: int) -> str:
        """The end of a file on the host of a URI; empty if the file does not exist."""
        ...

    def remove_files(self, uri: str, *paths: str) -> None:
        """Remove files on the host of a URI, ignoring missing ones. HostRefused if permission is denied."""
        ...

    def forget(self, uri: str) -> None:
        """Close the connection to a host that is no longer managed, unless another URI uses it."""
        ...
