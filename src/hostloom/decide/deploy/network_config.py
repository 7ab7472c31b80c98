"""Renders the network configuration of a machine as cloud-init reads it (version 2, netplan's format).

See docs/explanation/rules.md#the-network-of-a-deployed-machine. NICs are found by their MAC and then renamed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from hostloom.decide.deploy.addressing import (
    AddressedInterface,
    DefaultRoute,
    addressed_interfaces,
    default_routes,
)
from hostloom.decide.deploy.interface_mtus import interface_mtus
from hostloom.decide.snapshot import Snapshot
from hostloom.model.interface_config import BondOptions, BridgeOptions, ConfiguredInterface, InterfaceConfig
from hostloom.model.network import Network, StaticRoute
from hostloom.model.node import BridgeKind, InterfaceKind

#: Every version of netplan and of cloud-init's other renderers understands this form.
_EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
_SECTIONS = {
    InterfaceKind.PHYSICAL: "ethernets",
    InterfaceKind.BOND: "bonds",
    InterfaceKind.VLAN: "vlans",
    InterfaceKind.BRIDGE: "bridges",
}
Document = dict[str, Any]


def render_network_config(
    config: InterfaceConfig, snapshot: Snapshot, routes: Iterable[StaticRoute] = (), domain: str = ""
) -> str:
    """The text of a network-config file; `domain` is the search domain, blank for none.

    InvalidValue for addresses or MTUs that contradict each other; KeyError for an unknown subnet or VLAN.
    """
    interfaces = addressed_interfaces(config, snapshot)
    renderer = _Renderer(
        config,
        interface_mtus(config, snapshot),
        default_routes(interfaces),
        domain,
        _Routes(interfaces, routes),
    )
    entries = {interface.interface.name: renderer.entry(interface) for interface in interfaces}
    document: Document = {"version": 2}
    for interface in config.interfaces:
        document.setdefault(_SECTIONS[interface.kind], {})[interface.name] = entries[interface.name]
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=False, allow_unicode=True)


class _Routes:
    """The static routes of the interfaces' subnets; each is on one interface only."""

    def __init__(self, interfaces: Iterable[AddressedInterface], routes: Iterable[StaticRoute]) -> None:
        ordered, self._routes = list(interfaces), tuple(routes)
        self._machine_ips = {ip for interface in ordered for ip, _ in interface.addresses}
        self._connected = {
            subnet.cidr
            for interface in ordered
            for subnet in (*(subnet for _, subnet in interface.addresses), *interface.lease_subnets)
        }
        self._rendered: set[tuple[Network, int]] = set()

    def of(self, interface: AddressedInterface) -> list[Document]:
        """The routes that no earlier interface has."""
        subnet_ids = {subnet.id for _, subnet in interface.addresses}
        for version in (4, 6):
            # A lease may be in any of several subnets, so the gateway is reachable only with a single one.
            subnets = [subnet for subnet in interface.lease_subnets if subnet.cidr.version == version]
            if len(subnets) == 1:
                subnet_ids.add(subnets[0].id)
        documents = []
        for route in self._routes:
            key = route.destination, route.metric
            if route.subnet_id in subnet_ids and self._is_useful(route) and key not in self._rendered:
                self._rendered.add(key)
                documents.append(_route(route))
        return documents

    def _is_useful(self, route: StaticRoute) -> bool:
        """Whether the route is needed: connected networks and the default route are configured separately."""
        return (
            route.destination.version == route.gateway.version
            and route.destination.prefixlen > 0
            and route.destination not in self._connected
            and route.gateway not in self._machine_ips
        )


def _route(route: StaticRoute) -> Document:
    document: Document = {"to": str(route.destination), "via": str(route.gateway)}
    if route.metric:
        document["metric"] = route.metric
    return document


