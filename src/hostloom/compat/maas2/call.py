"""One request to the façade: who makes it, what it names and the fields that it gives."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import not_found, refuse
from hostloom.model.access import Principal
from hostloom.ports.context import Ports, Secrets
from hostloom.ports.store import UnitOfWork
from hostloom.services.naming import is_id


@dataclass(frozen=True, slots=True)
class Call:
    """What an action is given."""

    ports: Ports
    #: None on the few paths that need no key.
    principal: Principal
    #: By name of the place in the resource's path.
    places: Mapping[str, str]
    form: Form
    #: Scheme and host by which the client reached us.
    base: str
    #: When the request arrived, by the monotonic clock.
    since: float = field(default_factory=time.monotonic)

    def begin(self) -> UnitOfWork:
        """A unit of work; use it in a `with`."""
        return self.ports.store.begin()

    def number(self, place: str, kind: str) -> int:
        """The id at a place of the path; 404 where it is none."""
        key = self.places[place]
        if not is_id(key):
            raise not_found(kind)
        return int(key)

    @property
    def secrets(self) -> Secrets:
        """Where secrets of keys are from; 503 on a server that has none."""
        if self.ports.secrets is None:
            raise refuse(503, "This server takes no API keys.")
        return self.ports.secrets
