"""The tags that every composed machine carries, as MAAS gives them to machines that it composes."""

from collections.abc import Sequence

from hostloom.model.grouping import COMPOSED_TAGS, Tag
from hostloom.model.ids import TagId
from hostloom.ports.store import UnitOfWork


def composed_tags(requested: Sequence[str], of_host: Sequence[str]) -> tuple[str, ...]:
    """The tags of a machine: those requested, those of every composed machine, and those of its host."""
    return tuple(dict.fromkeys((*requested, *COMPOSED_TAGS, *of_host)))


def ensure_composed_tags(uow: UnitOfWork) -> None:
    """List these tags before the first machine carries them; one that is there keeps its kernel options."""
    for name, kernel_options in COMPOSED_TAGS.items():
        if uow.tags.find(name) is None:
            uow.tags.add(Tag(TagId(0), name, "given to composed machines", kernel_options))
