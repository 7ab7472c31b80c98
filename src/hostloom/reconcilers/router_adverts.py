"""Keeps the router advertisements of this machine's racks in line with the store."""

from hostloom.decide.dhcp.router_adverts import router_adverts
from hostloom.ports.context import Ports
from hostloom.ports.dhcp import RouterAdvertiser


def keep_advertising(ports: Ports, advertiser: RouterAdvertiser) -> None:
    """Advertise for the racks on the node that hostloom runs on; remote racks have their own routers."""
    with ports.store.begin() as uow:
        racks = uow.racks.list()
        snapshot = uow.snapshot()
    local_racks = [rack for rack in racks if rack.system_id == ports.settings.local]
    advertiser.advertise([advert for rack in local_racks for advert in router_adverts(snapshot, racks, rack)])