@dataclass(frozen=True, slots=True)
class _Renderer:
    config: InterfaceConfig
    mtus: dict[str, int]
    defaults: dict[int, DefaultRoute]
    domain: str
    routes: _Routes

    def entry(self, addressed: AddressedInterface) -> Document:
        """The entry of one interface: its kind and options, then its addresses."""
        interface = addressed.interface
        entry = self._device(interface)
        if interface.name in self.mtus:
            entry["mtu"] = self.mtus[interface.name]
        if addressed.is_addressed:
            entry |= self._addresses(addressed)
        elif not self._is_member(interface):
            # Its link comes up, and the boot does not wait for an address on it.
            entry |= {"accept-ra": False, "link-local": [], "optional": True}
        return entry

    def _is_member(self, interface: ConfiguredInterface) -> bool:
        return any(child.kind is not InterfaceKind.VLAN for child in self.config.children(interface))

    def _device(self, interface: ConfiguredInterface) -> Document:
        if interface.kind is InterfaceKind.PHYSICAL:
            return {"match": {"macaddress": str(interface.mac)}, "set-name": interface.name}
        if interface.kind is InterfaceKind.VLAN:
            return {"id": interface.tag_vid, "link": interface.parents[0]}
        entry: Document = {"interfaces": list(interface.parents)}
        mac = self.config.mac_of(interface)
        if mac is not None:
            # systemd would otherwise make up a MAC that neither DHCP nor the record knows.
            entry["macaddress"] = str(mac)
        if interface.kind is InterfaceKind.BOND:
            entry["parameters"] = _bond_parameters(interface.bond or BondOptions())
        else:
            entry |= _bridge_parameters(interface.bridge or BridgeOptions())
        return entry

    def _addresses(self, addressed: AddressedInterface) -> Document:
        entry: Document = {}
        leases, name = sorted(addressed.lease_versions), addressed.interface.name
        entry |= {f"dhcp{version}": True for version in leases}
        if 4 in leases and name != self._default_interface(4):
            # networkd has one setting for both versions; DHCPv6 gives no routes anyway.
            entry |= {f"dhcp{version}-overrides": {"use-routes": False} for version in leases}
        if addressed.has(6):
            entry["accept-ra"] = self._accepts_adverts(addressed)
        if addressed.addresses:
            entry["addresses"] = [f"{ip}/{subnet.cidr.prefixlen}" for ip, subnet in addressed.addresses]
        routes = [
            {"to": _EVERYWHERE[version], "via": str(default.gateway)}
            for version, default in self.defaults.items()
            if default.interface == name and default.gateway is not None
        ]
        routes += self.routes.of(addressed)
        if routes:
            entry["routes"] = routes
        return entry | self._nameservers(addressed)

    def _default_interface(self, version: int) -> str:
        return self.defaults[version].interface if version in self.defaults else ""

    def _accepts_adverts(self, addressed: AddressedInterface) -> bool:
        """DHCPv6 names no router, so a lease needs router advertisements; a fixed address may."""
        default = self.defaults.get(6)
        is_announced = default is not None and default.gateway is None
        return 6 in addressed.lease_versions or (
            is_announced and self._default_interface(6) == addressed.interface.name
        )

    def _nameservers(self, addressed: AddressedInterface) -> Document:
        servers = dict.fromkeys(str(ip) for _, subnet in addressed.addresses for ip in subnet.dns_servers)
        if not servers:
            # cloud-init 22.4 ignores a whole section in which an interface has only a search domain.
            return {}
        search = {"search": [self.domain]} if self.domain else {}
        return {"nameservers": {"addresses": list(servers), **search}}


def _bond_parameters(options: BondOptions) -> Document:
    # Text, because cloud-init's schema wants a text here; netplan takes both.
    parameters: Document = {"mode": str(options.mode), "mii-monitor-interval": str(options.mii_monitor_ms)}
    if options.up_delay_ms:
        parameters["up-delay"] = options.up_delay_ms
    if options.down_delay_ms:
        parameters["down-delay"] = options.down_delay_ms
    if options.lacp_rate is not None:
        parameters["lacp-rate"] = str(options.lacp_rate)
    if options.transmit_hash_policy is not None:
        parameters["transmit-hash-policy"] = str(options.transmit_hash_policy)
    if options.gratuitous_arps is not None:
        parameters["gratuitous-arp"] = options.gratuitous_arps
    if options.primary:
        parameters["primary"] = options.primary
    return parameters


def _bridge_parameters(options: BridgeOptions) -> Document:
    parameters: Document = {"stp": options.stp}
    if options.kind is BridgeKind.OVS:
        return {"openvswitch": {}, "parameters": parameters}
    if options.stp:
        parameters["forward-delay"] = options.forward_delay_s
    return {"parameters": parameters}
