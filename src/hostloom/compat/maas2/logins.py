"""Logins that fail are counted: after some, further ones are refused for a while, with an event."""

from hostloom.model.errors.permissions import TooManyRequests
from hostloom.model.event import Event, EventSubjectKind, named_subject
from hostloom.model.event_kind import EventKind
from hostloom.ports.context import Ports
from hostloom.quotas import Quota

#: Wrong logins as one user from one address, and from one address as anybody.
OF_USER, OF_USER_PER_S = 10, 1 / 60
OF_ADDRESS, OF_ADDRESS_PER_S = 30, 0.2
MAX_NAME = 255


class Logins:
    """The failures of the last minutes, of this server process."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._of_user = Quota(OF_USER, OF_USER_PER_S)
        self._of_address = Quota(OF_ADDRESS, OF_ADDRESS_PER_S)

    def check(self, user: str, address: str) -> None:
        """TooManyRequests after too many failures, whether or not this one would be right."""
        if self._of_user.is_empty((user, address)) or self._of_address.is_empty(address):
            raise TooManyRequests("wrong logins", 60)

    def count_failure(self, user: str, address: str) -> None:
        """One more; an event tells of the one that is too many."""
        self._of_user.take((user, address))
        self._of_address.take(address)
        if self._of_user.is_empty((user, address)) or self._of_address.is_empty(address):
            name = "".join(sign if sign.isprintable() else "?" for sign in user[:MAX_NAME])
            text = f"too many wrong logins from {address or 'the socket'}: further ones wait a minute"
            with self._ports.store.begin() as uow:
                subject = named_subject(EventSubjectKind.USER, name)
                uow.events.add(Event(EventKind.LOGIN_THROTTLED, subject, text, self._ports.clock.now()))
                uow.commit()
