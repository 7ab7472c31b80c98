"""The physical network in memory, and the subnets of addresses on interfaces."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import Table, select

from hostloom.model.dhcp_exchange import ForeignDhcp
from hostloom.model.ids import VlanId
from hostloom.model.network import Address, Fabric, IPRange, Space, Subnet, Vlan
from hostloom.store import tables
from hostloom.store.transaction import Transaction
from hostloom.store.wire import VlanProbes


@dataclass(frozen=True)
class Topology:
    """The physical network, and the subnets of addresses on interfaces."""

    revision: int = -1
    fabrics: tuple[Fabric, ...] = ()
    vlans: tuple[Vlan, ...] = ()
    spaces: tuple[Space, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    ranges: tuple[IPRange, ...] = ()
    foreign_dhcp: tuple[ForeignDhcp, ...] = ()
    silent_vlans: frozenset[VlanId] = frozenset()
    #: Subnets by family and prefix length (longest first), then by network.
    by_prefix: Mapping[tuple[int, int], Mapping[int, list[Subnet]]] = field(default_factory=dict)
    fabric_of_vlan: Mapping[VlanId, int] = field(default_factory=dict)

    def subnet_around(self, ip: Address, vlan_id: VlanId | None) -> Subnet | None:
        """The subnet of an address: on the interface's VLAN, else in its fabric, by longest prefix."""
        fabric_id = None if vlan_id is None else self.fabric_of_vlan[vlan_id]
        best: tuple[tuple[bool, bool, int, int], Subnet] | None = None
        for (version, length), subnets in self.by_prefix.items():
            if version != ip.version:
                continue
            shift = ip.max_prefixlen - length
            for subnet in subnets.get(int(ip) >> shift, ()):
                same_fabric = self.fabric_of_vlan[subnet.vlan_id] == fabric_id
                rank = (subnet.vlan_id == vlan_id, same_fabric, length, -subnet.id)
                if best is None or rank > best[0]:
                    best = rank, subnet
        return None if best is None else best[1]


def read_topology(tx: Transaction, revision: int) -> Topology:
    """Read the whole physical network."""
    vlans = _all(tx, tables.vlans, Vlan)
    subnets = _all(tx, tables.subnets, Subnet)
    by_prefix: dict[tuple[int, int], dict[int, list[Subnet]]] = {}
    for subnet in subnets:
        length = subnet.cidr.prefixlen
        network = int(subnet.cidr.network_address) >> (subnet.cidr.max_prefixlen - length)
        by_prefix.setdefault((subnet.cidr.version, length), {}).setdefault(network, []).append(subnet)
    return Topology(
        revision,
        _all(tx, tables.fabrics, Fabric),
        vlans,
        _all(tx, tables.spaces, Space),
        subnets,
        _all(tx, tables.ip_ranges, IPRange),
        tuple(VlanProbes(tx).foreign()),
        frozenset(probe.vlan_id for probe in VlanProbes(tx).list() if probe.ours_answered is False),
        by_prefix,
        {vlan.id: vlan.fabric_id for vlan in vlans},
    )


def _all(tx: Transaction, table: Table, entity: Any) -> tuple[Any, ...]:
    columns = [table.c[field.name] for field in fields(entity)]
    return tuple(entity(*row) for row in tx.rows(select(*columns).order_by(table.c.id)))
