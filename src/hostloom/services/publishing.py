"""Changes that affect our DHCP server: commits them, publishes them, and reverts them if it refuses."""

from collections.abc import Callable, Collection
from typing import TypeVar

from hostloom.model.errors.base import DriverError
from hostloom.model.ids import VlanId
from hostloom.model.network import Vlan
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.reconcilers.publish_dhcp import publish_dhcp

T = TypeVar("T")


def commit_and_publish(
    ports: Ports,
    change: Callable[[UnitOfWork], tuple[T, Collection[VlanId]]],
    undo: Callable[[UnitOfWork, T], None],
) -> T:
    """Commit `change`, and publish it if it returns served VLANs.

    The DHCP servers get the committed state. If one refuses, or none of a VLAN's servers can be reached,
    `undo` is committed and the server's error raised, so that the store never differs from the servers. A
    rack that is down does not prevent changes of VLANs that it does not serve.
    """
    with ports.store.begin() as uow:
        before = uow.snapshot()
        result, concerned = change(uow)
        uow.commit()
    if concerned:
        try:
            publish_dhcp(ports, concerned, before)
        except DriverError:
            with ports.store.begin() as uow:
                undo(uow, result)
                uow.commit()
            raise
    return result


def served(uow: UnitOfWork, *vlans: Vlan) -> frozenset[VlanId]:
    """The VLANs among these that our DHCP serves, directly or through their relay VLANs."""
    return frozenset(vlan.id for vlan in vlans if _is_served(uow, vlan))


def _is_served(uow: UnitOfWork, vlan: Vlan) -> bool:
    return vlan.dhcp_on or (vlan.relay_vlan_id is not None and uow.vlans.get(vlan.relay_vlan_id).dhcp_on)
