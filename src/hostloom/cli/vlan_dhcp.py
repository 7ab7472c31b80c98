"""Confirmation of `hostloom vlan dhcp off` and `relay`, which shows who loses our DHCP."""

from collections.abc import Iterator

from hostloom.cli.crud_commands import confirm
from hostloom.cli.output import say
from hostloom.client import Client, ClientError, answers

#: Maximum number of names in a line; further ones are counted.
LISTED = 8


def confirm_change(client: Client, key: str, question: str, *, yes: bool) -> None:
    """Show who is affected and ask for confirmation; a VLAN that is not served needs none."""
    vlan = client.vlans.get(key)
    if yes or vlan["dhcp"] == "off":
        return
    for line in affected(client, vlan) or ["no machine, lease or reservation is affected"]:
        say(line)
    confirm(f"VLAN {vlan['key']}: {question}", yes=yes)


def affected(client: Client, vlan: answers.Vlan) -> list[str]:
    """Who is affected, a line for each kind: machines on the VLAN, leases and reserved addresses."""
    subnets = {subnet["cidr"] for subnet in client.subnets.list() if subnet["vlan"] == vlan["key"]}
    machines, reserved = _machines(client, vlan), _reservations(client, subnets)
    kinds = (
        ("machine", "loses DHCP and network boot", "lose DHCP and network boot", machines),
        ("lease", "is not renewed", "are not renewed", list(_leases(client, vlan, subnets))),
        ("reservation", "is no longer answered", "are no longer answered", reserved),
    )
    return [_line(*kind) for kind in kinds if kind[-1]]


_RESERVED = frozenset({"auto", "static"})


def _machines(client: Client, vlan: answers.Vlan) -> list[str]:
    """The machines with a NIC on the VLAN."""
    return [
        f"{machine['hostname']} ({machine['power']})"
        for machine in client.machines.list()
        if any(nic["vlan"] == vlan["key"] for nic in machine["interfaces"])
    ]


def _reservations(client: Client, subnets: set[str]) -> list[str]:
    addresses = [address for address in client.addresses.list() if address["subnet"] in subnets]
    reserved = [address for address in addresses if address["kind"] in _RESERVED]
    return [f"{address['ip']} {address['node'] or ''}".strip() for address in reserved]


def _leases(client: Client, vlan: answers.Vlan, subnets: set[str]) -> Iterator[str]:
    """The leases of the VLAN's racks; a rack that does not answer is reported."""
    for rack in vlan["racks"]:
        try:
            leases = client.racks.get_leases(rack)["items"]
        except ClientError as error:
            say(f"the leases of rack {rack} could not be read: {error}")
            continue
        for lease in leases:
            if lease["subnet"] in subnets:
                yield f"{lease['ip']} {lease['machine'] or lease['hostname'] or lease['mac']}"


def _line(noun: str, one: str, many: str, names: list[str]) -> str:
    count = len(names)
    more = f" and {count - LISTED} more" if count > LISTED else ""
    heading = f"1 {noun} {one}" if count == 1 else f"{count} {noun}s {many}"
    return f"{heading}: {', '.join(names[:LISTED])}{more}"
