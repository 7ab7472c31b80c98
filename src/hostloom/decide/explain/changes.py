"""Texts of suggestions: the required change, and its command."""

from shlex import quote

from hostloom.model.hypothetical import ChangeKind, HypotheticalChange, Suggestion

#: The condition, and the command if one exists, by kind of change.
CONDITIONS = {
    ChangeKind.SERVE_VLAN: ("our DHCP served VLAN {subject}", "hostloom vlan dhcp on {subject}"),
    ChangeKind.LIBVIRT_DHCP_OFF: (
        "libvirt's own DHCP were off on network {subject} of {host}",
        "hostloom host fix-network {host} {subject}",
    ),
    ChangeKind.START_NETWORK: ("libvirt network {subject} of {host} were active", ""),
    ChangeKind.ADD_VLAN_INTERFACE: ("{host} had VLAN {value} on {subject}", ""),
    ChangeKind.ENABLE_INTERFACE: ("{subject} of {host} were enabled", ""),
    ChangeKind.LINK_UP: ("{subject} of {host} had a link", ""),
    ChangeKind.SET_INTERFACE_VLAN: (
        "{subject} of {host}, whose VLAN is unknown, were on VLAN {value}",
        "hostloom node interface update {was} {subject} --vlan {value}",
    ),
    ChangeKind.MOVE_INTERFACE: ("{subject} of {host} were cabled to VLAN {value}", ""),
    ChangeKind.FREE_ADDRESS: ("{value} of {subject} were given back", "hostloom address release {value}"),
    ChangeKind.RAISE_CPU_RATIO: (
        "cores of {host} were over-committed {value} times (now {was})",
        "hostloom host update {host} --cpu-over-commit {value}",
    ),
    ChangeKind.RAISE_MEMORY_RATIO: (
        "memory of {host} were over-committed {value} times (now {was})",
        "hostloom host update {host} --memory-over-commit {value}",
    ),
    ChangeKind.GROW_POOL: ("storage pool {subject} of {host} had {gigabytes:g} GB more", ""),
    ChangeKind.REACH_HOST: ("{host} answered", "hostloom host refresh {host}"),
    ChangeKind.CHOOSE_NODE: ("{host} were node {value}", "hostloom host update {host} --node {value}"),
    ChangeKind.CHANGE_REQUEST: ("{subject} were '{value}'", ""),
}
_REQUEST = {
    "netboot": "it did not need to boot from the network (--no-netboot)",
    "host": "it were requested on host {value} (--host)",
    "architecture": "it were {value} (--architecture)",
    "zone": "it did not need to be in zone {was} (--zone)",
    "resource_pool": "it did not need to be in resource pool {was} (--resource-pool)",
    "host_tags": "its host did not need tag {was} (--host-tag)",
    "not_host_tags": "its host could have tag {was} (--not-host-tag)",
    "interfaces": "its interfaces were '{value}'",
    "storage": "its storage were '{value}'",
}


def render_suggestion(suggestion: Suggestion) -> str:
    """A suggestion in one line, its commands last."""
    conditions = " and ".join(_condition(change) for change in suggestion.changes)
    commands = [text for text in map(_command, suggestion.changes) if text]
    place = f" on {suggestion.host}" if suggestion.host else ""
    command_text = f": {'; '.join(f'`{command}`' for command in commands)}" if commands else ""
    return f"it would fit{place} if {conditions}{command_text}"


def _condition(change: HypotheticalChange) -> str:
    text = CONDITIONS[change.kind][0]
    if change.kind is ChangeKind.CHANGE_REQUEST:
        text = _REQUEST.get(change.subject, text)
    if change.kind is ChangeKind.FREE_ADDRESS and change.was:
        text += " by {was}"
    return _filled(text, change)


def _command(change: HypotheticalChange) -> str:
    if change.kind is ChangeKind.FREE_ADDRESS and change.was:
        return ""  # an address of a node is released with the node
    words = {name: quote(getattr(change, name)) for name in ("subject", "host", "value", "was")}
    return CONDITIONS[change.kind][1].format(**words)


def _filled(text: str, change: HypotheticalChange) -> str:
    size = int(change.value) / 10**9 if change.kind is ChangeKind.GROW_POOL else 0
    return text.format(
        subject=change.subject, host=change.host, value=change.value, was=change.was, gigabytes=size
    )
