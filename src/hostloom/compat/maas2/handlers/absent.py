"""Resources of MAAS that hostloom does not have: lists are empty, and a refused change states the reason."""

from dataclasses import dataclass

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import MaasResponse, answer, not_found, refuse
from hostloom.services import nodes
from hostloom.services.access import require_admin, require_user

ANY = Param("*", "Any parameter; the request is always refused, with the reason.")


@dataclass(frozen=True)
class _Absent:
    """A resource without members: the names and paths of the list and of a member, and the reason."""

    collection: str
    path: str
    member: str
    member_path: str
    label: str
    reason: str
    #: Operations: reads of the list, changes of the list, and changes of a member.
    reads: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    member_changes: tuple[str, ...] = ()


_DNS = "hostloom serves no DNS: create records on the DNS server of the domain."
_DHCP = (
    "hostloom writes the whole configuration of its DHCP servers. NTP servers, DNS servers, the gateway and "
    "the lease time are settings of the subnet; snippets are not supported."
)
_SEEN = (
    "hostloom does not scan networks for devices; `hostloom vlan probe` shows which DHCP servers a VLAN has."
)
_SCRIPTS = "hostloom does not run users' scripts on machines."
_NOTIFICATIONS = "hostloom has no notifications: read `events` instead."
_LICENSES = "hostloom installs images as they are, so it stores no licenses."
_PACKAGES = "hostloom configures no package repositories: the image or the user-data does."
_RESERVED = (
    "hostloom reserves an address for its NIC: link the interface of a device or machine to the subnet with "
    "mode `static`, or reserve the address with op `reserve` of `ipaddresses`."
)
_INSTALLATIONS = (
    "hostloom keeps no such results: the status message of a machine says why a deployment failed."
)
_IMAGES = (
    "hostloom imports images without boot sources (`hostloom image import`, `image sync` or `image build`)."
)
_INSIDE = "hostloom does not configure the systems inside machines."
_FILES = "hostloom stores no files for users."
_TLS = "hostloom stores no certificates for users."
_NODE = "nodes/{system_id}/"

