"""This machine's clock, resolver and source of random identities."""

import secrets
import socket
import time
import uuid
from ipaddress import ip_address

from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.network import Address

#: Characters of system ids and generated names, without those that are easily confused.
ALPHABET = "abcdefghkmnpqrstwxy346789"


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()


class RandomIds:
    """Random identities from the system's source of randomness."""

    def system_id(self) -> SystemId:
        """A system id of six characters."""
        return SystemId(_letters(6))

    def hostname(self) -> str:
        """A generated hostname."""
        return f"vm-{_letters(6)}"

    def uuid(self) -> str:
        """A random UUID as text."""
        return str(uuid.uuid4())

    def mac(self) -> MacAddress:
        """A MAC with KVM's prefix 52:54:00."""
        return MacAddress.parse(f"525400{secrets.token_hex(3)}")

    def secret(self) -> str:
        """A secret of 192 bits."""
        return secrets.token_urlsafe(24)


class SystemResolver:
    """The resolver of this machine."""

    def addresses(self, name: str) -> tuple[Address, ...]:
        """All addresses of a name or literal; empty if it does not resolve."""
        try:
            entries = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return ()
        return tuple(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries))


def _letters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))
