"""Holds the store against the real world: domains, volumes, taps, DHCP reservations."""

import json
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import libvirt

from hostloom.client import Client, Document
from hostloom.dhcp.control import ControlSocket
from hostloom_lab.lab import Lab

PROBE = "hostloom-probe-"
TAPS = ("vnet", "macvtap")
#: Kinds of held addresses that one holder has alone.
EXCLUSIVE = ("auto", "static", "reserved")


@dataclass
class Found:
    """What is wrong, by kind, each with its evidence; and probe volumes that a dead server left."""

    orphans: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    over_booked: list[str] = field(default_factory=list)
    unserved: list[str] = field(default_factory=list)
    probes: list[str] = field(default_factory=list)

    def wrong(self) -> list[str]:
        """Everything but left probes, as lines."""
        kinds = ("orphans", "ghosts", "doubled", "over_booked", "unserved")
        return [f"{kind}: {words}" for kind in kinds for words in getattr(self, kind)]


@dataclass
class HostWorld:
    """What is on one host."""

    #: UUID, name and MACs of every domain.
    domains: dict[str, tuple[str, frozenset[str]]]
    volumes: set[tuple[str, str]]
    #: Taps that no running domain has.
    taps: set[str]


def audit(lab: Lab, client: Client, served: Sequence[str]) -> Found:
    """Look at everything; `served` are the VLANs whose machines' addresses must be in Kea."""
    found = Found()
    hosts = client.hosts.list()
    machines = client.machines.list()
    addresses = client.addresses.list()
    worlds = {host["name"]: _host_world(lab, host["name"]) for host in hosts}
    _audit_hosts(found, worlds, machines)
    _audit_addresses(found, machines, addresses)
    _audit_capacity(found, hosts, machines)
    _audit_dhcp(found, _reservations(lab), machines, served)
    nodes = {node["hostname"] for node in client.nodes.list() if node["kind"] == "machine"}
    known = {machine["hostname"] for machine in machines} | {host.name for host in lab.plan.hosts}
    found.ghosts += [f"node {name} without machine" for name in sorted(nodes - known)]
    return found


def audit_empty_host(lab: Lab, name: str) -> list[str]:
    """What is left on a host that hostloom does not know."""
    world = _host_world(lab, name)
    left = [f"domain {words[0]} on {name}" for words in world.domains.values()]
    left += [
        f"volume {volume} in {pool} on {name}"
        for pool, volume in world.volumes
        if not volume.startswith(PROBE)
    ]
    return left + [f"tap {tap} on {name}" for tap in world.taps]


def _host_world(lab: Lab, name: str) -> HostWorld:
    connection = libvirt.open(lab.uri_unix(name))
    try:
        domains, wanted = {}, set()
        for domain in connection.listAllDomains():
            root = ET.fromstring(domain.XMLDesc())  # noqa: S314  (our own libvirt)
            macs = frozenset(mac.get("address", "") for mac in root.findall("devices/interface/mac"))
            domains[domain.UUIDString()] = (domain.name(), macs)
            if domain.isActive():
                wanted |= {target.get("dev", "") for target in root.findall("devices/interface/target")}
        volumes = set()
        for pool in connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
            pool.refresh(0)
            volumes |= {(pool.name(), volume) for volume in pool.listVolumes()}
    finally:
        connection.close()
    links = json.loads(lab.run_in(name, ["ip", "-j", "link"]))
    taps = {link["ifname"] for link in links if link["ifname"].startswith(TAPS)} - wanted
    return HostWorld(domains, volumes, taps)


