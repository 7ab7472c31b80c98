"""Kea as hostloom sets it, beside a bare Kea, with 0, 1,000 and 20,000 reservations, in one run (needs root).

python bench/dhcp.py [COUNT…]. perfdhcp (Debian's package kea-admin) asks both for addresses as fast as they
answer; then one reservation more is made: the time from the change of the store to a client's lease of it.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostloom.decide.dhcp.intent import dhcp_intent
from hostloom.dhcp.control import ControlSocket
from hostloom.dhcp.driver import KeaDhcp
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.ids import FabricId, InterfaceId, MacAddress, RackId, RangeId, SubnetId, SystemId, VlanId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.network import AddressKind, Fabric, HeldAddress, IPRange, RangeKind, Subnet
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.rack import Rack
from hostloom.store.engine import open_store
from support.kea import Kea, running_kea

COUNTS = (0, 1_000, 20_000)
SECONDS, CLIENTS, RATE = 5, 200, 20_000
NETWORK = ip_network("10.77.0.0/16")
RACK = SystemId("rack01")
_RATE = re.compile(r"Rate: ([\d.]+) 4-way exchanges/second")


def ask_fast(kea: Kea) -> float:
    """Exchanges of four messages a second."""
    words = [
        "perfdhcp",
        "-4",
        "-B",
        "-l",
        "c0",
        "-p",
        str(SECONDS),
        "-R",
        str(CLIENTS),
        "-r",
        str(RATE),
        "-W",
        "1",
    ]
    enter = ["nsenter", f"--target={kea.client.pid}", "--net"]
    done = subprocess.run([*enter, *words], capture_output=True, text=True, check=False)
    found = _RATE.search(done.stdout)
    if found is None:
        raise SystemExit(f"perfdhcp says no rate:\n{done.stdout[-500:]}{done.stderr[-500:]}")
    return float(found[1])


def bare(count: int) -> dict[str, Any]:
    """The least that serves the same wire with as many reservations."""
    reservations = [
        {"hw-address": str(mac_of(number)), "ip-address": str(ip_of(number))} for number in range(count)
    ]
    return {
        "Dhcp4": {
            "interfaces-config": {"interfaces": ["eth0"], "dhcp-socket-type": "raw"},
            "control-socket": {"socket-type": "unix", "socket-name": "/run/kea/kea4-ctrl-socket"},
            "lease-database": {"type": "memfile", "name": "/var/lib/kea/kea-leases4.csv"},
            "valid-lifetime": 600,
            "subnet4": [
                {
                    "id": 1,
                    "subnet": str(NETWORK),
                    "interface": "eth0",
                    "pools": [{"pool": f"{NETWORK[0x1000]} - {NETWORK[0x1FFF]}"}],
                    "reservations": reservations,
                }
            ],
        }
    }


def mac_of(number: int) -> MacAddress:
    """A machine's."""
    return MacAddress.parse(f"0200{number:08x}")


def ip_of(number: int) -> Any:
    """Above the pool of the rest."""
    return NETWORK[0x4000 + number]


def a_machine(number: int) -> Machine:
    """With one NIC and a reserved address."""
    nic = MachineInterface(
        "eth0", mac_of(number), Attachment(AttachKind.BRIDGE, "br0"), VlanId(1), ips=(ip_of(number),)
    )
    return Machine(
        SystemId(f"{number:06x}"),
        f"machine-{number}",
        f"00000000-0000-4000-8000-{number:012x}",
        MachineOrigin.COMPOSED,
        MachineState.READY,
        None,
        "amd64",
        1,
        512,
        interfaces=(nic,),
        dhcp_published=True,
    )


