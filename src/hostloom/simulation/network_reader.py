"""Reading of fabrics, VLANs, spaces, subnets, ranges and used addresses from a world file."""

from dataclasses import replace
from enum import StrEnum
from ipaddress import ip_address, ip_network

from hostloom.model.dhcp_exchange import ForeignDhcp
from hostloom.model.ids import FabricId, MacAddress, RangeId, SpaceId, SubnetId, VlanId
from hostloom.model.network import (
    MAX_MTU,
    MAX_VID,
    MIN_MTU,
    UNTAGGED,
    Address,
    AddressKind,
    Fabric,
    HeldAddress,
    IPRange,
    RangeKind,
    Space,
    Subnet,
    Vlan,
    vlan_name,
)
from hostloom.simulation.sections import Numbers, Section, by_id_first


class ProbeResult(StrEnum):
    """The reaction of hostloom's DHCP server to the last probe of a VLAN."""

    ANSWERED = "answered"
    SILENT = "silent"


class NetworkReader:
    """Reads the network. The keys of VLANs are FABRIC/VID."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self.fabrics: dict[str, Fabric] = {}
        self.spaces: dict[str, Space] = {}
        self.vlans: dict[str, Vlan] = {}
        self.subnets: list[Subnet] = []
        self.ranges: list[IPRange] = []
        #: The addresses under `used`.
        self.held: list[HeldAddress] = []
        self.foreign: list[ForeignDhcp] = []
        #: VLANs where hostloom's DHCP server did not answer the last probe.
        self.silent: list[VlanId] = []

    def read_fabrics(self, sections: list[Section]) -> None:
        """Read fabrics with their VLANs and spaces."""
        names: set[str] = set()
        for section in by_id_first(sections):
            name = section.name(names, "fabrics")
            number = FabricId(self._numbers.of("fabric", section))
            self.fabrics[name] = Fabric(number, name, section.find("class", str))
        vlan_sections = [
            (self.fabrics[section.need("name", str)], vlan)
            for section in sections
            for vlan in section.items("vlans")
        ]
        for fabric, vlan in sorted(vlan_sections, key=lambda pair: not pair[1].has("id")):
            self._read_vlan(fabric, vlan)
        for fabric, vlan in vlan_sections:
            self._read_relay(fabric, vlan)
            vlan.finish()
        for section in sections:
            section.finish()

    def _read_vlan(self, fabric: Fabric, section: Section) -> None:
        section.need("vid", int)
        vid = section.number("vid", UNTAGGED, high=MAX_VID)
        key = vlan_name(fabric.name, vid)
        if key in self.vlans:
            raise section.error("vid", f"vid: there are two VLANs {key}")
        space = section.find("space", str)
        if space is not None and space not in self.spaces:
            self.spaces[space] = Space(SpaceId(len(self.spaces) + 1), space)
        self.vlans[key] = Vlan(
            VlanId(self._numbers.of("VLAN", section)),
            fabric.id,
            vid,
            section.take("name", str, "untagged" if vid == UNTAGGED else str(vid)),
            mtu=section.number("mtu", 1500, MIN_MTU, MAX_MTU),
            dhcp_on=section.take("dhcp", bool, False),
            space_id=self.spaces[space].id if space is not None else None,
        )
        self._read_probe(self.vlans[key].id, section)

    def _read_probe(self, vlan_id: VlanId, section: Section) -> None:
        """Read the result of the last probe of a VLAN."""
        for number, server in enumerate(section.addresses("foreign_dhcp"), 1):
            mac = MacAddress(f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}")
            self.foreign.append(ForeignDhcp(vlan_id, server, mac, None, None, "world file", 0, 0))
        if section.word("probe", ProbeResult) is ProbeResult.SILENT:
            self.silent.append(vlan_id)

    def _read_relay(self, fabric: Fabric, section: Section) -> None:
        if (relay := self.find_vlan(section, "relay")) is not None:
            key = vlan_name(fabric.name, section.need("vid", int))
            self.vlans[key] = replace(self.vlans[key], relay_vlan_id=relay)

    def find_vlan(self, section: Section, key: str) -> VlanId | None:
        """Look up an optional VLAN by FABRIC/VID; None for null and for an absent key."""
        return None if section.find(key, str) is None else self.vlan(section, key)

    def vlan(self, section: Section, key: str) -> VlanId:
        """Look up a required VLAN by FABRIC/VID."""
        name = section.need(key, str)
        if name not in self.vlans:
            names = ", ".join(self.vlans) or "none"
            raise section.error(key, f"{key}: there is no VLAN {name!r} (FABRIC/VID; known: {names})")
        return self.vlans[name].id

    def read_subnets(self, sections: list[Section]) -> None:
        """Read subnets with their ranges and used addresses."""
        for section in by_id_first(sections):
            cidr = section.parsed("cidr", ip_network)
            vlan_id = self.vlan(section, "vlan")
            if any(subnet.cidr == cidr and subnet.vlan_id == vlan_id for subnet in self.subnets):
                raise section.error("cidr", f"cidr: there are two subnets {cidr} on one VLAN")
            subnet = Subnet(
                SubnetId(self._numbers.of("subnet", section)),
                cidr,
                vlan_id,
                section.take("name", str, str(cidr)),
                self._read_gateway(section),
                managed=section.take("managed", bool, True),
            )
            self._check_gateway(section, subnet)
            self.subnets.append(subnet)
            for item in section.items("ranges"):
                self._read_range(subnet, item)
            used = [_inside(section, "used", subnet, address) for address in section.addresses("used")]
            self.held += [HeldAddress(address, AddressKind.RESERVED, subnet.id) for address in used]
            section.finish()

    @staticmethod
    def _read_gateway(section: Section) -> Address | None:
        return None if section.find("gateway", str) is None else section.parsed("gateway", ip_address)

    @staticmethod
    def _check_gateway(section: Section, subnet: Subnet) -> None:
        gateway = subnet.gateway
        if gateway is None or (gateway.version == 6 and gateway.is_link_local):
            return
        _inside(section, "gateway", subnet, gateway)

    def _read_range(self, subnet: Subnet, section: Section) -> None:
        kind = section.word("type", RangeKind)
        start, end = section.parsed("start", ip_address), section.parsed("end", ip_address)
        if start not in subnet.cidr or end not in subnet.cidr or int(start) > int(end):
            raise section.error("start", f"{start}-{end} is not a range of {subnet.cidr}")
        number = RangeId(len(self.ranges) + 1)
        self.ranges.append(IPRange(number, subnet.id, kind or RangeKind.RESERVED, start, end))
        section.finish()


def _inside(section: Section, key: str, subnet: Subnet, address: Address) -> Address:
    if address not in subnet.cidr:
        raise section.error(key, f"{key}: {address} is not an address of {subnet.cidr}")
    return address