def _audit_hosts(found: Found, worlds: dict[str, HostWorld], machines: Sequence[Document]) -> None:
    by_uuid = {machine["uuid"]: machine for machine in machines}
    for name, world in worlds.items():
        for uuid, (title, _) in world.domains.items():
            machine = by_uuid.get(uuid)
            if machine is None or machine["host"] != name:
                found.orphans.append(f"domain {title} ({uuid}) on {name} is no machine")
        disks = {(disk["pool"], disk["volume"]) for m in machines if m["host"] == name for disk in m["disks"]}
        for pool, volume in sorted(world.volumes - disks):
            kind = found.probes if volume.startswith(PROBE) else found.orphans
            kind.append(f"volume {volume} in {pool} on {name}")
        found.orphans += [f"tap {tap} on {name} has no running machine" for tap in sorted(world.taps)]
    for machine in machines:
        world = worlds.get(machine["host"] or "")
        words = (
            f"machine {machine['hostname']} ({machine['origin']}, {machine['state']}) on {machine['host']}"
        )
        if world is None or machine["uuid"] not in world.domains:
            found.ghosts.append(f"{words} has no domain")
        elif machine["origin"] != "composed":
            found.ghosts.append(f"{words} is not one that was composed")
        else:
            macs = {nic["mac"] for nic in machine["interfaces"]}
            if macs != world.domains[machine["uuid"]][1]:
                found.ghosts.append(f"{words} has other NICs than its domain")
            lost = {(disk["pool"], disk["volume"]) for disk in machine["disks"]} - world.volumes
            found.ghosts += [f"{words} has no volume {volume}" for _, volume in sorted(lost)]


def _audit_addresses(found: Found, machines: Sequence[Document], addresses: Sequence[Document]) -> None:
    known = {machine["system_id"] for machine in machines}
    held = [address for address in addresses if address["kind"] in EXCLUSIVE]
    found.doubled += _twice("address", (f"{item['subnet']} {item['ip']}" for item in held))
    found.doubled += _twice("MAC", (nic["mac"] for machine in machines for nic in machine["interfaces"]))
    of_nics = [ip for machine in machines for nic in machine["interfaces"] for ip in nic["ips"]]
    found.doubled += _twice("address of NICs", of_nics)
    for address in held:
        if address["kind"] == "auto" and address["system_id"] not in known:
            found.orphans.append(f"address {address['ip']} of {address['system_id']}, which is no machine")
    missing = set(of_nics) - {address["ip"] for address in held}
    found.orphans += [f"address {ip} of a NIC is not held" for ip in sorted(missing)]


def _audit_capacity(found: Found, hosts: Sequence[Document], machines: Sequence[Document]) -> None:
    for host in hosts:
        on_it = [machine for machine in machines if machine["host"] == host["name"]]
        for name in ("cores", "memory_mib"):
            used, offered = sum(machine[name] for machine in on_it), host[f"{name}_offered"]
            if used > offered:
                found.over_booked.append(f"{host['name']}: {used} {name} of {offered}")


def _reservations(lab: Lab) -> list[tuple[str, str]]:
    config = ControlSocket(lab.kea_socket).command("config-get")["Dhcp4"]
    return [
        (reservation["hw-address"].lower(), reservation.get("ip-address", ""))
        for subnet in config["subnet4"]
        for reservation in subnet["reservations"]
    ]


def _audit_dhcp(
    found: Found, reservations: Sequence[tuple[str, str]], machines: Sequence[Document], served: Sequence[str]
) -> None:
    known = {(nic["mac"], ip) for machine in machines for nic in machine["interfaces"] for ip in nic["ips"]}
    macs = {mac for mac, _ in known}
    found.doubled += _twice("reservation of", (ip for _, ip in reservations if ip))
    for mac, ip in reservations:
        if (mac, ip) not in known and (ip or mac not in macs):
            found.orphans.append(f"reservation of {ip} for {mac}, which no machine has")
    for machine in machines:
        for nic in machine["interfaces"]:
            for ip in nic["ips"] if nic["vlan"] in served and nic["mode"] == "auto" else ():
                if (nic["mac"], ip) not in reservations:
                    found.unserved.append(f"{ip} of {machine['hostname']} is not in Kea")


def _twice(what: str, items: Iterable[Any]) -> list[str]:
    return [f"{what} {item} {count} times" for item, count in Counter(items).items() if count > 1]
