"""Storage pools of hosts over HTTP."""

from typing import Annotated, Self

from fastapi import APIRouter, Query, Response
from pydantic import Field

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import In, Out, Text, like
from hostloom.api.paging import PageOut, Paging
from hostloom.model.host import Host, StoragePool
from hostloom.services import storage_pools

router = APIRouter(prefix="/storage-pools", tags=["storage-pools"])

InHost = Annotated[str | None, Query(description="A host by name or id.")]
Tags = Annotated[list[Text], Field(max_length=storage_pools.MOST_TAGS)]


class StoragePoolTagsIn(In):
    """Tags to add and to remove."""

    add_tags: Tags = Field(default_factory=list)
    remove_tags: Tags = Field(default_factory=list)


@like(StoragePool)
class StoragePoolOfHostOut(Out):
    """A storage pool with its host; sizes in bytes; `trouble`: why the pool cannot be used now."""

    host: str

    @classmethod
    def of(cls, host: Host, pool: StoragePool) -> Self:
        """Of the model."""
        return cls.made(pool, host=host.name)


@router.get("", response_model=PageOut[StoragePoolOfHostOut])
def list_storage_pools(call: Reading, page: Paging, host: InHost = None) -> Response:
    """List storage pools by host and name; the cursor counts them."""
    start = page.after_number or 0
    with call.begin() as uow:
        pairs = storage_pools.list_(uow, call.principal, host)[start : start + page.more]
        pools = [StoragePoolOfHostOut.of(*pair) for pair in pairs]
    return call.page(page, pools, lambda _: start + page.limit)


@router.get("/{host}/{name:path}", response_model=StoragePoolOfHostOut)
def get_storage_pool(call: Reading, host: str, name: str) -> Response:
    """Show a storage pool of a host."""
    with call.begin() as uow:
        return call.one(StoragePoolOfHostOut.of(*storage_pools.get(uow, call.principal, host, name)))


@router.patch("/{host}/{name:path}", response_model=StoragePoolOfHostOut)
def update_storage_pool(call: Changing, host: str, name: str, body: StoragePoolTagsIn) -> Response:
    """Add or remove tags of a storage pool of a host."""
    add, remove = tuple(body.add_tags), tuple(body.remove_tags)
    return call.commit(
        200,
        lambda uow: StoragePoolOfHostOut.of(
            *storage_pools.update(uow, call.principal, host, name, add, remove)
        ),
    )
