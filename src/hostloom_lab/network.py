"""Creates and removes the lab's switch, cables and addresses."""

import json
from ipaddress import IPv4Network, ip_interface, ip_network

from hostloom_lab.commands import ip, namespaces, run
from hostloom_lab.errors import LabError
from hostloom_lab.plan import HOST_NICS, MAX_LABS, SEGMENTS, HostPlan, LabPlan

#: A macvtap's device is /dev/tap<ifindex>, and all namespaces share /dev, so each host of each lab
#: has its own range of numbers.
IFINDEX_STEP = 200


def conflicts(subnet: IPv4Network, link: str) -> list[str]:
    """Addresses and routes of this machine that overlap the subnet, except those of the lab's link."""
    overlaps = []
    for load in json.loads(run(["ip", "-j", "-4", "addr", "show"])):
        for info in load["addr_info"]:
            address = ip_interface(f"{info['local']}/{info['prefixlen']}")
            if load["ifname"] != link and address.network.overlaps(subnet):
                overlaps.append(f"{address} on {load['ifname']}")
    for route in json.loads(run(["ip", "-j", "-4", "route", "show", "table", "all"])):
        destination = route.get("dst", "default")
        if destination != "default" and route.get("dev") != link and route.get("type") != "multicast":
            network = ip_network(destination, strict=False)
            if network.overlaps(subnet) and network.prefixlen > 0:
                overlaps.append(f"route {destination} by {route.get('dev', '?')}")
    return sorted(set(overlaps))


def build_switch(plan: LabPlan) -> None:
    """Create one bridge per segment in the switch's namespace."""
    if plan.switch in namespaces():
        return
    run(["ip", "netns", "add", plan.switch])
    lines = ["link set lo up"]
    for name in SEGMENTS:
        lines += [
            f"link add name {name} type bridge forward_delay 0 mcast_snooping 0",
            f"link set {name} up",
        ]
    ip(plan.switch, lines)


def build_rack(plan: LabPlan) -> None:
    """Create the rack with a NIC on every segment and one cable to this machine."""
    if plan.rack in namespaces():
        return
    run(["ip", "netns", "add", plan.rack])
    ip(plan.rack, ["link set lo up"])
    for name in SEGMENTS:
        _plug(plan, plan.rack, name, f"rack-{name}", name)
        address = f"{plan.rack_address(name)}/{plan.segment(name).prefixlen}"
        ip(plan.rack, [f"addr add {address} dev {name}"])
    ip(
        None,
        [
            f"link add name {plan.link} type veth peer name uplink netns {plan.rack}",
            f"addr add {plan.root_address} dev {plan.link}",
            f"link set {plan.link} up",
        ],
    )
    ip(plan.rack, [f"addr add {plan.rack_link_address} dev uplink", "link set uplink up"])


def build_host(plan: LabPlan, host: HostPlan) -> None:
    """Create a host's NICs: the first one is in br0, the others are in no bridge."""
    if host.netns in namespaces():
        return
    run(["ip", "netns", "add", host.netns])
    count = (host.number * MAX_LABS + plan.number) * IFINDEX_STEP
    ip(host.netns, [f"link add name z{n} group 99 type ifb" for n in range(count)])
    ip(host.netns, ["link del group 99", "link set lo up"])
    for number, (nic, segment) in enumerate(HOST_NICS.items()):
        _plug(plan, host.netns, nic, f"{host.name}-{nic}", segment, host.mac(number))
    ip(
        host.netns,
        [
            f"link add name br0 address {host.mac(0)} type bridge forward_delay 0 mcast_snooping 0",
            "link set eth0 master br0",
            "link set br0 up",
            f"addr add {host.address} dev br0",
        ],
    )


def _plug(plan: LabPlan, netns: str, nic: str, port: str, segment: str, mac: str | None = None) -> None:
    """Connect a NIC to the switch."""
    address = f"address {mac} " if mac else ""
    ip(
        netns,
        [
            f"link add name {nic} {address}type veth peer name {port} netns {plan.switch}",
            f"link set {nic} up",
        ],
    )
    ip(plan.switch, [f"link set {port} master {segment} up"])


def set_cable(plan: LabPlan, host: HostPlan, nic: str, *, plugged: bool) -> None:
    """Connect or disconnect one cable; without it the NIC has no carrier."""
    if nic not in HOST_NICS:
        raise LabError(f"{host.name} has no NIC {nic!r}; it has {', '.join(HOST_NICS)}")
    ip(plan.switch, [f"link set {host.name}-{nic} {'up' if plugged else 'down'}"])


def set_reflection(plan: LabPlan, host: HostPlan, nic: str, *, on: bool) -> None:
    """Make a port reflect frames to their sender, like a VEPA switch (IEEE 802.1Qbg), or stop it."""
    if nic not in HOST_NICS:
        raise LabError(f"{host.name} has no NIC {nic!r}; it has {', '.join(HOST_NICS)}")
    ip(plan.switch, [f"link set dev {host.name}-{nic} type bridge_slave hairpin {'on' if on else 'off'}"])


def remove(plan: LabPlan) -> None:
    """Remove namespaces and cables, ignoring missing ones."""
    existing = namespaces()
    for netns in (*reversed(plan.namespaces),):
        if netns in existing:
            run(["ip", "netns", "del", netns])
    try:
        if _has_link(plan):
            ip(None, [f"link del {plan.link}"])
    except LabError:
        # The kernel removes it by itself some time after the namespace of its other end.
        if _has_link(plan):
            raise


def _has_link(plan: LabPlan) -> bool:
    return plan.link in [link["ifname"] for link in json.loads(run(["ip", "-j", "link", "show"]))]
