"""Turns errors in one part of a host's reading into findings, so that the other parts can still be read."""

from collections.abc import Iterator
from contextlib import contextmanager

import libvirt

from hostloom.hypervisor.errors import cause_of, is_alive, is_connection_lost
from hostloom.model.finding import Findings


@contextmanager
def reading(findings: Findings, connection: libvirt.virConnect, part: str, expected: str) -> Iterator[None]:
    """A parsing error, or an error of libvirt's about this part, becomes a finding, and the block is left.

    An error that comes with the loss of the connection is raised: it is about the host as a whole. With
    modular daemons, an error of the connection to another daemon looks the same, but ours is alive.
    """
    try:
        with findings.reading(part, expected):
            yield
    except libvirt.libvirtError as error:
        raise_if_lost(connection, error)
        findings.add(part, expected, cause_of(error))


def raise_if_lost(connection: libvirt.virConnect, error: libvirt.libvirtError) -> None:
    """Raise the error if it comes with the loss of the connection."""
    if is_connection_lost(error) and not is_alive(connection):
        raise error
