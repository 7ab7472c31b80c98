"""Lookups over the tables of a dump of MAAS (2.5 to 3.7). A missing column counts as null."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from ipaddress import ip_network
from typing import TypeVar

from hostloom.migration.maas import vocabulary
from hostloom.migration.maas.columns import Row, key_of, number_of, text_of
from hostloom.model.network import Network

T = TypeVar("T")


class TableIndex:
    """The rows of all tables by their relations. Ids are texts, as in the dump."""

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self._tables = tables

    def rows(self, table: str) -> Sequence[Row]:
        """Return the rows of a table of MAAS; none for a missing table."""
        return self._tables.get(f"maasserver_{table}", ())

    def all_of(self, table: str, make: Callable[[Row], T]) -> tuple[T, ...]:
        """Convert the rows of a table in the order of ids."""
        return tuple(make(row) for row in sorted(self.rows(table), key=key_of))

    @cached_property
    def nodes(self) -> Sequence[Row]:
        """All nodes in the order of ids."""
        return sorted(self.rows("node"), key=key_of)

    @cached_property
    def node_by_key(self) -> Mapping[str, Row]:
        """Nodes by database id."""
        return {text_of(node, "id"): node for node in self.nodes}

    @cached_property
    def node_of_interface(self) -> Mapping[str, str]:
        """Node ids by id of the interface. From MAAS 3.2 on, a configuration of a node owns them."""
        current = {
            config: key for key, node in self.node_by_key.items() if (config := node.get("current_config_id"))
        }
        nodes = {}
        for row in self.rows("interface"):
            config = row.get("node_config_id")
            node = row.get("node_id") if config is None else current.get(config)
            if node is not None:
                nodes[text_of(row, "id")] = node
        return nodes

    @cached_property
    def interfaces(self) -> Mapping[str, Sequence[Row]]:
        """Interfaces by id of the node, the oldest first."""
        interfaces: dict[str, list[Row]] = {}
        for row in sorted(self.rows("interface"), key=key_of):
            node = self.node_of_interface.get(text_of(row, "id"))
            if node is not None and row.get("type") in vocabulary.INTERFACE_KINDS:
                interfaces.setdefault(node, []).append(row)
        return interfaces

    @cached_property
    def interface_names(self) -> Mapping[str, str]:
        """Names of interfaces by id."""
        return {text_of(row, "id"): text_of(row, "name") for row in self.rows("interface")}

    @cached_property
    def parents(self) -> Mapping[str, Sequence[str]]:
        """Names of parent interfaces by id of the interface."""
        parents: dict[str, list[str]] = {}
        for row in sorted(self.rows("interfacerelationship"), key=key_of):
            parent = self.interface_names.get(text_of(row, "parent_id"))
            if parent is not None:
                parents.setdefault(text_of(row, "child_id"), []).append(parent)
        return parents

    @cached_property
    def tags(self) -> Mapping[str, Sequence[str]]:
        """Names of tags by id of the node."""
        names = {text_of(row, "id"): text_of(row, "name") for row in self.rows("tag")}
        tags: dict[str, list[str]] = {}
        for row in sorted(self.rows("node_tags"), key=key_of):
            tags.setdefault(text_of(row, "node_id"), []).append(names[text_of(row, "tag_id")])
        return tags

    @cached_property
    def users(self) -> Mapping[str, str]:
        """User names by id."""
        return {text_of(user, "id"): text_of(user, "username") for user in self._tables.get("auth_user", ())}

    @cached_property
    def vids(self) -> Mapping[int | None, int]:
        """VLAN tags by id of the VLAN."""
        return {key_of(row): number_of(row, "vid") for row in self.rows("vlan")}

    @cached_property
    def mtus(self) -> Mapping[int | None, int]:
        """MTUs by id of the VLAN."""
        return {key_of(row): number_of(row, "mtu") for row in self.rows("vlan")}

    @cached_property
    def interface_of_address(self) -> Mapping[str, str]:
        """Interface ids by id of the address; of several the first."""
        links = sorted(self.rows("interface_ip_addresses"), key=key_of)
        return {
            text_of(link, "staticipaddress_id"): text_of(link, "interface_id") for link in reversed(links)
        }

    @cached_property
    def addresses_of_interface(self) -> Mapping[str, Sequence[Row]]:
        """Addresses by id of the interface, in the order of links."""
        rows = {text_of(row, "id"): row for row in self.rows("staticipaddress") if row.get("ip")}
        addresses: dict[str, list[Row]] = {}
        for row in sorted(self.rows("interface_ip_addresses"), key=key_of):
            address_row = rows.get(text_of(row, "staticipaddress_id"))
            if address_row is not None:
                addresses.setdefault(text_of(row, "interface_id"), []).append(address_row)
        return addresses

    @cached_property
    def cidrs(self) -> Mapping[str, Network]:
        """CIDRs by id of the subnet."""
        return {text_of(row, "id"): ip_network(text_of(row, "cidr")) for row in self.rows("subnet")}

    @cached_property
    def bmcs(self) -> Mapping[str, Row]:
        """BMCs and VM hosts by id."""
        return {text_of(row, "id"): row for row in self.rows("bmc")}

    @cached_property
    def node_of_host(self) -> Mapping[str, str]:
        """Node ids by id of the VM host, as MAAS 2.8 and later record them."""
        pods = {text_of(row, "id"): text_of(row, "pod_id") for row in self.rows("podhints")}
        links = sorted(self.rows("podhints_nodes"), key=key_of)
        return {pods[text_of(link, "podhints_id")]: text_of(link, "node_id") for link in reversed(links)}
