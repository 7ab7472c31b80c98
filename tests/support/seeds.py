"""Networks of machines for cloud-init: what a deployment may have to configure."""

from ipaddress import ip_address, ip_network

from hostloom.decide.deploy.phone_home import PhoneHome
from hostloom.decide.deploy.seed import SeedInput
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import FabricId, MacAddress, SubnetId, VlanId
from hostloom.model.interface_config import (
    BondMode,
    BondOptions,
    BridgeOptions,
    ConfiguredInterface,
    InterfaceConfig,
    InterfaceLink,
    LacpRate,
    TransmitHashPolicy,
)
from hostloom.model.network import Fabric, StaticRoute, Subnet, Vlan
from hostloom.model.node import BridgeKind, InterfaceKind, LinkMode

#: IPv4 with a gateway; jumbo frames without one; both versions; IPv6 without a known gateway; no subnet.
MGMT, STORAGE, DUAL, SIX, BARE = map(VlanId, (1, 2, 3, 4, 5))
MGMT_4, STORAGE_4, DUAL_4, DUAL_6, SIX_6, OFFICE_4 = map(SubnetId, (1, 2, 3, 4, 5, 6))


def _subnet(
    number: SubnetId, cidr: str, vlan: VlanId, gateway: str = "", dns: tuple[str, ...] = ()
) -> Subnet:
    servers = tuple(map(ip_address, dns))
    return Subnet(number, ip_network(cidr), vlan, cidr, ip_address(gateway) if gateway else None, servers)


FABRIC = FabricId(1)
NETWORK = Snapshot(
    fabrics=(Fabric(FABRIC, "f"),),
    vlans=(
        Vlan(MGMT, FABRIC, 0, "mgmt"),
        Vlan(STORAGE, FABRIC, 100, "storage", mtu=9000),
        Vlan(DUAL, FABRIC, 20, "dual"),
        Vlan(SIX, FABRIC, 30, "six", mtu=1400),
        Vlan(BARE, FABRIC, 40, "bare"),
        Vlan(VlanId(6), FABRIC, 50, "office"),
    ),
    subnets=(
        _subnet(MGMT_4, "10.0.0.0/24", MGMT, "10.0.0.1", ("10.0.0.2", "10.0.0.3")),
        _subnet(STORAGE_4, "10.0.100.0/22", STORAGE),
        _subnet(DUAL_4, "10.0.20.0/24", DUAL, "10.0.20.1", ("10.0.20.2",)),
        _subnet(DUAL_6, "2001:db8:20::/64", DUAL, "fe80::1", ("2001:db8:20::2",)),
        _subnet(SIX_6, "2001:db8:30::/64", SIX),
        _subnet(OFFICE_4, "192.168.7.0/24", VlanId(6)),
    ),
)
ROUTES = (
    StaticRoute(MGMT_4, ip_network("192.168.7.0/24"), ip_address("10.0.0.9"), 5),
    StaticRoute(MGMT_4, ip_network("10.0.100.0/22"), ip_address("10.0.0.9")),
    StaticRoute(DUAL_4, ip_network("192.168.7.0/24"), ip_address("10.0.20.9"), 5),
)


def mac(number: int) -> MacAddress:
    """A MAC that ends in the number."""
    return MacAddress.parse(f"52:54:00:12:34:{number:02x}")


def static(subnet: SubnetId, ip: str) -> InterfaceLink:
    """An address."""
    return InterfaceLink(LinkMode.STATIC, subnet, ip_address(ip))


DHCP = InterfaceLink(LinkMode.DHCP)


def nic(number: int, vlan: VlanId | None, *links: InterfaceLink, boot: bool = False) -> ConfiguredInterface:
    """A NIC `ethN`."""
    return ConfiguredInterface(f"eth{number}", mac=mac(number), vlan_id=vlan, links=links, boot=boot)


def bond(
    name: str, options: BondOptions, members: tuple[str, ...], vlan: VlanId, *links: InterfaceLink
) -> ConfiguredInterface:
    """A bond."""
    return ConfiguredInterface(
        name, InterfaceKind.BOND, vlan_id=vlan, links=links, parents=members, bond=options
    )


def tagged(parent: str, vid: int, vlan: VlanId, *links: InterfaceLink) -> ConfiguredInterface:
    """A VLAN interface `PARENT.VID`."""
    name = f"{parent}.{vid}"
    return ConfiguredInterface(name, InterfaceKind.VLAN, None, vlan, links, (parent,), vid)


def bridge(
    name: str, port: str, vlan: VlanId, *links: InterfaceLink, options: BridgeOptions | None = None
) -> ConfiguredInterface:
    """A bridge with one port."""
    return ConfiguredInterface(
        name, InterfaceKind.BRIDGE, None, vlan, links, (port,), bridge=options or BridgeOptions()
    )


