"""Setting addresses aside and linking NICs, from 100 to 60,000 held addresses, on SQLite.

python bench/addresses.py [HELD …]

Each call is a separate transaction. The figures are medians of CPU time in ms, without waiting for the disk.
Each figure is followed by its ratio to the one with the fewest held addresses. Bar: 5 ms, whatever is held.
"""

import gc
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from ipaddress import IPv4Network, ip_address
from pathlib import Path
from statistics import median

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.handlers.resources import CATALOGUE
from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.ids import FabricId, InterfaceId, MacAddress, SubnetId, SystemId
from hostloom.model.network import UNTAGGED, Address, AddressKind, Fabric, HeldAddress, Subnet
from hostloom.model.node import InterfaceKind, LinkMode, Node, NodeInterface, NodeKind, VlanSource
from hostloom.ports.context import Ports
from hostloom.server.config import Settings
from hostloom.server.wiring import wire
from hostloom.services import addresses, nic_links
from hostloom.services.nic_links import LinkInput

HELD = (100, 5_000, 20_000, 60_000)
ROUNDS = 40
BAR_MS = 5.0
CIDR = IPv4Network("10.0.0.0/15")
NODE = SystemId("bench1")


class Bench:
    """A store with one subnet, a device, and so many held addresses."""

    def __init__(self, ports: Ports, held: int) -> None:
        self.ports = ports
        self.subnet = self._fill(held)
        #: Named addresses come from the end of the subnet, next free ones from the gaps after the held ones.
        self._last = int(CIDR.broadcast_address)
        self._given: list[Address] = []

    def _fill(self, held: int) -> Subnet:
        with self.ports.store.begin() as uow:
            fabric = uow.fabrics.add(Fabric(FabricId(0), "bench"))
            vlan = uow.vlans.find_by_vid(fabric.id, UNTAGGED)
            assert vlan is not None
            subnet = uow.subnets.add(Subnet(SubnetId(0), CIDR, vlan.id, str(CIDR)))
            for number in range(held):
                ip = CIDR.network_address + 1 + number
                uow.addresses.hold(HeldAddress(ip, AddressKind.RESERVED, subnet.id))
            uow.nodes.add(Node(NODE, "bench", NodeKind.DEVICE))
            mac = MacAddress.parse("52:54:00:00:00:01")
            nic = NodeInterface(
                InterfaceId(0), "eth0", InterfaceKind.PHYSICAL, mac, vlan.id, VlanSource.OPERATOR
            )
            uow.nodes.replace_interfaces(NODE, [nic])
            uow.commit()
        return subnet

    def next_named(self) -> Address:
        """An address that is not held."""
        self._last -= 1
        return ip_address(self._last)

    def nothing(self) -> None:
        """A transaction that changes nothing: the floor."""
        with self.ports.store.begin() as uow:
            uow.subnets.get(self.subnet.id)
            uow.commit()

    def get(self) -> None:
        """Who holds an address."""
        with self.ports.store.begin() as uow:
            addresses.get(uow, LOCAL_ADMIN, CIDR.network_address + 1)

    def create(self) -> None:
        """`address create IP`."""
        with self.ports.store.begin() as uow:
            addresses.reserve(uow, LOCAL_ADMIN, self.next_named())
            uow.commit()

    def create_next(self) -> None:
        """The next free address of a subnet."""
        with self.ports.store.begin() as uow:
            addresses.reserve_next(uow, LOCAL_ADMIN, str(CIDR))
            uow.commit()

    def maas_reserve(self) -> None:
        """MAAS's `ipaddresses/?op=reserve` of a subnet, to the body that a client gets."""
        found = CATALOGUE.find("ipaddresses/")
        assert found is not None
        do = found.resource.actions["POST", "reserve"].do
        form = Form({"subnet": [str(CIDR)]}, {})
        do(Call(self.ports, LOCAL_ADMIN, found.places, form, "http://bench"))

    def link_next(self) -> None:
        """Link a NIC with the next free address."""
        self._link(LinkInput(LinkMode.AUTO, str(CIDR)))

    def link_named(self) -> None:
        """Link a NIC with a named address."""
        self._link(LinkInput(LinkMode.STATIC, str(CIDR), self.next_named()))

    def _link(self, wanted: LinkInput) -> None:
        with self.ports.store.begin() as uow:
            held = nic_links.hold(uow, LOCAL_ADMIN, NODE, "eth0", wanted)
            uow.commit()
        assert held is not None
        self._given.append(held.ip)

    def unlink(self) -> None:
        """Give back an address of a NIC."""
        with self.ports.store.begin() as uow:
            nic_links.let_go(uow, LOCAL_ADMIN, NODE, "eth0", self._given.pop())
            uow.commit()


CALLS: dict[str, Callable[[Bench], None]] = {
    "nothing": Bench.nothing,
    "get": Bench.get,
    "create": Bench.create,
    "create next": Bench.create_next,
    "MAAS reserve": Bench.maas_reserve,
    "link static": Bench.link_named,
    "link auto": Bench.link_next,
    "unlink": Bench.unlink,
}


def measured(call: Callable[[], None]) -> float:
    """The median in ms of CPU; the first call is left out, because it fills what is kept in memory."""
    call()
    took = []
    gc.collect()
    for _ in range(ROUNDS):
        began = time.process_time()
        call()
        took.append((time.process_time() - began) * 1000)
    return median(took)


def main() -> None:
    """Measure."""
    sizes = [int(size) for size in sys.argv[1:]] or list(HELD)
    print("    held" + "".join(f"{name:>18}" for name in CALLS))
    least: dict[str, float] = {}
    worst = 0.0
    for held in sizes:
        cells = []
        with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
            bench = Bench(wire(Settings(state_dir=Path(directory)), stack), held)
            for name, call in CALLS.items():
                took = measured(partial(call, bench))
                worst = max(worst, took)
                cells.append(f"{took:8.2f} ({took / least.setdefault(name, took):5.2f} x)")
        print(f"{held:8}" + "".join(f"{cell:>18}" for cell in cells), flush=True)
    print(f"bar {BAR_MS:g} ms: {'met' if worst <= BAR_MS else 'MISSED'} (the slowest: {worst:.2f} ms)")


if __name__ == "__main__":
    main()
