"""Zones, resource pools, domains and tags in the database."""

from sqlalchemy import Column, Table, literal, select, update

from hostloom.model.errors.resources import InUse
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.ids import DomainId, ResourcePoolId, TagId, ZoneId
from hostloom.store import tables
from hostloom.store.records import K, Records, T
from hostloom.store.transaction import DEFAULT_COLUMNS, Transaction


class Groups(Records[T, K]):
    """Zones, resource pools or domains; the default one cannot be deleted, because every node is in one."""

    in_world = True

    def __init__(self, tx: Transaction, table: Table, entity: type[T], columns: "list[Column[int]]") -> None:
        super().__init__(tx, table, entity)
        self._columns = columns

    def default(self) -> T:
        """The group of objects that name no other group."""
        table = self.table
        query = select(table).where(table.c.id == select(self._default_column).scalar_subquery())
        return self.from_row(self.tx.read(query).one())

    @property
    def _default_column(self) -> "Column[int]":
        return DEFAULT_COLUMNS[self._columns[0].name]

    def users(self, item: T) -> list[str]:
        """The nodes and hosts in the group."""
        if item.id == self.default().id:
            raise InUse(self.kind, self.label(item), ["everything that names no other"])
        user_names: list[str] = []
        for column in self._columns:
            owner = column.table
            is_node = owner is tables.nodes
            name = owner.c.hostname if is_node else owner.c.name
            kind = owner.c.kind if is_node else literal(tables.KINDS[str(owner.name)])
            rows = self.tx.rows(select(kind, name).where(column == item.id).order_by(name))
            user_names += [f"{kind_of_owner} {name_of_owner}" for kind_of_owner, name_of_owner in rows]
        return user_names


class Domains(Groups[Domain, DomainId]):
    """Domains, whose default can change."""

    def set_default(self, key: DomainId) -> None:
        """Make another domain the default."""
        self.tx.change_world()
        self.tx.write(update(tables.world).values(default_domain=key))
        self.tx.default_groups["domain_id"] = key


class Tags(Records[Tag, TagId]):
    """Tags; the records that have them store them as words."""

    in_world = True

    def users(self, item: Tag) -> list[str]:
        """The nodes, hosts and interfaces with the tag."""
        tagged = (
            ("node", select(tables.nodes.c.hostname, tables.nodes.c.tags)),
            ("host", select(tables.hosts.c.name, tables.hosts.c.tags)),
            (
                "interface",
                select(
                    tables.nodes.c.hostname + ":" + tables.node_interfaces.c.name,
                    tables.node_interfaces.c.tags,
                ).select_from(tables.nodes.join(tables.node_interfaces)),
            ),
        )
        return [
            f"{kind} {name}"
            for kind, query in tagged
            for name, tag_names in self.tx.rows(query)
            if item.name in tag_names
        ]


def zones(tx: Transaction) -> Groups[Zone, ZoneId]:
    """Zones of a transaction."""
    return Groups(tx, tables.zones, Zone, [tables.nodes.c.zone_id, tables.hosts.c.zone_id])


def resource_pools(tx: Transaction) -> Groups[ResourcePool, ResourcePoolId]:
    """Resource pools of a transaction."""
    columns = [tables.nodes.c.resource_pool_id, tables.hosts.c.resource_pool_id]
    return Groups(tx, tables.resource_pools, ResourcePool, columns)


def domains(tx: Transaction) -> Domains:
    """Domains of a transaction."""
    return Domains(tx, tables.domains, Domain, [tables.nodes.c.domain_id])
