"""Pages of lists, which begin after a cursor."""

from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from hostloom.model.errors.values import InvalidValue
from hostloom.services.naming import is_id

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000

T = TypeVar("T")


class PageOut(BaseModel, Generic[T]):
    """A page: its items, and the cursor of the next page if one exists."""

    items: list[T]
    next: str | None


class Page:
    """The requested part of a list."""

    def __init__(
        self,
        after: Annotated[
            str | None, Query(max_length=64, description="The `next` of the page before.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    ) -> None:
        self.after, self.limit = after, limit

    @property
    def more(self) -> int:
        """The number of items to read to know whether a next page exists."""
        return self.limit + 1

    @property
    def after_number(self) -> int | None:
        """The cursor of items with a number."""
        if self.after is not None and not is_id(self.after):
            raise InvalidValue(
                "after", self.after, "is not a cursor of this list", "send the `next` of its previous page"
            )
        return None if self.after is None else int(self.after)


Paging = Annotated[Page, Depends()]
