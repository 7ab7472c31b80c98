"""IP ranges over HTTP; a range's key is its id or START-END."""

from typing import Self

from fastapi import APIRouter, Response

from hostloom.api.calls import ApiCall, Changing, Reading
from hostloom.api.derived import Sent, like
from hostloom.api.forms import Out
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.model.ids import RangeId
from hostloom.model.network import IPRange
from hostloom.services import ranges
from hostloom.services.ranges import RangeChanges, RangeInput

router = APIRouter(prefix="/ranges", tags=["ranges"])


@like(IPRange, instead={"subnet_id": "subnet"})
class RangeOut(Out):
    """A range; both ends belong to it."""

    subnet: str

    @classmethod
    def of(cls, item: IPRange, names: Names) -> Self:
        """Of the model."""
        return cls.made(item, subnet=names.subnet(item.subnet_id) or "")


@router.get("", response_model=PageOut[RangeOut])
def list_ranges(call: Reading, page: Paging) -> Response:
    """List ranges by id."""
    after = None if page.after_number is None else RangeId(page.after_number)
    with call.begin() as uow:
        names = Names(uow)
        range_outs = [
            RangeOut.of(ip_range, names) for ip_range in ranges.list_(uow, call.principal, after, page.more)
        ]
    return call.page(page, range_outs, lambda answer: answer.id)


@router.post("", status_code=201, response_model=RangeOut)
def create_range(call: Changing, body: Sent[RangeInput]) -> Response:
    """Create a range."""
    return call.perform(201, lambda: _shown(call, ranges.create(call.ports, call.principal, body)))


@router.get("/{key}", response_model=RangeOut)
def get_range(call: Reading, key: str) -> Response:
    """Show a range."""
    with call.begin() as uow:
        return call.one(RangeOut.of(ranges.get(uow, call.principal, key), Names(uow)))


@router.patch("/{key}", response_model=RangeOut)
def update_range(call: Changing, key: str, body: Sent[RangeChanges]) -> Response:
    """Change a range."""
    return call.perform(
        200, lambda: _shown(call, ranges.update(call.ports, call.principal, key, body, call.generation))
    )


@router.delete("/{key}", status_code=204)
def delete_range(call: Changing, key: str) -> Response:
    """Delete a range."""
    return call.perform(204, lambda: ranges.delete(call.ports, call.principal, key, call.generation))


def _shown(call: ApiCall, ip_range: IPRange) -> RangeOut:
    with call.begin() as uow:
        return RangeOut.of(ip_range, Names(uow))
