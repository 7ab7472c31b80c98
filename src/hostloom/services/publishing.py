"""Changes that our DHCP server must learn of: made, published, and taken back where it refuses."""

from collections.abc import Callable
from typing import TypeVar

from hostloom.model.errors import DriverError
from hostloom.model.network import Vlan
from hostloom.ports import Ports, UnitOfWork
from hostloom.workflows.publish import publish_dhcp

T = TypeVar("T")


def change_served(
    ports: Ports,
    change: Callable[[UnitOfWork], tuple[T, bool]],
    undo: Callable[[UnitOfWork, T], None],
) -> T:
    """Commit `change` and publish it if it says that a served VLAN is concerned.

    The DHCP server is set from what is committed. When it refuses or cannot be reached, `undo` is committed
    and the server's error raised: the store never says what the server does not do.
    """
    with ports.store.begin() as uow:
        done, served = change(uow)
        uow.commit()
    if served:
        try:
            publish_dhcp(ports)
        except DriverError:
            with ports.store.begin() as uow:
                undo(uow, done)
                uow.commit()
            raise
    return done


def is_served(uow: UnitOfWork, vlan: Vlan) -> bool:
    """Whether our DHCP serves the VLAN, directly or through its relay VLAN."""
    return vlan.dhcp_on or (vlan.relay_vlan_id is not None and uow.vlans.get(vlan.relay_vlan_id).dhcp_on)
