"""Failures of hosts, Kea, BMCs and the tools on this machine."""

from hostloom.model.errors.base import DriverError


class HostUnreachable(DriverError):
    """The host does not answer."""

    code = "host-unreachable"
    retryable = True

    def __init__(self, host: str, cause: str) -> None:
        super().__init__(f"host {host!r} cannot be reached: {cause}")
        self.host, self.cause = host, cause


class HostKeyUnknown(DriverError):
    """The host's SSH key is not pinned yet; show the fingerprint and ask."""

    code = "host-key-unknown"
    hint = "compare the fingerprint with the one that the host itself shows, and add the host with it"

    def __init__(self, host: str, fingerprint: str) -> None:
        super().__init__(f"the SSH key of {host!r} is not known: {fingerprint}")
        self.host, self.fingerprint = host, fingerprint


class HostKeyChanged(DriverError):
    """The host shows another SSH key than the pinned one: nothing is sent to it."""

    code = "host-key-changed"
    hint = "if the host was reinstalled, accept its new key: `hostloom host update NAME --accept-key …`"

    def __init__(self, host: str, wanted: str, found: str) -> None:
        super().__init__(
            f"the SSH key of {host!r} has changed: {wanted} is pinned, and the host shows {found}"
        )
        self.host, self.wanted, self.found = host, wanted, found


class HostRefused(DriverError):
    """The host answers but does not let us in."""

    code = "host-refused"

    def __init__(self, host: str, cause: str) -> None:
        super().__init__(f"host {host!r} refused the connection: {cause}")
        self.host, self.cause = host, cause


class HostUnreadable(DriverError):
    """The host answers, but a part of it as a whole cannot be read."""

    code = "host-unreadable"

    def __init__(self, host: str, part: str, cause: str) -> None:
        super().__init__(f"{part} of host {host!r} cannot be read: {cause}")
        self.host, self.part, self.cause = host, part, cause


class HostNotScannable(DriverError):
    """The URI gives no way to the host's links (TLS, test driver, a bare socket), or `cause` stands in it."""

    code = "host-not-scannable"
    hint = "describe the interfaces with `hostloom node interface update`"

    def __init__(
        self, uri: str, cause: str = "only hosts behind SSH and this machine can be scanned"
    ) -> None:
        super().__init__(f"the links of {uri!r} cannot be read: {cause}")
        self.uri, self.cause = uri, cause


class WireRefused(DriverError):
    """An interface cannot take a probe."""

    code = "wire-refused"

    def __init__(self, where: str, cause: str) -> None:
        super().__init__(f"{where} cannot be probed: {cause}")
        self.where = where


class HypervisorRejected(DriverError):
    """libvirt refused an action; `cause` keeps its words."""

    code = "hypervisor-rejected"

    def __init__(self, host: str, action: str, cause: str) -> None:
        super().__init__(f"cannot {action} on host {host!r}: {cause}")
        self.host, self.action, self.cause = host, action, cause


class OutcomeUnknown(DriverError):
    """A changing call ran out of time, or its connection broke (`cause`): observe before trying again."""

    code = "outcome-unknown"
    retryable = True

    def __init__(self, host: str, action: str, timeout_s: float, cause: str = "") -> None:
        problem = f"was interrupted: {cause}" if cause else f"did not end within {timeout_s:g} s"
        super().__init__(f"{action} on host {host!r} {problem}; its outcome is unknown")
        self.host, self.action, self.timeout_s, self.cause = host, action, timeout_s, cause


class DhcpUnreachable(DriverError):
    """The DHCP server's control socket does not answer."""

    code = "dhcp-unreachable"
    retryable = True

    def __init__(self, cause: str) -> None:
        super().__init__(f"the DHCP server cannot be reached: {cause}")
        self.cause = cause


class DhcpRejected(DriverError):
    """The DHCP server refused a configuration; the running one is unchanged."""

    code = "dhcp-rejected"

    def __init__(self, cause: str) -> None:
        super().__init__(f"the DHCP server refused the configuration: {cause}")
        self.cause = cause


class ImageFailed(DriverError):
    """A boot image could not be built; the previous image is unchanged."""

    code = "image-failed"

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(f"the boot image cannot be built: {what}: {cause}")
        self.what, self.cause = what, cause


class SeedDiskFailed(DriverError):
    """The disk with a machine's configuration could not be made; nothing was changed."""

    code = "seed-disk-failed"

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(f"the seed disk cannot be made: {what}: {cause}")
        self.what, self.cause = what, cause


class DiskImageFailed(DriverError):
    """A disk image cannot be imported or built; nothing of it is kept."""

    code = "disk-image-failed"

    def __init__(self, what: str, cause: str, verb: str = "imported") -> None:
        super().__init__(f"{what} cannot be {verb}: {cause}")
        self.what, self.cause = what, cause


class DownloadFailed(DriverError):
    """A URL cannot be downloaded; the received part is kept for a further attempt, if there is one."""

    code = "download-failed"

    def __init__(self, url: str, cause: str, *, is_temporary: bool = False) -> None:
        shown = url.partition("?")[0]  # the query may be a secret
        super().__init__(f"{shown} cannot be downloaded: {cause}")
        self.url, self.cause, self.retryable = shown, cause, is_temporary


class PowerUnreachable(DriverError):
    """The BMC of a machine, or the host of its domain, does not answer."""

    code = "power-unreachable"
    retryable = True
    hint = "check the address, and that the server can reach it"

    def __init__(self, address: str, cause: str) -> None:
        super().__init__(f"the power of {address!r} cannot be reached: {cause}")
        self.address, self.cause = address, cause


class PowerRefused(DriverError):
    """The BMC answers, but refuses the user or the action."""

    code = "power-refused"
    hint = "check the address, the user and the password in the machine's power settings"

    def __init__(self, address: str, action: str, cause: str) -> None:
        super().__init__(f"{address!r} refused to {action}: {cause}")
        self.address, self.action, self.cause = address, action, cause


class PowerUnconfirmed(DriverError):
    """The BMC answered OK, but the machine's state did not follow."""

    code = "power-unconfirmed"

    def __init__(self, address: str, action: str, wanted: str, found: str, timeout_s: float) -> None:
        after = f" {timeout_s:g} s later" if timeout_s else ""
        super().__init__(
            f"{address!r} accepted to {action}, but{after} it reports {found} instead of {wanted}"
        )
        self.address, self.action, self.timeout_s = address, action, timeout_s
        self.wanted, self.found = wanted, found
