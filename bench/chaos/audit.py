"""Compares the store with what really exists: domains, volumes, taps, DHCP reservations."""

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
class Differences:
    """Differences between the store and the hosts, by kind; also probe volumes that a killed server left."""

    orphans: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    over_booked: list[str] = field(default_factory=list)
    unserved: list[str] = field(default_factory=list)
    probes: list[str] = field(default_factory=list)

    def wrong(self) -> list[str]:
        """All differences except probe volumes, as lines."""
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


def audit(lab: Lab, client: Client, served: Sequence[str]) -> Differences:
    """Compare everything; the addresses of machines on the VLANs `served` must be in Kea."""
    differences = Differences()
    hosts = client.hosts.list()
    machines = client.machines.list()
    addresses = client.addresses.list()
    worlds = {host["name"]: _host_world(lab, host["name"]) for host in hosts}
    _audit_hosts(differences, worlds, machines)
    _audit_addresses(differences, machines, addresses)
    _audit_capacity(differences, hosts, machines)
    _audit_dhcp(differences, _reservations(lab), machines, served)
    nodes = {node["hostname"] for node in client.nodes.list() if node["kind"] == "machine"}
    known = {machine["hostname"] for machine in machines} | {host.name for host in lab.plan.hosts}
    differences.ghosts += [f"node {name} without machine" for name in sorted(nodes - known)]
    return differences


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


def _audit_hosts(
    differences: Differences, worlds: dict[str, HostWorld], machines: Sequence[Document]
) -> None:
    for name, world in worlds.items():
        on_host = [machine for machine in machines if machine["host"] == name]
        _audit_host(differences, name, world, on_host)
    for machine in machines:
        differences.ghosts += _ghosts(machine, worlds.get(machine["host"] or ""))


def _audit_host(differences: Differences, name: str, world: HostWorld, machines: Sequence[Document]) -> None:
    """What is on a host and belongs to none of the machines that are recorded there."""
    uuids = {machine["uuid"] for machine in machines}
    for uuid, (title, _) in world.domains.items():
        if uuid not in uuids:
            differences.orphans.append(f"domain {title} ({uuid}) on {name} is no machine")
    for pool, volume in sorted(world.volumes - _volumes(machines)):
        kind = differences.probes if volume.startswith(PROBE) else differences.orphans
        kind.append(f"volume {volume} in {pool} on {name}")
    differences.orphans += [f"tap {tap} on {name} has no running machine" for tap in sorted(world.taps)]


def _ghosts(machine: Document, world: HostWorld | None) -> list[str]:
    """What is recorded of a machine and does not exist on its host."""
    title = f"machine {machine['hostname']} ({machine['origin']}, {machine['state']}) on {machine['host']}"
    if world is None or machine["uuid"] not in world.domains:
        return [f"{title} has no domain"]
    if machine["origin"] != "composed":
        return [f"{title} is not one that was composed"]
    _, domain_macs = world.domains[machine["uuid"]]
    is_same = {nic["mac"] for nic in machine["interfaces"]} == domain_macs
    lost = sorted(_volumes([machine]) - world.volumes)
    return [
        *([] if is_same else [f"{title} has other NICs than its domain"]),
        *(f"{title} has no volume {volume}" for _, volume in lost),
    ]


def _volumes(machines: Sequence[Document]) -> set[tuple[str, str]]:
    return {(disk["pool"], disk["volume"]) for machine in machines for disk in machine["disks"]}


def _nics(machines: Sequence[Document]) -> list[Document]:
    return [nic for machine in machines for nic in machine["interfaces"]]


def _audit_addresses(
    differences: Differences, machines: Sequence[Document], addresses: Sequence[Document]
) -> None:
    held = [address for address in addresses if address["kind"] in EXCLUSIVE]
    nic_ips = [ip for nic in _nics(machines) for ip in nic["ips"]]
    differences.doubled += _twice("address", [f"{item['subnet']} {item['ip']}" for item in held])
    differences.doubled += _twice("MAC", [nic["mac"] for nic in _nics(machines)])
    differences.doubled += _twice("address of NICs", nic_ips)
    differences.orphans += _orphaned_addresses(held, machines)
    missing = set(nic_ips) - {address["ip"] for address in held}
    differences.orphans += [f"address {ip} of a NIC is not held" for ip in sorted(missing)]


def _orphaned_addresses(held: Sequence[Document], machines: Sequence[Document]) -> list[str]:
    """The automatic addresses of machines that do not exist."""
    system_ids = {machine["system_id"] for machine in machines}
    return [
        f"address {address['ip']} of {address['system_id']}, which is no machine"
        for address in held
        if address["kind"] == "auto" and address["system_id"] not in system_ids
    ]


def _audit_capacity(
    differences: Differences, hosts: Sequence[Document], machines: Sequence[Document]
) -> None:
    for host in hosts:
        on_it = [machine for machine in machines if machine["host"] == host["name"]]
        for name in ("cores", "memory_mib"):
            used, offered = sum(machine[name] for machine in on_it), host[f"{name}_offered"]
            if used > offered:
                differences.over_booked.append(f"{host['name']}: {used} {name} of {offered}")


def _reservations(lab: Lab) -> list[tuple[str, str]]:
    config = ControlSocket(lab.kea_socket).command("config-get")["Dhcp4"]
    return [
        (reservation["hw-address"].lower(), reservation.get("ip-address", ""))
        for subnet in config["subnet4"]
        for reservation in subnet["reservations"]
    ]


def _audit_dhcp(
    differences: Differences,
    reservations: Sequence[tuple[str, str]],
    machines: Sequence[Document],
    served: Sequence[str],
) -> None:
    differences.doubled += _twice("reservation of", [ip for _, ip in reservations if ip])
    addresses = {(nic["mac"], ip) for nic in _nics(machines) for ip in nic["ips"]}
    macs = {mac for mac, _ in addresses}
    for mac, ip in reservations:
        if (mac, ip) not in addresses and (ip or mac not in macs):
            differences.orphans.append(f"reservation of {ip} for {mac}, which no machine has")
    for machine in machines:
        unserved = _expected(machine, served) - set(reservations)
        differences.unserved += [f"{ip} of {machine['hostname']} is not in Kea" for _, ip in sorted(unserved)]


def _expected(machine: Document, served: Sequence[str]) -> set[tuple[str, str]]:
    """The reservations that a machine must have: automatic addresses on VLANs that are served."""
    nics = [nic for nic in machine["interfaces"] if nic["vlan"] in served and nic["mode"] == "auto"]
    return {(nic["mac"], ip) for nic in nics for ip in nic["ips"]}


def _twice(what: str, items: Iterable[Any]) -> list[str]:
    return [f"{what} {item} {count} times" for item, count in Counter(items).items() if count > 1]
