"""Throttling of logins: too many failures lead to an event and a pause for further attempts."""

from hostloom.model.errors.permissions import TooManyRequests
from hostloom.model.event import Event, EventSubjectKind, named_subject
from hostloom.model.event_kind import EventKind
from hostloom.ports.context import Ports
from hostloom.quotas import Quota

#: Quotas of failed logins: per user and address, and per address.
OF_USER, OF_USER_PER_S = 10, 1 / 60
OF_ADDRESS, OF_ADDRESS_PER_S = 30, 0.2
MAX_NAME = 255


class Logins:
    """The failed logins that this process received in the last minutes."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._of_user = Quota(OF_USER, OF_USER_PER_S)
        self._of_address = Quota(OF_ADDRESS, OF_ADDRESS_PER_S)

    def check(self, user: str, address: str) -> None:
        """Raise TooManyRequests after too many failures, whatever the credentials."""
        if self._of_user.is_empty((user, address)) or self._of_address.is_empty(address):
            raise TooManyRequests("wrong logins", 60)

    def count_failure(self, user: str, address: str) -> None:
        """Count a failure. The one that exhausts a quota adds an event."""
        self._of_user.take((user, address))
        self._of_address.take(address)
        if self._of_user.is_empty((user, address)) or self._of_address.is_empty(address):
            name = "".join(character if character.isprintable() else "?" for character in user[:MAX_NAME])
            text = f"too many wrong logins from {address or 'the socket'}: further ones wait a minute"
            with self._ports.store.begin() as uow:
                subject = named_subject(EventSubjectKind.USER, name)
                uow.events.add(Event(EventKind.LOGIN_THROTTLED, subject, text, self._ports.clock.now()))
                uow.commit()