class World:
    """A store with so many machines on one served VLAN."""

    def __init__(self, directory: Path, count: int) -> None:
        self.store = open_store(f"sqlite:///{directory / 'bench.db'}")
        with self.store.begin() as uow:
            fabric = uow.fabrics.add(Fabric(FabricId(0), "fabric"))
            vlan = uow.vlans.find_by_vid(fabric.id, 0)
            assert vlan is not None
            uow.vlans.update(replace(vlan, dhcp_on=True))
            subnet = uow.subnets.add(Subnet(SubnetId(0), NETWORK, vlan.id, "net", gateway=NETWORK[1]))
            uow.ranges.add(
                IPRange(RangeId(0), subnet.id, RangeKind.DYNAMIC, NETWORK[0x1000], NETWORK[0x1FFF])
            )
            nic = NodeInterface(
                InterfaceId(0), "eth0", InterfaceKind.PHYSICAL, vlan_id=vlan.id, addresses=(rack_address(),)
            )
            uow.nodes.add(Node(RACK, "rack", NodeKind.RACK_CONTROLLER, (nic,)))
            self.rack = uow.racks.add(Rack(RackId(0), "rack", RACK))
            self.subnet = subnet.id
            for number in range(count):
                self._add(uow, number)
            uow.commit()

    def _add(self, uow: Any, number: int) -> None:
        machine = uow.machines.add(a_machine(number))
        uow.addresses.hold(
            HeldAddress(ip_of(number), AddressKind.AUTO, self.subnet, machine.system_id, "eth0")
        )

    def add(self, number: int) -> None:
        """One machine more."""
        with self.store.begin() as uow:
            self._add(uow, number)
            uow.commit()

    def publish(self, dhcp: KeaDhcp) -> None:
        """As after every change: all of it, from the store."""
        with self.store.begin() as uow:
            snapshot, nics = uow.snapshot(), uow.machines.published_nics()
        dhcp.apply(dhcp_intent(snapshot, nics, (self.rack,), self.rack, lambda _: ""))


def rack_address() -> Any:
    """Of the rack's eth0, whose wire is the whole network here."""
    return ip_interface("10.77.10.2/16")


def reserve(world: World, dhcp: KeaDhcp, kea: Kea, number: int) -> tuple[float, float, float]:
    """Seconds from the commit to what Kea serves, to the end of publishing, and to a client's lease."""
    world.add(number)
    began = time.perf_counter()
    live: list[float] = []
    control = ControlSocket.command

    def command(self: Any, name: str, *args: Any, **named: Any) -> Any:
        found = control(self, name, *args, **named)
        if name == "config-set":
            live.append(time.perf_counter() - began)
        return found

    ControlSocket.command = command  # type: ignore[method-assign]
    try:
        world.publish(dhcp)
    finally:
        ControlSocket.command = control  # type: ignore[method-assign]
    done = time.perf_counter() - began
    given = kea.address(mac_of(number))
    if given != ip_address(str(ip_of(number))):
        raise SystemExit(f"{mac_of(number)} was given {given}, not {ip_of(number)}")
    return live[0], done, time.perf_counter() - began


def measure(count: int) -> None:
    """One line of rates, one of times."""
    with running_kea() as kea, tempfile.TemporaryDirectory() as name:
        kea.run_rack(["ip", "address", "add", "10.77.10.2/16", "dev", "eth0"])
        kea.run_rack(["ip", "address", "del", "10.77.10.2/24", "dev", "eth0"])
        kea.run_client(
            ["ip", "address", "add", f"{NETWORK[-3]}/16", "broadcast", f"{NETWORK[-1]}", "dev", "c0"]
        )
        kea.run_client(["ip", "link", "set", "c0", "up"])
        world = World(Path(name), count)
        dhcp = KeaDhcp(kea.socket)
        world.publish(dhcp)
        # Before the leases of the other measure: Kea reads its lease file again whenever it is set.
        live, done, leased = reserve(world, dhcp, kea, count)
        ours = ask_fast(kea)
        ControlSocket(kea.socket).command("config-set", bare(count))
        floor = ask_fast(kea)
        print(
            f"{count:6} reservations: hostloom's {ours:7.0f}/s  bare {floor:7.0f}/s  {ours / floor:4.2f} x;"
            f"  one more: live after {live * 1000:5.0f} ms, read back {done * 1000:5.0f} ms,"
            f" leased {leased * 1000:5.0f} ms",
            flush=True,
        )
        world.store.close()


def main() -> None:
    """Measure every count with a separate Kea."""
    if shutil.which("perfdhcp") is None:
        raise SystemExit("perfdhcp is missing: `apt install kea-admin`")
    for count in [int(each) for each in sys.argv[1:]] or COUNTS:
        measure(count)


if __name__ == "__main__":
    main()
