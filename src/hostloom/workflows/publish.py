"""Publishing: make the DHCP server serve what the store says, all of it, never a patch."""

import threading

from hostloom.decide.dhcp import dhcp_intent
from hostloom.model.network import Address
from hostloom.ports import Ports

#: Reading the store and setting the server go together, or an older state could overwrite a newer one.
_PUBLISHING = threading.Lock()


def publish_dhcp(ports: Ports) -> None:
    """Rebuild the DHCP intent from the store and apply it; nothing to do without a DHCP server."""
    if ports.dhcp is None:
        return
    with _PUBLISHING:
        with ports.store.begin() as uow:
            snapshot = uow.snapshot()
            machines = tuple(each for each in uow.machines.list() if each.dhcp_published)
            rack = None if ports.local is None else snapshot.node_by_system_id.get(ports.local)
        if rack is not None:
            ports.dhcp.apply(dhcp_intent(snapshot, machines, rack, lambda address: boot_url(ports, address)))


def boot_url(ports: Ports, rack_address: Address) -> str:
    """URL of the boot script on one of the rack's addresses; empty where no boot files are served."""
    if not ports.boot_port:
        return ""
    literal = f"[{rack_address}]" if rack_address.version == 6 else str(rack_address)
    return f"http://{literal}:{ports.boot_port}/boot.ipxe"
