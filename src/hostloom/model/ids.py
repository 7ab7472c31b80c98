"""Identities: small integer ids, system ids, MAC addresses and the natural order of names."""

import re
from dataclasses import dataclass
from typing import NewType

from hostloom.model.errors.values import InvalidValue

FabricId = NewType("FabricId", int)
VlanId = NewType("VlanId", int)
SpaceId = NewType("SpaceId", int)
SubnetId = NewType("SubnetId", int)
RangeId = NewType("RangeId", int)
InterfaceId = NewType("InterfaceId", int)
HostId = NewType("HostId", int)
ZoneId = NewType("ZoneId", int)
ResourcePoolId = NewType("ResourcePoolId", int)
TagId = NewType("TagId", int)
DomainId = NewType("DomainId", int)
UserId = NewType("UserId", int)
UserSshKeyId = NewType("UserSshKeyId", int)
RackId = NewType("RackId", int)
DiskImageId = NewType("DiskImageId", int)
#: Six characters, unique over all nodes.
SystemId = NewType("SystemId", str)

#: Placeholder for the default zone, resource pool or domain, which the store replaces with its id. It is not
#: 0, because an imported group may have the id 0.
DEFAULT_GROUP = -1

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


@dataclass(frozen=True, order=True, slots=True)
class MacAddress:
    """A 48-bit MAC, held in lower case with colons; compare by value."""

    text: str

    @classmethod
    def parse(cls, text: str, field: str = "mac") -> "MacAddress":
        """Accept colons, hyphens or neither in either case; raise InvalidValue naming `field`."""
        bare = re.sub(r"[:-]", "", text.strip().lower())
        candidate = ":".join(bare[i : i + 2] for i in range(0, len(bare), 2))
        if len(bare) != 12 or not _MAC.fullmatch(candidate):
            raise InvalidValue(field, text, "is not a MAC address", "write it like 52:54:00:12:34:56")
        return cls(candidate)

    @property
    def is_unicast(self) -> bool:
        """The group bit (lowest bit of the first byte, IEEE 802) is clear and the address is not zero."""
        return not int(self.text[:2], 16) & 1 and self.text != "00:00:00:00:00:00"

    @property
    def number(self) -> int:
        """Its 48 bits as a number."""
        return int(self.text.replace(":", ""), 16)

    def __str__(self) -> str:
        return self.text


_DIGITS = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Natural order of names: `eth2` before `eth10`. The order is total, even for `eth1` and `eth01`."""
    parts = []
    for part in _DIGITS.split(name):
        if part.isascii() and part.isdigit():
            parts.append((0, int(part), part))
        elif part:
            parts.append((1, 0, part))
    return tuple(parts)


_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def check_hostname(name: str, field: str = "name") -> str:
    """Return the name if it is one DNS label (RFC 1123), as it is written, else raise InvalidValue."""
    if not _HOSTNAME.fullmatch(name):
        raise InvalidValue(
            field,
            name,
            "is not a hostname",
            "use 1 to 63 letters, digits or hyphens, with no hyphen at either end",
        )
    return name


def is_id(key: str) -> bool:
    """Whether a key is a number that can be an id."""
    return key.isascii() and key.isdigit() and len(key) <= 9
