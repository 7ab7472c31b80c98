"""Changes in the syntax of the command line: `lose-interface:kvm1/eth1`, `raise-memory-ratio:kvm1=1.5`.

Separators within a part are escaped as in URLs: `%2F` in the name of a host, `%3D` before the `=`, and `%25`
for the percent sign itself.
"""

import re

from hostloom.model.errors.values import InvalidValue
from hostloom.model.hypothetical import ChangeKind, HypotheticalChange

#: The syntax after the colon, by kind.
FORMS = {
    ChangeKind.LOSE_INTERFACE: "HOST/INTERFACE",
    ChangeKind.LOSE_VLAN: "FABRIC/VID",
    ChangeKind.LOSE_HOST: "HOST",
    ChangeKind.STOP_SERVING_VLAN: "FABRIC/VID",
    ChangeKind.SET_MACVLAN_MODE: "HOST=MODE",
    ChangeKind.SET_BRIDGE_PORTS: "HOST/BRIDGE=INTERFACE,…",
    ChangeKind.MOVE_INTERFACE: "HOST/INTERFACE=FABRIC/VID",
    ChangeKind.SET_INTERFACE_VLAN: "HOST/INTERFACE=FABRIC/VID",
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
#: Kinds that allow an empty value: no ports, no default mode, the lowest address, any host.
_MAY_BE_EMPTY = frozenset(
    {
        ChangeKind.SET_BRIDGE_PORTS,
        ChangeKind.SET_MACVLAN_MODE,
        ChangeKind.FREE_ADDRESS,
        ChangeKind.CHANGE_REQUEST,
    }
)


def parse_change(text: str) -> HypotheticalChange:
    """Parse a change; InvalidValue names the expected syntax. Names are looked up when it is applied."""
    word, colon, rest = text.partition(":")
    if not colon or word not in tuple(ChangeKind):
        forms = ", ".join(sorted(f"{kind}:{form}" for kind, form in FORMS.items()))
        raise InvalidValue("change", text, "has no known kind", f"use one of {forms}")
    kind = ChangeKind(word)
    form = FORMS[kind]
    wrong_form = InvalidValue("change", text, "has the wrong form", f"write {kind}:{form}")
    target, equals, value = rest.partition("=")
    needs_value = "=" in form
    is_empty = needs_value and not value and kind not in _MAY_BE_EMPTY
    if not target or bool(equals) is not needs_value or is_empty:
        raise wrong_form
    host, subject = _host_and_subject(target, form, wrong_form)
    return HypotheticalChange(kind, _read(subject), _read(host), value)


def _host_and_subject(target: str, form: str, wrong_form: InvalidValue) -> tuple[str, str]:
    """The parts of HOST/SUBJECT, HOST or SUBJECT, according to the syntax; a missing part is empty."""
    if not form.startswith("HOST"):
        return "", target
    host, slash, subject = target.partition("/")
    if bool(slash) is not form.startswith("HOST/") or not host or (slash and not subject):
        raise wrong_form
    return host, subject


def format_change(change: HypotheticalChange) -> str:
    """Format a change, without the current value (`was`)."""
    form = FORMS[change.kind]
    host = _written(change.host).replace("/", "%2F")
    target = "/".join(filter(None, (host, _written(change.subject))))
    value = f"={change.value}" if "=" in form else ""
    return f"{change.kind}:{target}{value}"


def _written(part: str) -> str:
    return part.replace("%", "%25").replace("=", "%3D")


def _read(part: str) -> str:
    return re.sub("%(25|2F|3D)", lambda match: bytes.fromhex(match[1]).decode(), part)
