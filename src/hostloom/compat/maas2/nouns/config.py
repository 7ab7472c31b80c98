"""`maas/`: settings of the whole server, as far as hostloom has what they set."""

from typing import Any

from hostloom.compat.maas2.answers import Answer, answer, bad_field, refuse
from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.services.access import require_user

maas = Resource("Maas", "maas/", "See the server's settings.")
RESOURCES = (maas,)

#: What clients read; empty where hostloom has no such thing: it installs no systems and serves no DNS.
_SETTINGS: dict[str, Any] = {
    "maas_name": "hostloom",
    "default_osystem": "",
    "default_distro_series": "",
    "commissioning_osystem": "",
    "commissioning_distro_series": "",
    "default_min_hwe_kernel": "",
    "default_storage_layout": "blank",
    "kernel_opts": "",
    "http_proxy": None,
    "enable_http_proxy": False,
    "upstream_dns": "",
    "dnssec_validation": "no",
    "ntp_servers": "",
    "ntp_external_only": True,
    "network_discovery": "disabled",
    "enable_third_party_drivers": False,
    "enable_analytics": False,
    "release_notifications": False,
    "node_timeout": 30,
    "completed_intro": True,
    "theme": "",
    "uuid": "",
}
_NAME = Param("name", "The setting.", required=True)


@maas.op("GET", "get_config", "Show a setting.", _NAME)
def get_config(call: Call) -> Answer:
    """The bare value as JSON."""
    require_user(call.principal, "see settings")
    name = _name(call)
    if name == "node_timeout":
        return answer(int(call.ports.commission_timeout_s // 60))
    return answer(_SETTINGS[name])


@maas.op(
    "POST",
    "set_config",
    "Change a setting: hostloom's are in its own file.",
    _NAME,
    Param("value", "The value."),
)
def set_config(call: Call) -> Answer:
    """What it is already may be set; anything else is refused, with the reason."""
    require_user(call.principal, "see settings")
    name = _name(call)
    value = call.form.text("value") or ""
    if value in ("", "None") and not _SETTINGS[name]:
        return answer("OK")
    if value.lower() == str(_SETTINGS[name]).lower():
        return answer("OK")
    raise refuse(409, f"hostloom does not set {name}: its settings are in its configuration file.")


def _name(call: Call) -> str:
    name = call.form.required("name")
    if name not in _SETTINGS:
        raise bad_field("name", f"{name[:60]!r} is not a setting: expected one of {', '.join(_SETTINGS)}.")
    return name
