"""IP ranges over HTTP; a range's key is its id or START-END."""

from typing import Self

from hostloom.api.crud import Texts, changes_of, crud_router
from hostloom.api.forms import Out, Sent, like
from hostloom.api.names import Names
from hostloom.model.network import IPRange
from hostloom.services.ranges import RANGES, RangeChanges, RangeInput


@like(IPRange, instead={"subnet_id": "subnet"})
class RangeOut(Out):
    """A range, including both ends."""

    subnet: str

    @classmethod
    def of(cls, item: IPRange, names: Names) -> Self:
        """Of the model."""
        return cls.made(item, subnet=names.subnet(item.subnet_id) or "")


router = crud_router(
    RANGES,
    RangeOut,
    changes_of(RANGES, Sent[RangeInput], Sent[RangeChanges]),
    Texts(delete="Delete a range; its leases remain valid until they expire.", key="id or START-END"),
    render=RangeOut.of,
)
