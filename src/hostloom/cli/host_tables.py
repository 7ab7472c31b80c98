"""Tables and lines about hosts."""

from collections.abc import Callable

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import NounCommands
from hostloom.cli.output import memory, size, table, when
from hostloom.client import answers, keys


def node_of(item: answers.Host) -> str:
    """The host's node, or why it is unknown."""
    correlation = item["correlation"]
    return str(correlation["node"] if correlation["state"] == "correlated" else correlation["state"])


def _evidence(item: answers.Host) -> str:
    correlation = item["correlation"]
    if correlation["state"] == "ambiguous":
        return (
            f"ambiguous: {', '.join(correlation['candidates'])} (choose with `hostloom host update --node`)"
        )
    if correlation["state"] == "unknown":
        return "unknown"
    return f"{correlation['node']} (by {correlation['evidence']} {correlation['matched']})".replace(" )", ")")


def _of(used: int, offered: int, total: int, text: Callable[[int], str]) -> str:
    """`5 of 8 used`; with over-commit, also the physical amount."""
    more = "" if offered == total else f" ({text(total)} installed)"
    return f"{text(used)} of {text(offered)} used{more}"


POOLS: Columns[answers.StoragePool, keys.StoragePoolKey] = (
    Column("NAME", "name"),
    Column("KIND", "kind", rank=2),
    Column("FREE", lambda item: size(item["free_bytes"]), right=True),
    Column("TOTAL", lambda item: size(item["total_bytes"]), right=True),
    Column("DEFAULT", "is_default"),
    Column(
        "ACTIVE",
        lambda item: f"no: {item['trouble']}" if item["trouble"] else item["active"],
        text=True,
    ),
    Column("TAGS", "tags", rank=1),
)
NETWORKS: Columns[answers.LibvirtNetwork, keys.LibvirtNetworkKey] = (
    Column("NAME", "name"),
    Column("ACTIVE", "active"),
    Column("BRIDGE", "bridge"),
    Column("LIBVIRT DHCP", "dhcp"),
    Column("FORWARD", "forward", rank=1),
)
FINDINGS: Columns[answers.Finding, keys.FindingKey] = (
    Column("PART", "part"),
    Column("EXPECTED", "expected", text=True),
    Column("FOUND", "found", text=True),
)
NOUN = NounCommands[answers.Host, keys.HostKey](
    "host",
    "Host, by name or id.",
    lambda client: client.hosts,
    (
        Column("ID", "id", right=True, rank=3),
        Column("NAME", "name"),
        Column("STATE", lambda item: "reachable" if item["reachable"] else "unreachable"),
        Column("NODE", node_of, rank=2),
        Column(
            "CORES",
            lambda item: f"{item['cores_used']} of {item['cores_offered']}",
            right=True,
            field="cores",
        ),
        Column(
            "MEMORY MIB",
            lambda item: f"{item['memory_mib_used']} of {item['memory_mib_offered']}",
            right=True,
            field="memory_mib",
        ),
        Column("MACHINES", "machines", right=True),
        Column("URI", "uri", rank=1),
    ),
    (
        Column("NAME", "name"),
        Column("ID", "id"),
        Column("URI", "uri"),
        Column("REACHABLE", lambda item: "yes" if item["reachable"] else f"no: {item['unreachable_cause']}"),
        Column("READ", lambda item: when(item["facts_at"])),
        Column("NODE", _evidence),
        Column("INSTALLED BY", "installed_by"),
        Column("MACVLAN MODE", lambda item: item["default_macvlan_mode"] or "bridge (default)"),
        Column("ARCHITECTURES", "architectures"),
        Column("CORES", lambda item: _of(item["cores_used"], item["cores_offered"], item["cores"], str)),
        Column(
            "MEMORY",
            lambda item: _of(item["memory_mib_used"], item["memory_mib_offered"], item["memory_mib"], memory),
        ),
        Column("HUGE PAGES", lambda item: memory(item["huge_pages_mib"]) if item["huge_pages_mib"] else None),
        Column(
            "OVER-COMMIT",
            lambda item: (
                f"cores {item['cpu_over_commit_ratio']:g}, memory {item['memory_over_commit_ratio']:g}"
            ),
        ),
        Column("MACHINES", "machines"),
        Column("ZONE", "zone"),
        Column("RESOURCE POOL", "resource_pool"),
        Column("TAGS", "tags"),
        Column("SSH KEY", "host_key"),
    ),
    parts=lambda item: [
        ("storage pools", table(item["storage_pools"], POOLS)),
        ("libvirt networks", table(item["libvirt_networks"], NETWORKS)),
        *([("not readable", table(item["findings"], FINDINGS))] if item["findings"] else []),
    ],
    empty="no hosts yet: `hostloom host add NAME qemu+ssh://USER@ADDRESS/system` adds one",
    example="kvm1",
)

CHANGES: Columns[answers.Change, keys.ChangeKey] = (
    Column("WHAT", "kind"),
    Column("INTERFACE", "subject"),
    Column("RECORDED", "recorded"),
    Column("THERE", "observed"),
)
MAPPED_NICS: Columns[answers.MappedNic, keys.MappedNicKey] = (
    Column("MACHINE", "machine"),
    Column("MAC", "mac"),
    Column("ATTACHED BY", lambda item: f"{item['attach']} {item['source']}"),
    Column("VLAN", lambda item: item["vlan"] or "not known"),
)
