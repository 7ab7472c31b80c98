"""Tables of a machine's planned or existing NICs and disks."""

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import Part
from hostloom.cli.output import size, table
from hostloom.client import answers, keys


def attached(item: answers.Nic) -> str:
    """`bridge br0`, `macvlan eth1 (private)`."""
    mode = f" ({item['macvlan_mode']})" if item["macvlan_mode"] else ""
    return f"{'ovs ' if item['ovs'] else ''}{item['attach']} {item['source']}{mode}"


def addresses(item: answers.Nic) -> str:
    """The NIC's addresses, or how it gets one, in one line."""
    return ", ".join(_ips(item))


def _ips(item: answers.Nic) -> list[str]:
    return list(item["ips"]) or [str(item["mode"])]


NICS: Columns[answers.Nic, keys.NicKey] = (
    Column("NAME", "name"),
    Column("ATTACHED TO", attached),
    Column("VLAN", "vlan", rank=2),
    Column("ADDRESS", _ips),
    Column("MAC", "mac"),
    Column("BOOT", lambda item: "yes" if item["boot"] else None, rank=1),
)
DISKS: Columns[answers.Disk, keys.DiskKey] = (
    Column("NAME", "name"),
    Column("SIZE", lambda item: size(item["size_bytes"]), right=True),
    Column("POOL", "pool"),
    Column("FORMAT", "format", rank=1),
    Column("VOLUME", "volume"),
)


def parts_of(item: answers.Machine | answers.Planned) -> list[Part]:
    """The tables of NICs and disks with their titles."""
    return [("interfaces", table(item["interfaces"], NICS)), ("disks", table(item["disks"], DISKS))]