_LACP = BondOptions(
    BondMode.LACP,
    up_delay_ms=200,
    down_delay_ms=300,
    lacp_rate=LacpRate.FAST,
    transmit_hash_policy=TransmitHashPolicy.LAYER3_4,
)
_BACKUP = BondOptions(BondMode.ACTIVE_BACKUP, primary="eth1", gratuitous_arps=3)

#: What the issues of a real network come in, by name.
MODELS: dict[str, tuple[ConfiguredInterface, ...]] = {
    "static": (nic(0, MGMT, static(MGMT_4, "10.0.0.10"), boot=True),),
    "dual-stack": (nic(0, DUAL, static(DUAL_4, "10.0.20.10"), static(DUAL_6, "2001:db8:20::10")),),
    "dhcp": (nic(0, MGMT, DHCP), nic(1, DUAL, DHCP), nic(2, SIX, DHCP), nic(3, None, DHCP)),
    "bond": (
        nic(0, None),
        nic(1, None),
        bond("bond0", _LACP, ("eth0", "eth1"), MGMT, static(MGMT_4, "10.0.0.10")),
    ),
    "vlan-on-bond": (
        nic(0, None, boot=True),
        nic(1, None),
        bond("bond0", _BACKUP, ("eth0", "eth1"), MGMT),
        tagged("bond0", 100, STORAGE, static(STORAGE_4, "10.0.101.10")),
        tagged("bond0", 20, DUAL, static(DUAL_4, "10.0.20.10"), static(DUAL_6, "2001:db8:20::10")),
    ),
    "bridge-on-vlan": (
        nic(0, MGMT, static(MGMT_4, "10.0.0.10"), boot=True),
        tagged("eth0", 20, DUAL),
        bridge(
            "br-eth0.20", "eth0.20", DUAL, static(DUAL_4, "10.0.20.10"), static(DUAL_6, "2001:db8:20::10")
        ),
    ),
    "bridge-on-nic": (
        nic(0, MGMT, boot=True),
        bridge("br-eth0", "eth0", MGMT, DHCP, options=BridgeOptions(stp=True, forward_delay_s=4)),
    ),
    "two-nics-one-subnet": (
        nic(0, MGMT, static(MGMT_4, "10.0.0.10")),
        nic(1, MGMT, static(MGMT_4, "10.0.0.11"), boot=True),
    ),
    "no-gateway": (nic(0, STORAGE, static(STORAGE_4, "10.0.101.10")),),
    "mtu-9000": (
        nic(0, MGMT, static(MGMT_4, "10.0.0.10")),
        tagged("eth0", 100, STORAGE, static(STORAGE_4, "10.0.101.10")),
    ),
    "unconfigured": (nic(0, MGMT, static(MGMT_4, "10.0.0.10")), nic(1, BARE)),
    "ipv6-only": (nic(0, SIX, static(SIX_6, "2001:db8:30::10"), static(SIX_6, "2001:db8:30::11")),),
    "static-beside-dhcp": (
        nic(0, MGMT, DHCP),
        nic(1, DUAL, static(DUAL_4, "10.0.20.10")),
        nic(2, BARE, DHCP),
    ),
    "bond-modes": tuple(
        interface
        for number, mode in enumerate(BondMode)
        for interface in (
            nic(2 * number, None),
            nic(2 * number + 1, None),
            bond(f"bond{number}", BondOptions(mode), (f"eth{2 * number}", f"eth{2 * number + 1}"), STORAGE),
        )
    ),
}
#: netplan wants Open vSwitch installed before it reads this one.
OVS_MODEL = (
    nic(0, MGMT, boot=True),
    bridge(
        "br-eth0", "eth0", MGMT, static(MGMT_4, "10.0.0.10"), options=BridgeOptions(BridgeKind.OVS, stp=True)
    ),
)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKXn0YVBJ+WzeIwyfFGPHQSMSNqFUdlZpqrzWzPLtJJf ann@example"


def a_seed_input(name: str = "static", **changes: object) -> SeedInput:
    """The input of one of the models, of a machine `web1` that is to phone home."""
    interfaces = OVS_MODEL if name == "ovs-bridge" else MODELS[name]
    values: dict[str, object] = {
        "instance_id": "abc123-1",
        "hostname": "web1",
        "interfaces": InterfaceConfig(interfaces),
        "snapshot": NETWORK,
        "domain": "example.com",
        "routes": ROUTES,
        "ssh_keys": (KEY,),
        "phone_home": PhoneHome("http://10.0.0.2:5248/deployed", "s3cr3t-token"),
    }
    return SeedInput(**(values | changes))  # type: ignore[arg-type]  # checked by the dataclass's own constructor
