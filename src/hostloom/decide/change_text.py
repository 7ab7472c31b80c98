"""Changes as one writes them on a command line: `lose-interface:kvm1/eth1`, `raise-memory-ratio:kvm1=1.5`."""

from hostloom.model.change import Change, ChangeKind
from hostloom.model.errors import InvalidValue

#: By kind: what stands behind its colon.
FORMS = {
    ChangeKind.LOSE_INTERFACE: "HOST/INTERFACE",
    ChangeKind.LOSE_VLAN: "FABRIC/VID",
    ChangeKind.LOSE_HOST: "HOST",
    ChangeKind.STOP_SERVING_VLAN: "FABRIC/VID",
    ChangeKind.SET_MACVLAN_MODE: "HOST=MODE",
    ChangeKind.SET_BRIDGE_PORTS: "HOST/BRIDGE=INTERFACE,…",
    ChangeKind.MOVE_INTERFACE: "HOST/INTERFACE=FABRIC/VID",
    ChangeKind.SERVE_VLAN: "FABRIC/VID",
    ChangeKind.LIBVIRT_DHCP_OFF: "HOST/NETWORK",
    ChangeKind.START_NETWORK: "HOST/NETWORK",
    ChangeKind.ADD_VLAN_INTERFACE: "HOST/INTERFACE=FABRIC/VID",
    ChangeKind.ENABLE_INTERFACE: "HOST/INTERFACE",
    ChangeKind.LINK_UP: "HOST/INTERFACE",
    ChangeKind.FREE_ADDRESS: "CIDR=ADDRESS",
    ChangeKind.RAISE_CPU_RATIO: "HOST=RATIO",
    ChangeKind.RAISE_MEMORY_RATIO: "HOST=RATIO",
    ChangeKind.GROW_POOL: "HOST/POOL=BYTES",
    ChangeKind.REACH_HOST: "HOST",
    ChangeKind.CHOOSE_NODE: "HOST=SYSTEM-ID",
    ChangeKind.CHANGE_REQUEST: "OPTION=VALUE",
}


def parse_change(text: str) -> Change:
    """Read one; InvalidValue says what was expected."""
    word, colon, rest = text.partition(":")
    if not colon or word not in tuple(ChangeKind):
        known = ", ".join(sorted(f"{kind}:{form}" for kind, form in FORMS.items()))
        raise InvalidValue("change", text, f"one of {known}")
    kind = ChangeKind(word)
    form = FORMS[kind]
    target, equals, value = rest.partition("=")
    needs_value = "=" in form
    may_be_empty = kind is ChangeKind.SET_BRIDGE_PORTS
    expected = f"{kind}:{form}"
    if not target or bool(equals) is not needs_value or (needs_value and not value and not may_be_empty):
        raise InvalidValue("change", text, expected)
    if not form.startswith("HOST"):
        return Change(kind, target, "", value)
    host, slash, subject = target.partition("/")
    if bool(slash) is not form.startswith("HOST/") or not host or (slash and not subject):
        raise InvalidValue("change", text, expected)
    return Change(kind, subject, host, value)


def format_change(change: Change) -> str:
    """The text again; what is there now (`was`) is not part of it."""
    target = "/".join(filter(None, (change.host, change.subject)))
    value = f"={change.value}" if "=" in FORMS[change.kind] else ""
    return f"{change.kind}:{target}{value}"