ABSENT = (
    _Absent(
        "DNSResourceRecords",
        "dnsresourcerecords/",
        "DNSResourceRecord",
        "dnsresourcerecords/{id}/",
        "DNS record",
        _DNS,
    ),
    _Absent(
        "DHCPSnippets",
        "dhcp-snippets/",
        "DHCPSnippet",
        "dhcp-snippets/{id}/",
        "DHCP snippet",
        _DHCP,
        member_changes=("revert",),
    ),
    _Absent(
        "Discoveries",
        "discovery/",
        "Discovery",
        "discovery/{discovery_id}/",
        "discovered device",
        _SEEN,
        ("by_unknown_mac", "by_unknown_ip", "by_unknown_ip_and_mac"),
        ("scan", "clear", "clear_by_mac_and_ip"),
    ),
    _Absent(
        "NodeScripts",
        "scripts/",
        "NodeScript",
        "scripts/{name}/",
        "script",
        _SCRIPTS,
        member_changes=("add_tag", "remove_tag", "revert"),
    ),
    _Absent(
        "CommissioningScripts",
        "commissioning-scripts/",
        "CommissioningScript",
        "commissioning-scripts/{name}/",
        "script",
        _SCRIPTS,
    ),
    _Absent(
        "NodeScriptResults",
        f"{_NODE}results/",
        "NodeScriptResult",
        f"{_NODE}results/{{id}}/",
        "script result",
        _SCRIPTS,
    ),
    _Absent(
        "NodeResults",
        "installation-results/",
        "NodeResult",
        "installation-results/{id}/",
        "installation result",
        _INSTALLATIONS,
    ),
    _Absent(
        "Notifications",
        "notifications/",
        "Notification",
        "notifications/{id}/",
        "notification",
        _NOTIFICATIONS,
        member_changes=("dismiss",),
    ),
    _Absent(
        "LicenseKeys",
        "license-keys/",
        "LicenseKey",
        "license-key/{osystem}/{distro_series}/",
        "license key",
        _LICENSES,
    ),
    _Absent(
        "PackageRepositories",
        "package-repositories/",
        "PackageRepository",
        "package-repositories/{id}/",
        "package repository",
        _PACKAGES,
    ),
    _Absent("ReservedIps", "reservedips/", "ReservedIp", "reservedips/{id}/", "reserved IP", _RESERVED),
    _Absent("BootSources", "boot-sources/", "BootSource", "boot-sources/{id}/", "boot source", _IMAGES),
    _Absent(
        "BootSourceSelections",
        "boot-sources/{boot_source_id}/selections/",
        "BootSourceSelection",
        "boot-sources/{boot_source_id}/selections/{id}/",
        "boot source selection",
        _IMAGES,
    ),
    _Absent("Files", "files/", "File", "files/{filename}/", "file", _FILES),
    _Absent("SSLKeys", "account/prefs/sslkeys/", "SSLKey", "account/prefs/sslkeys/{id}/", "SSL key", _TLS),
    _Absent(
        "NodeDevices", f"{_NODE}devices/", "NodeDevice", f"{_NODE}devices/{{id}}/", "hardware device", _INSIDE
    ),
    _Absent(
        "Partitions",
        f"{_NODE}blockdevices/{{device_id}}/partitions/",
        "Partition",
        f"{_NODE}blockdevices/{{device_id}}/partition/{{id}}/",
        "partition",
        _INSIDE,
        member_changes=("format", "unformat", "mount", "unmount", "add_tag", "remove_tag"),
    ),
    _Absent(
        "VolumeGroups",
        f"{_NODE}volume-groups/",
        "VolumeGroup",
        f"{_NODE}volume-group/{{id}}/",
        "volume group",
        _INSIDE,
    ),
    _Absent("Raids", f"{_NODE}raids/", "Raid", f"{_NODE}raid/{{id}}/", "RAID", _INSIDE),
    _Absent("Bcaches", f"{_NODE}bcaches/", "Bcache", f"{_NODE}bcache/{{id}}/", "bcache", _INSIDE),
    _Absent(
        "BcacheCacheSets",
        f"{_NODE}bcache-cache-sets/",
        "BcacheCacheSet",
        f"{_NODE}bcache-cache-set/{{id}}/",
        "bcache cache set",
        _INSIDE,
    ),
    _Absent(
        "VmfsDatastores",
        f"{_NODE}vmfs-datastores/",
        "VmfsDatastore",
        f"{_NODE}vmfs-datastore/{{id}}/",
        "VMFS datastore",
        _INSIDE,
    ),
)


def _offer(noun: _Absent) -> tuple[Resource, Resource]:
    collection = Resource(
        noun.collection, noun.path, f"Read {noun.label}s: the list is always empty. {noun.reason}"
    )
    member = Resource(noun.member, noun.member_path, f"Read a {noun.label}: none exists. {noun.reason}")

    def read(call: Call) -> MaasResponse:
        _check_node(call)
        return answer([])

    def refuse_change(call: Call) -> MaasResponse:
        require_admin(call.principal, f"change {noun.label}s")
        _check_node(call)
        raise refuse(409, noun.reason)

    def find_none(call: Call) -> MaasResponse:
        _check_node(call)
        raise refuse(404, f"No {noun.member} matches the given query. {noun.reason}")

    collection.crud("read", f"List {noun.label}s: the list is always empty.")(read)
    collection.crud("create", f"Create a {noun.label}: hostloom does not support this.", ANY)(refuse_change)
    for name in noun.reads:
        collection.op("GET", name, f"List {noun.label}s: the list is always empty.")(read)
    for name in noun.changes:
        collection.op("POST", name, "hostloom does not support this.", ANY)(refuse_change)
    for name in ("read", "update", "delete"):
        member.crud(name, f"There is no {noun.label}.", *([ANY] if name == "update" else []))(find_none)
    for name in noun.member_changes:
        member.op("POST", name, f"There is no {noun.label}.", ANY)(find_none)
    return collection, member


def _check_node(call: Call) -> None:
    """Raise 404 if the path names an unknown node."""
    key = call.places.get("system_id")
    if key is None:
        require_user(call.principal, "see this")
        return
    with call.begin() as uow:
        if nodes.get(uow, call.principal, key).system_id != key:
            raise not_found("Node")


RESOURCES = tuple(resource for noun in ABSENT for resource in _offer(noun))
