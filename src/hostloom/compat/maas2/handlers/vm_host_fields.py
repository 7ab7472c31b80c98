"""The form fields of VM hosts."""

from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import bad_field
from hostloom.compat.maas2.views.machines import VIRSH
from hostloom.model.attachment import MacvlanMode
from hostloom.model.host import Host

MODES = [mode.value for mode in MacvlanMode]


def check_kind(form: Form) -> None:
    """Refuse other types of hosts."""
    kind = form.text("type")
    if kind is not None and kind != VIRSH:
        raise bad_field(
            "type", f"{kind[:40]!r} is not {VIRSH!r}: hostloom manages KVM hosts through libvirt."
        )


def refuse_secrets(form: Form) -> None:
    """Refuse credentials."""
    for name in ("power_pass", "power_user"):
        if form.text(name):
            raise bad_field(name, "hostloom logs in with SSH keys, and the user is part of power_address.")


def read_mode(form: Form) -> MacvlanMode | None:
    """Read the default macvlan mode."""
    mode = form.choice("default_macvlan_mode", MODES)
    return None if mode is None else MacvlanMode(mode)


def read_ratios(form: Form) -> dict[str, Any]:
    """Read the over-commit ratios that the client sent."""
    ratios = {name: form.number(name) for name in ("cpu_over_commit_ratio", "memory_over_commit_ratio")}
    return {name: value for name, value in ratios.items() if value is not None}


def default_name(call: Call, address: str) -> str:
    """Derive a name from the address, or generate one."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        raise bad_field("power_address", f"{address[:60]!r} is not a libvirt URI.") from None
    name = (
        host.partition(".")[0] if any(character.isalpha() for character in host) and ":" not in host else ""
    )
    return name.lower() or call.ports.ids.hostname()


def read_uri(form: Form, host: Host) -> str | None:
    """Return the new libvirt URI; None if it stays."""
    address, new_host = (form.text("power_address") or "").strip(), (form.text("host") or "").strip()
    if not new_host:
        return address or None
    uri = address or host.uri
    parts = urlsplit(uri)
    if not parts.hostname:
        raise bad_field("host", f"{uri} contains no host name: use power_address instead.")
    if "/" in new_host or "@" in new_host:
        raise bad_field("host", f"{new_host[:60]!r} is not an address or name of a libvirt instance.")
    user = f"{parts.username}@" if parts.username else ""
    return urlunsplit(parts._replace(netloc=f"{user}{_bracketed(new_host)}{_port(parts)}"))


def _bracketed(host: str) -> str:
    bare = host.removeprefix("[").removesuffix("]")
    return f"[{bare}]" if ":" in bare else bare


def _port(parts: SplitResult) -> str:
    try:
        return f":{parts.port}" if parts.port else ""
    except ValueError:
        raise bad_field("power_address", "Its port is not a number from 1 to 65535.") from None
