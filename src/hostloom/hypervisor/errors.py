"""Translates libvirt's errors to the errors of the model."""

import errno
import logging

import libvirt

from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostRefused, HostUnreachable, HypervisorRejected

log = logging.getLogger(__name__)

_NOT_LET_IN = frozenset(
    {libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_AUTH_CANCELLED, libvirt.VIR_ERR_ACCESS_DENIED}
)
#: Error domains that concern the connection, not the call.
_CONNECTION_DOMAINS = frozenset({libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE})
#: errno of a socket that we may not open.
_NOT_PERMITTED = frozenset({errno.EACCES, errno.EPERM})
#: QEMU's message may follow libvirt's, so the text of an error is limited.
MAX_CAUSE_LENGTH = 2000
#: Error codes which say that an object does not exist.
MISSING = frozenset(
    {
        libvirt.VIR_ERR_NO_DOMAIN,
        libvirt.VIR_ERR_NO_STORAGE_VOL,
        libvirt.VIR_ERR_NO_STORAGE_POOL,
        libvirt.VIR_ERR_NO_NETWORK,
    }
)


def silence_libvirt() -> None:
    """Stop libvirt from printing every error to stderr; we raise them instead."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)


def is_missing(error: libvirt.libvirtError) -> bool:
    """Whether the error says that a domain, volume, pool or network does not exist."""
    return error.get_error_code() in MISSING


def is_alive(connection: libvirt.virConnect) -> bool:
    """Whether the client considers the connection alive (keepalive, closed sockets); this makes no call."""
    try:
        return bool(connection.isAlive())
    except libvirt.libvirtError:
        return False


def close_quietly(connection: libvirt.virConnect) -> None:
    """Close a connection, even if it is broken."""
    try:
        connection.close()
    except libvirt.libvirtError as error:
        log.debug("closing: %s", error)


def is_connection_lost(error: libvirt.libvirtError) -> bool:
    """Whether the connection, not the request, is at fault."""
    code, domain = error.get_error_code(), error.get_error_domain()
    if code in (libvirt.VIR_ERR_INVALID_CONN, libvirt.VIR_ERR_NO_CONNECT):
        return True
    broken = (libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_RPC)
    return domain in _CONNECTION_DOMAINS and code in broken


def translate(error: libvirt.libvirtError, host: str, action: str, *, opening: bool = False) -> DriverError:
    """The model's error with libvirt's message, without the file excerpts that its XML parser quotes."""
    cause = cause_of(error)
    if error.get_error_code() in _NOT_LET_IN or (opening and _is_not_permitted(error)):
        return HostRefused(host, cause)
    if opening or is_connection_lost(error):
        return HostUnreachable(host, cause)
    return HypervisorRejected(host, action, cause)


def cause_of(error: libvirt.libvirtError) -> str:
    """libvirt's message, shortened and printable."""
    if error.get_error_code() == libvirt.VIR_ERR_XML_DETAIL:
        return "libvirt cannot parse an XML document"
    text = error.get_error_message() or str(error)
    return "".join(
        character if character.isprintable() or character == "\n" else "?"
        for character in text[:MAX_CAUSE_LENGTH]
    )


def _is_not_permitted(error: libvirt.libvirtError) -> bool:
    """A system error carries its errno."""
    return error.get_error_code() == libvirt.VIR_ERR_SYSTEM_ERROR and error.get_int1() in _NOT_PERMITTED
