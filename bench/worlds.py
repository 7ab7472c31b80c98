"""Big worlds for benchmarks: many hosts of many shapes on a real-looking network, the same for one seed."""

import random
from ipaddress import IPv4Interface, IPv4Network, ip_address

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import (
    Correlation,
    CorrelationState,
    Emulation,
    Forward,
    Host,
    InstalledBy,
    LibvirtNetwork,
    PlacedInterface,
    PlacedMachine,
    StoragePool,
)
from hostloom.model.ids import (
    FabricId,
    HostId,
    InterfaceId,
    RangeId,
    SpaceId,
    SubnetId,
    SystemId,
    VlanId,
)
from hostloom.model.network import AddressKind, Fabric, HeldAddress, IPRange, RangeKind, Space, Subnet, Vlan
from hostloom.model.node import BridgeKind, InterfaceKind, Node, NodeInterface, NodeKind

SPACES = ("mgmt", "dmz", "storage", "tenant", "backup")
FABRICS, VIDS = 4, 50
GB = 10**9


def big_world(hosts: int, shapes: int, machines_a_host: int = 3, seed: int = 1) -> Snapshot:
    """A world of so many hosts in so many distinct shapes."""
    draw = random.Random(seed)  # noqa: S311  (no secret depends on it)
    vlans = _vlans()
    subnets, ranges = _subnets(vlans)
    patterns = [_pattern(draw, vlans) for _ in range(shapes)]
    nodes, states, held = [], [], []
    for number in range(1, hosts + 1):
        pattern = patterns[number % shapes]
        node = _node(number, pattern)
        nodes.append(node)
        states.append(_host(draw, number, node, pattern, machines_a_host))
        held += [
            HeldAddress(ip, AddressKind.OBSERVED, SubnetId(1), node.system_id, each.name)
            for each in node.interfaces
            for ip in each.ips
        ]
    return Snapshot(
        fabrics=tuple(Fabric(FabricId(n), f"fabric-{n}") for n in range(FABRICS)),
        vlans=vlans,
        spaces=tuple(Space(SpaceId(n), name) for n, name in enumerate(SPACES, 1)),
        subnets=subnets,
        ranges=ranges,
        held=tuple(held),
        nodes=tuple(nodes),
        hosts=tuple(states),
        revision=1,
    )


def _vlans() -> tuple[Vlan, ...]:
    """Every fabric has the untagged VLAN and tagged ones; two of three VLANs are served."""
    found = []
    for fabric in range(FABRICS):
        for place in range(VIDS):
            number = fabric * VIDS + place + 1
            space = SpaceId(1 if place == 0 else 2 + number % (len(SPACES) - 1))
            vid = place * 10
            found.append(
                Vlan(
                    VlanId(number), FabricId(fabric), vid, f"v{vid}", dhcp_on=number % 3 != 0, space_id=space
                )
            )
    return tuple(found)


def _subnets(vlans: tuple[Vlan, ...]) -> tuple[tuple[Subnet, ...], tuple[IPRange, ...]]:
    subnets, ranges = [], []
    for vlan in vlans:
        cidr = IPv4Network((10 << 24 | vlan.id << 16, 16))
        first = int(cidr.network_address)
        number = SubnetId(vlan.id)
        subnets.append(Subnet(number, cidr, vlan.id, str(cidr), gateway=ip_address(first + 1)))
        kind = RangeKind.DYNAMIC
        ranges.append(
            IPRange(RangeId(vlan.id), number, kind, ip_address(first + 60000), ip_address(first + 60999))
        )
    return tuple(subnets), tuple(ranges)


def _pattern(draw: random.Random, vlans: tuple[Vlan, ...]) -> list[NodeInterface]:
    """Two NICs in a bond, bridges and VLAN interfaces over it, some NICs besides."""
    none = InterfaceId(0)
    speed = draw.choice((1000, 10000, 25000))
    found = [
        NodeInterface(none, "lo", InterfaceKind.LOOPBACK),
        NodeInterface(none, "eth0", InterfaceKind.PHYSICAL, link_speed=speed),
        NodeInterface(none, "eth1", InterfaceKind.PHYSICAL, link_speed=speed),
        NodeInterface(none, "bond0", InterfaceKind.BOND, vlan_id=VlanId(1), parents=("eth0", "eth1")),
        NodeInterface(
            none,
            "br0",
            InterfaceKind.BRIDGE,
            vlan_id=VlanId(1),
            parents=("bond0",),
            bridge_kind=BridgeKind.STANDARD,
        ),
    ]
    fabric = draw.sample(vlans, 9)
    for place, vlan in enumerate(fabric):
        tags = tuple(sorted(draw.sample(("fast", "ssd-net", "sriov", "public"), draw.randint(0, 2))))
        kind = draw.choice((InterfaceKind.BRIDGE, InterfaceKind.VLAN, InterfaceKind.PHYSICAL))
        name = {"bridge": f"br{place + 1}", "vlan": f"bond0.{place}", "physical": f"eth{place + 2}"}[kind]
        found.append(
            NodeInterface(
                none,
                name,
                kind,
                vlan_id=vlan.id,
                parents=("bond0",) if kind is InterfaceKind.VLAN else (),
                bridge_kind=BridgeKind.STANDARD if kind is InterfaceKind.BRIDGE else None,
                link=draw.random() > 0.05,
                link_speed=draw.choice((0, 1000, 10000, 25000)),
                tags=tags,
            )
        )
    return found


def _node(number: int, pattern: list[NodeInterface]) -> Node:
    address = IPv4Interface((10 << 24 | 1 << 16 | 256 + number, 16))
    interfaces = []
    for place, each in enumerate(pattern):
        fields = {name: getattr(each, name) for name in each.__dataclass_fields__}
        fields |= {"id": InterfaceId(number * 100 + place)}
        if each.name == "br0":
            fields |= {"addresses": (address,)}
        interfaces.append(NodeInterface(**fields))
    return Node(SystemId(f"h{number:05d}"), f"kvm{number}", NodeKind.MACHINE, tuple(interfaces))


def _host(
    draw: random.Random, number: int, node: Node, pattern: list[NodeInterface], machines: int
) -> HostState:
    cores = draw.choice((16, 32, 64, 128))
    host = Host(
        HostId(number),
        node.hostname,
        f"qemu+ssh://root@{node.interfaces[4].ips[0]}/system",
        Correlation(CorrelationState.CORRELATED, node.system_id),
        draw.choice((InstalledBy.HOSTLOOM, InstalledBy.MANUAL)),
        draw.choice((None, None, MacvlanMode.PRIVATE)),
        cores,
        cores * 4096,
        2.0,
        1.0,
        (Emulation("amd64", "kvm", "q35", "/usr/bin/qemu-system-x86_64", "host-model"),),
        (
            StoragePool("default", "dir", 4000 * GB, draw.randint(100, 4000) * GB, is_default=True),
            StoragePool("fast", "dir", 1000 * GB, draw.randint(10, 1000) * GB, tags=("ssd",)),
        ),
        (LibvirtNetwork("default", active=True, bridge="virbr0", dhcp=True, forward=Forward.NAT),),
        facts_at=1.0,
    )
    macvtaps = [each.name for each in pattern if each.kind is InterfaceKind.PHYSICAL][2:3]
    nics = tuple(PlacedInterface(AttachKind.MACVLAN, name, MacvlanMode.BRIDGE) for name in macvtaps)
    placed = tuple(
        PlacedMachine(
            f"vm{number}-{n}", draw.randint(1, 8), draw.randint(1, 16) * 1024, nics if n == 0 else ()
        )
        for n in range(machines)
    )
    return HostState(host, placed)
