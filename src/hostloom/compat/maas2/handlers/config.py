"""`maas/`: settings of the server."""

from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.disk_images import newest_first, system_of
from hostloom.compat.maas2.responses import MaasResponse, answer, bad_field, refuse
from hostloom.services import disk_images
from hostloom.services.access import require_user

maas = Resource("Maas", "maas/", "Read the server's settings.")
RESOURCES = (maas,)

#: The settings that clients read. Without disk images, the system is the default of a fresh MAAS.
#: Settings of features that hostloom does not have, such as DNS, proxies and scripts, are empty or off.
_SETTINGS: dict[str, Any] = {
    "maas_name": "hostloom",
    "maas_url": "",
    "default_osystem": "ubuntu",
    "default_distro_series": "noble",
    "deployed_osystem": "ubuntu",
    "commissioning_osystem": "ubuntu",
    "commissioning_distro_series": "noble",
    "default_boot_interface_link_type": "auto",
    "default_dns_ttl": None,
    "disk_erase_with_secure_erase": False,
    "disk_erase_with_quick_erase": False,
    "enable_disk_erasing_on_release": False,
    "boot_images_auto_import": False,
    "boot_images_no_proxy": False,
    "dns_trusted_acl": "",
    "maas_auto_ipmi_user": "",
    "maas_internal_domain": "",
    "maas_proxy_port": None,
    "prefer_v4_proxy": False,
    "use_peer_proxy": False,
    "use_rack_proxy": False,
    "max_node_commissioning_results": 10,
    "max_node_testing_results": 10,
    "max_node_installation_results": 3,
    "max_node_release_results": 3,
    "network_discovery": "disabled",
    "active_discovery_interval": 0,
    "remote_syslog": "",
    "maas_syslog_port": None,
    "promtail_enabled": False,
    "prometheus_enabled": False,
    "prometheus_push_gateway": "",
    "prometheus_push_interval": 0,
    "hardware_sync_interval": "",
    "session_length": 0,
    "tls_cert_expiration_notification_enabled": False,
    "tls_cert_expiration_notification_interval": 0,
    "vcenter_server": "",
    "vcenter_username": "",
    "vcenter_datacenter": "",
    "windows_kms_host": "",
    "auto_vlan_creation": False,
    "force_v1_network_yaml": False,
    "curtin_verbose": False,
    "subnet_ip_exhaustion_threshold_count": 0,
    "shared_secret": "",
    "default_min_hwe_kernel": "",
    "default_storage_layout": "blank",
    "kernel_opts": "",
    "http_proxy": None,
    "enable_http_proxy": False,
    "upstream_dns": "",
    "dnssec_validation": "no",
    "ntp_servers": "",
    "ntp_external_only": True,
    "enable_third_party_drivers": False,
    "enable_analytics": False,
    "release_notifications": False,
    "node_timeout": 30,
    "completed_intro": True,
    "theme": "",
    "uuid": "",
}
#: The settings of the default system.
_SYSTEM = ("default_osystem", "default_distro_series")
_NAME = Param("name", "Name of the setting.", required=True)


@maas.op("GET", "get_config", "Show a setting.", _NAME)
def get_config(call: Call) -> MaasResponse:
    """Return the bare value as JSON."""
    require_user(call.principal, "see settings")
    name = _name(call)
    if name == "node_timeout":
        return answer(int(call.ports.settings.commission_timeout_s // 60))
    return answer(_value(call, name))


@maas.op(
    "POST",
    "set_config",
    "Change a setting: hostloom's settings are in its configuration file.",
    _NAME,
    Param("value", "The value."),
)
def set_config(call: Call) -> MaasResponse:
    """Accept the current value and refuse others, with the reason."""
    require_user(call.principal, "see settings")
    name = _name(call)
    value = call.form.text("value") or ""
    current = _value(call, name)
    if value in ("", "None") and not current:
        return answer("OK")
    if value.lower() == str(current).lower():
        return answer("OK")
    raise refuse(409, f"hostloom does not set {name}: its settings are in its configuration file.")


def _value(call: Call, name: str) -> Any:
    """Read a setting. The default system is that of the image which `deploy` chooses without a name."""
    if name in _SYSTEM:
        with call.begin() as uow:
            images = newest_first(disk_images.list_(uow, call.principal))
        if images:
            return system_of(images[0])[_SYSTEM.index(name)]
    return _SETTINGS[name]


def _name(call: Call) -> str:
    name = call.form.required("name")
    if name not in _SETTINGS:
        raise bad_field("name", f"{name[:60]!r} is not a setting: expected one of {', '.join(_SETTINGS)}.")
    return name
