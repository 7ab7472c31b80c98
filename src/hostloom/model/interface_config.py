"""The network that a deployed machine gets: NICs, bonds, VLAN interfaces and bridges, and their links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress, SubnetId, VlanId
from hostloom.model.network import MAX_MTU, MAX_VID, MIN_MTU, Address
from hostloom.model.node import BridgeKind, InterfaceKind, LinkMode

#: Linux allows 15 bytes; `.` and `..`, `/` and spaces are excluded.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,14}")
MAX_INTERFACES, MAX_LINKS = 256, 32


@dataclass(frozen=True, slots=True)
class InterfaceLink:
    """One address, or one lease, of an interface. An interface without links is up and has no address."""

    #: AUTO without an address: the interface takes a lease in the subnet.
    mode: LinkMode
    #: None: of a lease, any subnet of the interface's VLAN.
    subnet_id: SubnetId | None = None
    ip: Address | None = None

    def __post_init__(self) -> None:
        if self.mode is LinkMode.LINK_UP:
            raise InvalidValue("mode", self.mode, "has no address", "leave the link out")
        if self.mode is LinkMode.DHCP and self.ip is not None:
            raise InvalidValue("ip", self.ip, "is set for a DHCP link", "leave it out, or use mode=static")
        if self.mode is LinkMode.STATIC and self.ip is None:
            raise InvalidValue("ip", None, "is missing", "a static link needs an address")
        if self.mode is not LinkMode.DHCP and self.subnet_id is None:
            raise InvalidValue("subnet", None, "is missing", f"a link with mode={self.mode} needs one")


class BondMode(StrEnum):
    """The modes of the kernel's bonding driver."""

    BALANCE_RR = "balance-rr"
    ACTIVE_BACKUP = "active-backup"
    BALANCE_XOR = "balance-xor"
    BROADCAST = "broadcast"
    LACP = "802.3ad"
    BALANCE_TLB = "balance-tlb"
    BALANCE_ALB = "balance-alb"


class LacpRate(StrEnum):
    """How often LACP asks its partner for frames: every 30 s or every second."""

    SLOW = "slow"
    FAST = "fast"


class TransmitHashPolicy(StrEnum):
    """Which headers choose the member that sends a frame."""

    LAYER2 = "layer2"
    LAYER2_3 = "layer2+3"
    LAYER3_4 = "layer3+4"
    ENCAP2_3 = "encap2+3"
    ENCAP3_4 = "encap3+4"


_HASHING = (BondMode.BALANCE_XOR, BondMode.LACP, BondMode.BALANCE_TLB)
_ONE_ACTIVE = (BondMode.ACTIVE_BACKUP, BondMode.BALANCE_TLB, BondMode.BALANCE_ALB)


@dataclass(frozen=True, slots=True)
class BondOptions:
    """How the members of a bond work together; None leaves the kernel's default."""

    mode: BondMode = BondMode.ACTIVE_BACKUP
    mii_monitor_ms: int = 100
    up_delay_ms: int = 0
    down_delay_ms: int = 0
    lacp_rate: LacpRate | None = None
    transmit_hash_policy: TransmitHashPolicy | None = None
    #: Peer notifications after a failover.
    gratuitous_arps: int | None = None
    #: The member that is active whenever it has a link.
    primary: str = ""

    def __post_init__(self) -> None:
        for name in ("mii_monitor_ms", "up_delay_ms", "down_delay_ms"):
            _check_range(name, getattr(self, name), 0, 60_000)
        if self.gratuitous_arps is not None:
            _check_range("gratuitous_arps", self.gratuitous_arps, 1, 255)
        self._check_mode("lacp_rate", self.lacp_rate, (BondMode.LACP,))
        self._check_mode("transmit_hash_policy", self.transmit_hash_policy, _HASHING)
        self._check_mode("primary", self.primary or None, _ONE_ACTIVE)

    def _check_mode(self, field_name: str, value: str | None, modes: tuple[BondMode, ...]) -> None:
        if value is not None and self.mode not in modes:
            allowed = f"leave it out, or use {' or '.join(modes)}"
            raise InvalidValue(
                field_name, str(value), f"has no meaning for a bond of mode {self.mode}", allowed
            )


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    """How a bridge forwards."""

    kind: BridgeKind = BridgeKind.STANDARD
    stp: bool = False
    #: How long a port listens and learns before it forwards; only with STP.
    forward_delay_s: int = 15

    def __post_init__(self) -> None:
        _check_range("forward_delay_s", self.forward_delay_s, 0, 30)


