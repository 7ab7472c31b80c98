"""Turns errors in one part of a host's reading into findings, so that the other parts can still be read."""

from collections.abc import Iterator
from contextlib import contextmanager

import libvirt

from hostloom.hypervisor.errors import cause_of, is_alive, is_connection_lost
from hostloom.model.finding import Findings


@contextmanager
def reading(findings: Findings, connection: libvirt.virConnect, part: str, expected: str) -> Iterator[None]:
    """Record a parsing error, or a libvirt error about this part, as a finding, and leave the block.

    An error caused by the loss of the connection is raised, because it affects the whole host. With modular
    daemons, an error of another daemon's connection looks the same, but our own connection is alive.
    """
    try:
        with findings.reading(part, expected):
            yield
    except libvirt.libvirtError as error:
        raise_if_lost(connection, error)
        findings.add(part, expected, cause_of(error))


def raise_if_lost(connection: libvirt.virConnect, error: libvirt.libvirtError) -> None:
    """Raise the error if the loss of the connection caused it."""
    if is_connection_lost(error) and not is_alive(connection):
        raise error
