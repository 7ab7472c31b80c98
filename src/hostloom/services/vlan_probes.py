"""DHCP servers on a VLAN: the result of the last probe, or of a new one."""

from dataclasses import dataclass

from hostloom.model.access import Principal
from hostloom.model.dhcp_exchange import ForeignDhcp, VlanProbe
from hostloom.model.network import Vlan
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.reconcilers.vlan_probe import probe_vlan
from hostloom.services.access import require_admin, require_user
from hostloom.services.vlans import VLANS


@dataclass(frozen=True)
class Probed:
    """A VLAN's last probe, and the foreign DHCP servers."""

    vlan: Vlan
    #: None: it was never probed.
    probe: VlanProbe | None
    foreign: tuple[ForeignDhcp, ...]


def get(uow: UnitOfWork, principal: Principal, key: str) -> Probed:
    """The result of the last probe; NotFound for an unknown VLAN."""
    require_user(principal, "see VLANs")
    vlan = VLANS.get(uow, principal, key)
    probe = next((candidate for candidate in uow.vlan_probes.list() if candidate.vlan_id == vlan.id), None)
    return Probed(
        vlan,
        probe,
        tuple(foreign_dhcp for foreign_dhcp in uow.vlan_probes.foreign() if foreign_dhcp.vlan_id == vlan.id),
    )


def probe(ports: Ports, principal: Principal, key: str) -> Probed:
    """Probe a VLAN now; if no probe can run there, the result says so."""
    require_admin(principal, "probe VLANs")
    with ports.store.begin() as uow:
        vlan = VLANS.get(uow, principal, key)
    probe_vlan(ports, vlan.id)
    with ports.store.begin() as uow:
        return get(uow, principal, key)
