"""Finds libvirt objects by name or UUID; None if an object does not exist."""

from collections.abc import Callable
from typing import TypeVar

import libvirt

from hostloom.hypervisor import domain_xml_in, xml_in
from hostloom.hypervisor.errors import is_missing
from hostloom.model.machine import PowerState

T = TypeVar("T")

_ON = frozenset(
    {
        libvirt.VIR_DOMAIN_RUNNING,
        libvirt.VIR_DOMAIN_BLOCKED,
        libvirt.VIR_DOMAIN_PAUSED,
        libvirt.VIR_DOMAIN_SHUTDOWN,
        libvirt.VIR_DOMAIN_PMSUSPENDED,
    }
)


def find(look_up: Callable[[], T]) -> T | None:
    """What libvirt finds; None if libvirt says that it does not exist."""
    try:
        return look_up()
    except libvirt.libvirtError as error:
        if is_missing(error):
            return None
        raise


def find_domain(connection: libvirt.virConnect, uuid: str) -> libvirt.virDomain | None:
    """A domain by UUID."""
    return find(lambda: connection.lookupByUUIDString(uuid))


def find_pool(connection: libvirt.virConnect, name: str) -> libvirt.virStoragePool | None:
    """A storage pool by name."""
    return find(lambda: connection.storagePoolLookupByName(name))


def find_volume(pool: libvirt.virStoragePool, name: str) -> libvirt.virStorageVol | None:
    """A volume of a pool by name; raises libvirt's error if the pool is not active."""
    return find(lambda: pool.storageVolLookupByName(name))


def mark_of(domain: libvirt.virDomain) -> str | None:
    """Our mark: the system id of a machine that hostloom made."""
    return domain_xml_in.mark_of(xml_in.parse(domain.XMLDesc()))


def power_of(state: int) -> PowerState:
    """Convert libvirt's state of a domain to a power state."""
    return PowerState.ON if state in _ON else PowerState.OFF
