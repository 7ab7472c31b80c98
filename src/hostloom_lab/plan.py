"""Names and addresses of a lab; pure."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from hostloom_lab.errors import LabError

#: The first is reserved for benchmarks of network devices (RFC 2544), so no real network routes it, and is
#: enough for two labs. The other is a part of the range for NAT at providers (RFC 6598).
POOLS = (IPv4Network("198.18.0.0/15"), IPv4Network("100.120.0.0/13"))
#: Segments by the third byte of their /24 in the lab's /16.
SEGMENTS = {"mgmt": 10, "dmz": 20, "storage": 30, "lab": 40}
#: The segments of a host's NICs; the first NIC is in a bridge, the others are free for macvtap.
HOST_NICS = {"eth0": "mgmt", "eth1": "dmz", "eth2": "storage", "eth3": "lab"}
STATE = Path("/run/hostloom-lab")
MAX_HOSTS = 20
#: Labs that can be up on one machine at the same time.
MAX_LABS = 6
_NAME = re.compile(r"[a-z][a-z0-9]{0,7}")


@dataclass(frozen=True)
class HostPlan:
    """One KVM host."""

    name: str
    number: int
    netns: str
    #: Address of br0 on the segment mgmt.
    address: IPv4Interface

    def mac(self, nic: int) -> str:
        """A stable, locally administered MAC outside KVM's own prefix."""
        return f"02:48:4c:{self.number:02x}:00:{nic:02x}"

    @property
    def uuid(self) -> str:
        """A stable UUID, different for every host."""
        return f"48484848-0000-4000-8000-{self.number:012x}"


@dataclass(frozen=True)
class LabPlan:
    """The names and addresses of all parts."""

    name: str
    subnet: IPv4Network
    hosts: tuple[HostPlan, ...]
    #: Different for each lab of this machine, from 0.
    number: int = 0

    @property
    def directory(self) -> Path:
        """The folder of the lab's state; below /run, so that a reboot removes it."""
        return STATE / self.name

    @property
    def switch(self) -> str:
        """The switch's namespace."""
        return f"hl-{self.name}-sw"

    @property
    def rack(self) -> str:
        """The rack's namespace."""
        return f"hl-{self.name}-rack"

    @property
    def link(self) -> str:
        """The only interface in the root namespace; it leads to the rack."""
        return f"hl-{self.name}"

    @property
    def root_address(self) -> IPv4Interface:
        """Address of this machine towards the rack."""
        return IPv4Interface(f"{self.subnet.network_address + 1}/30")

    @property
    def rack_link_address(self) -> IPv4Interface:
        """Address of the rack towards this machine."""
        return IPv4Interface(f"{self.subnet.network_address + 2}/30")

    def segment(self, name: str) -> IPv4Network:
        """The subnet of a segment."""
        return IPv4Network((int(self.subnet.network_address) + (SEGMENTS[name] << 8), 24))

    def rack_address(self, segment: str) -> IPv4Address:
        """The rack's address on a segment, which is the segment's gateway."""
        return self.segment(segment).network_address + 1

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The names of all network namespaces."""
        return (self.switch, self.rack, *(host.netns for host in self.hosts))


def make_plan(name: str, subnet: IPv4Network, hosts: int, number: int = 0) -> LabPlan:
    """The plan of a lab; LabError if the input is invalid."""
    if not _NAME.fullmatch(name):
        raise LabError(f"--name {name!r}: expected up to 8 lower-case letters and digits")
    if subnet.prefixlen != 16:
        raise LabError(f"--subnet {subnet}: expected a /16, such as 198.18.0.0/16")
    if not 0 <= hosts <= MAX_HOSTS:
        raise LabError(f"--hosts {hosts}: expected 0 to {MAX_HOSTS}")
    base = int(subnet.network_address) + (SEGMENTS["mgmt"] << 8)
    return LabPlan(
        name,
        subnet,
        tuple(
            HostPlan(f"kvm{host}", host, f"hl-{name}-kvm{host}", IPv4Interface((base + 10 + host, 24)))
            for host in range(1, hosts + 1)
        ),
        number,
    )


def default_subnets() -> tuple[IPv4Network, ...]:
    """The subnets to try if none is given."""
    return tuple(subnet for pool in POOLS for subnet in pool.subnets(new_prefix=16))
