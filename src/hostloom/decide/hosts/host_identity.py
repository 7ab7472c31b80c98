"""Compares the identity of two readings by the MACs of NICs and the UUID.

See docs/explanation/rules.md#which-node-a-host-is.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.ids import MacAddress
from hostloom.model.node import InterfaceKind, NodeInterface
from hostloom.model.observed import ObservedLink

#: Names that udev gives to network adapters on USB: `usb0`, `enx001122334455`, `enp0s20f0u8`.
_USB = re.compile(r"usb\d+|enx[0-9a-f]{12}|en[a-z0-9]*u\d+(u\d+)*(c\d+)?(i\d+)?")
#: UUIDs that firmware uses instead of a unique one.
_PLACEHOLDERS = frozenset(
    {
        "03000200040005000006000700080009",
        "00020003000400050006000700080009",
        "0123456789abcdef0123456789abcdef",
        "00112233445566778899aabbccddeeff",
        "12345678123456781234567812345678",
        "123456781234123412341234567890ab",
        "12345678123412341234123456789abc",
        "123456781234567890abcddeefaabbcc",
        "4c4c454400002010802080c04f202020",
        "deadbeefdeadbeefdeadbeefdeadbeef",
    }
)
#: UUIDs with at most this many different hexadecimal digits are not random; a random one has about 14.
_FEW_DIGITS = 4


@dataclass(frozen=True)
class NicMacs:
    """The MACs of a machine's NICs; those of bridges, bonds and VLAN interfaces are copies of others."""

    #: Assigned by the vendor, except those of USB adapters, which many BMCs have in common.
    permanent: frozenset[MacAddress]
    #: All MACs.
    physical: frozenset[MacAddress]


class Likeness(StrEnum):
    """How the NICs of two readings compare."""

    #: One of the readings shows no NIC.
    UNKNOWN = "unknown"
    #: More than half of the NICs that both could have are the same.
    SAME = "same"
    #: All NICs are the same, but their MACs are made up by software.
    SAME_LOCAL = "same-local"
    #: Some NICs are the same, and at least as many differ.
    PARTLY = "partly"
    #: Only MACs that other machines may also have are the same.
    WEAK = "weak"
    OTHER = "other"


def nic_macs(interfaces: Iterable[NodeInterface | ObservedLink]) -> NicMacs:
    """The MACs of the NICs among these interfaces."""
    macs, physical = set(), set()
    for nic in interfaces:
        if nic.kind is InterfaceKind.PHYSICAL and nic.mac is not None and nic.mac.is_unicast:
            physical.add(nic.mac)
            if not _is_local(nic.mac) and not _USB.fullmatch(nic.name):
                macs.add(nic.mac)
    return NicMacs(frozenset(macs), frozenset(physical))


def compare(first: NicMacs, second: NicMacs) -> Likeness:
    """How alike two machines' NICs are."""
    if not first.physical or not second.physical:
        return Likeness.UNKNOWN
    common = first.permanent & second.permanent
    if common:
        fewer = min(len(first.permanent), len(second.permanent))
        return Likeness.SAME if 2 * len(common) > fewer else Likeness.PARTLY
    shared = first.physical & second.physical
    if not shared:
        return Likeness.OTHER
    if first.permanent or second.permanent:
        return Likeness.WEAK
    is_whole = len(shared) == min(len(first.physical), len(second.physical))
    return Likeness.SAME_LOCAL if is_whole else Likeness.WEAK


def _is_local(mac: MacAddress) -> bool:
    """The second lowest bit of the first byte is set: locally administered (IEEE 802)."""
    return bool(int(mac.text[:2], 16) & 2)


def identifying_uuid(text: str) -> str:
    """The UUID in lower case; empty if it is missing or identifies no host."""
    digits = text.strip().lower().replace("-", "")
    is_uuid = len(digits) == 32 and all(digit in "0123456789abcdef" for digit in digits)
    if not is_uuid or digits in _PLACEHOLDERS or len(set(digits)) <= _FEW_DIGITS:
        return ""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