@dataclass(frozen=True, slots=True)
class ConfiguredInterface:
    """One interface that a machine is to have."""

    name: str
    kind: InterfaceKind = InterfaceKind.PHYSICAL
    #: A NIC is found by its MAC. A bond or bridge without one takes the MAC of its first member.
    mac: MacAddress | None = None
    vlan_id: VlanId | None = None
    links: tuple[InterfaceLink, ...] = ()
    #: Members of a bond, ports of a bridge, the parent of a VLAN interface.
    parents: tuple[str, ...] = ()
    #: 802.1Q tag of a VLAN interface.
    tag_vid: int | None = None
    bond: BondOptions | None = None
    bridge: BridgeOptions | None = None
    #: None: that of its VLAN.
    mtu: int | None = None
    #: The NIC that the machine boots from the network with.
    boot: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            problem = "is not a name of an interface"
            raise InvalidValue(
                "interface", self.name, problem, "use 1 to 15 letters, digits, '_', '-', '.' or ':'"
            )
        if self.kind is InterfaceKind.LOOPBACK:
            raise InvalidValue("kind", self.kind, "cannot be configured", "leave the loopback out")
        if self.mtu is not None:
            _check_range("mtu", self.mtu, MIN_MTU, MAX_MTU)
        if len(self.links) > MAX_LINKS:
            raise InvalidValue(
                "links", len(self.links), f"is too many for {self.name}", f"give it at most {MAX_LINKS}"
            )
        self._check_kind()

    def _check_kind(self) -> None:
        """Each kind has what it needs, and nothing that another kind needs."""
        if self.kind is InterfaceKind.PHYSICAL and self.mac is None:
            raise InvalidValue("mac", None, f"of {self.name} is missing", "a NIC is found by its MAC")
        self._check_parents()
        if (self.kind is InterfaceKind.VLAN) != (self.tag_vid is not None):
            allowed = "a VLAN interface has one, and no other interface has"
            raise InvalidValue("tag_vid", self.tag_vid, f"does not suit {self.name}", allowed)
        if self.tag_vid is not None:
            _check_range("tag_vid", self.tag_vid, 1, MAX_VID)
        for option, kind in (("bond", InterfaceKind.BOND), ("bridge", InterfaceKind.BRIDGE)):
            if getattr(self, option) is not None and self.kind is not kind:
                raise InvalidValue(option, None, f"is set for {self.name}, which is a {self.kind}")

    def _check_parents(self) -> None:
        """A NIC has no parents, a VLAN interface has one, a bond has members."""
        parents = list(self.parents)
        if self.kind is InterfaceKind.PHYSICAL and parents:
            raise InvalidValue(
                "parents", parents, f"cannot be parents of the NIC {self.name}", "a NIC has none"
            )
        if self.kind is InterfaceKind.VLAN and len(parents) != 1:
            raise InvalidValue("parents", parents, f"of {self.name} are not one interface")
        if self.kind is InterfaceKind.BOND and not parents:
            raise InvalidValue("parents", None, f"of the bond {self.name} are missing", "name its members")


@dataclass(frozen=True, slots=True)
class InterfaceConfig:
    """All interfaces of a machine, in order of preference.

    Raises InvalidValue unless names and MACs of NICs are unique, parents exist and form no cycle, and members
    of bonds and bridges belong to one of them and have no links of their own.
    """

    interfaces: tuple[ConfiguredInterface, ...] = ()

    def __post_init__(self) -> None:
        if len(self.interfaces) > MAX_INTERFACES:
            raise InvalidValue(
                "interfaces", len(self.interfaces), "is too many", f"configure at most {MAX_INTERFACES}"
            )
        _check_unique("interface", [interface.name for interface in self.interfaces])
        _check_unique("mac", [str(nic.mac) for nic in self.interfaces if nic.kind is InterfaceKind.PHYSICAL])
        self._check_parents()
        self._check_cycles()
        self._check_members()

    @property
    def by_name(self) -> dict[str, ConfiguredInterface]:
        """The interfaces by name."""
        return {interface.name: interface for interface in self.interfaces}

    def _check_parents(self) -> None:
        names = self.by_name
        for interface in self.interfaces:
            for parent in interface.parents:
                if parent not in names:
                    raise InvalidValue(
                        "parents", parent, f"of {interface.name} is no interface of the machine"
                    )
            primary = interface.bond.primary if interface.bond else ""
            if primary and primary not in interface.parents:
                raise InvalidValue("primary", primary, f"is no member of {interface.name}")

    def _check_cycles(self) -> None:
        for interface in self.interfaces:
            if interface.name in {ancestor.name for ancestor in self.ancestors(interface)}:
                raise InvalidValue("parents", list(interface.parents), f"of {interface.name} stand on it")

    def _check_members(self) -> None:
        names, masters = self.by_name, dict[str, str]()
        for interface in self.interfaces:
            if interface.kind is InterfaceKind.VLAN:
                continue
            for member in interface.parents:
                other = masters.setdefault(member, interface.name)
                if other != interface.name:
                    raise InvalidValue(
                        "parents", member, f"of {interface.name} is a member of {other} already"
                    )
                if names[member].links:
                    allowed = f"give the links to {interface.name}"
                    raise InvalidValue(
                        "links", None, f"of {member}, a member of {interface.name}, are set", allowed
                    )
            _check_unique("parents", list(interface.parents))

    def ancestors(self, interface: ConfiguredInterface) -> Iterator[ConfiguredInterface]:
        """The interfaces below this one, without duplicates; the nearest first."""
        names, waiting, passed = self.by_name, list(interface.parents), set[str]()
        while waiting:
            name = waiting.pop(0)
            if name not in passed:
                passed.add(name)
                yield names[name]
                waiting += names[name].parents

    def mac_of(self, interface: ConfiguredInterface) -> MacAddress | None:
        """The MAC that the interface has on the machine: its own, or else that of its first member."""
        macs = (below.mac for below in (interface, *self.ancestors(interface)))
        return next((mac for mac in macs if mac is not None), None)

    def children(self, interface: ConfiguredInterface) -> tuple[ConfiguredInterface, ...]:
        """The interfaces directly on top of this one."""
        return tuple(child for child in self.interfaces if interface.name in child.parents)


def _check_range(field_name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise InvalidValue(field_name, value, "is out of range", f"use {lowest} to {highest}")


def _check_unique(field_name: str, values: list[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise InvalidValue(field_name, value, "is given twice")
