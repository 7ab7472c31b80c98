"""One request to the façade: its principal, its path parameters and its fields."""

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
    """The argument of every action."""

    ports: Ports
    #: Anonymous on the few paths that need no key.
    principal: Principal
    #: Values of the path parameters, by name.
    places: Mapping[str, str]
    form: Form
    #: The scheme and host in the URL of the client.
    base: str
    #: The arrival of the request on the monotonic clock.
    since: float = field(default_factory=time.monotonic)

    def begin(self) -> UnitOfWork:
        """Start a unit of work, for use in a `with` statement."""
        return self.ports.store.begin()

    def number(self, name: str, kind: str) -> int:
        """Return a path parameter as an id. Raises 404 if it is not an id."""
        key = self.places[name]
        if not is_id(key):
            raise not_found(kind)
        return int(key)

    @property
    def secrets(self) -> Secrets:
        """The source of the secrets of API keys. Raises 503 on a server without one."""
        if self.ports.secrets is None:
            raise refuse(503, "This server accepts no API keys.")
        return self.ports.secrets
