"""IP ranges in the database."""

from sqlalchemy import select

from hostloom.model.errors.resources import AlreadyExists, NotFound
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import RangeId
from hostloom.model.network import IPRange
from hostloom.store import tables
from hostloom.store.records import Records


class Ranges(Records[IPRange, RangeId]):
    """Ranges; every range is inside its subnet, and ranges of a subnet do not overlap."""

    topology = True

    def find(self, name: str) -> IPRange | None:
        """A range by `START-END`; InvalidValue if several subnets have it."""
        query = select(self.table).order_by(self.table.c.id)
        ip_ranges = [item for row in self.tx.rows(query) if self.label(item := self.from_row(row)) == name]
        if len(ip_ranges) > 1:
            raise InvalidValue("range", name, "is ambiguous, because several subnets have it", "give its id")
        return ip_ranges[0] if ip_ranges else None

    def check(self, item: IPRange) -> None:
        """Refuse a range that leaves the subnet or overlaps another range of the subnet."""
        query = select(tables.subnets.c.cidr).where(tables.subnets.c.id == item.subnet_id)
        cidr = self.tx.read(query).scalar_one_or_none()
        if cidr is None:
            raise NotFound("subnet", item.subnet_id)
        for field, end in (("start", item.start), ("end", item.end)):
            if end not in cidr:
                raise InvalidValue(field, end, f"is not in subnet {cidr}", "choose an address of the subnet")
        if item.start.version == item.end.version and int(item.start) > int(item.end):
            raise InvalidValue("end", item.end, f"is before the start {item.start}")
        columns = self.table.c
        overlapping = self.tx.read(
            select(columns.start, columns.end).where(
                columns.subnet_id == item.subnet_id,
                columns.id != item.id,
                columns.start <= item.end,
                columns.end >= item.start,
            )
        ).first()
        if overlapping is not None:
            raise AlreadyExists(
                "range", self.label(item), f"overlaps range {overlapping.start}-{overlapping.end}"
            )

    def users(self, item: IPRange) -> list[str]:  # noqa: ARG002  (nothing refers to a range)
        """No object refers to a range."""
        return []

    def label(self, item: IPRange) -> str:
        """START-END."""
        return f"{item.start}-{item.end}"
