"""The actions of a noun of one shape: list, create, read, update and delete."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.references import key_of
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer
from hostloom.compat.maas2.views.network import View
from hostloom.ports.store import UnitOfWork
from hostloom.services.nouns import NamedNoun


def _nothing_more(call: Call, uow: UnitOfWork, item: Any) -> None:
    pass


@dataclass(frozen=True)
class NounActions:
    """The actions; each is registered with its text and parameters where the noun is described."""

    noun: NamedNoun[Any, Any, Any]
    #: The path parameter with the key.
    place: str
    #: Makes the document of an item.
    document: Callable[[View, Any], dict[str, Any]]
    #: Read the service's input and changes from the fields that the client sent.
    read_input: Callable[[Form], Any]
    read_changes: Callable[[Form], Any]
    #: Stores what the client sent besides, in the same unit of work.
    store_more: Callable[[Call, UnitOfWork, Any], None] = _nothing_more

    def list(self, call: Call) -> MaasResponse:
        """List in the order of ids."""
        with call.begin() as uow:
            view = View(uow)
            return answer([self.document(view, item) for item in self.noun.list(uow, call.principal)])

    def create(self, call: Call) -> MaasResponse:
        """Return the new item."""
        fields = self.read_input(call.form)
        with call.begin() as uow:
            return self._stored(call, uow, self.noun.create(uow, call.principal, fields))

    def read(self, call: Call) -> MaasResponse:
        """Look up by id or name; 0 is the oldest."""
        with call.begin() as uow:
            item = self.noun.get(uow, call.principal, self.key(call, uow))
            return answer(self.document(View(uow), item))

    def update(self, call: Call) -> MaasResponse:
        """Apply the fields that the client sent."""
        changes = self.read_changes(call.form)
        with call.begin() as uow:
            item = self.noun.update(uow, call.principal, self.key(call, uow), changes)
            return self._stored(call, uow, item)

    def delete(self, call: Call) -> MaasResponse:
        """Delete an item. Raises an error while something uses it."""
        with call.begin() as uow:
            self.noun.delete(uow, call.principal, self.key(call, uow))
            uow.commit()
        return GONE

    def key(self, call: Call, uow: UnitOfWork) -> str:
        """The key of the item for its service."""
        return key_of(self.noun.repository(uow), call.places[self.place])

    def _stored(self, call: Call, uow: UnitOfWork, item: Any) -> MaasResponse:
        self.store_more(call, uow, item)
        document = self.document(View(uow), item)
        uow.commit()
        return answer(document)
