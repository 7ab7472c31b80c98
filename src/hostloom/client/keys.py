"""The names of the fields of the API's answers.

Made from docs/reference/openapi.json by tests/support/client_types.py: do not edit.
"""

from typing import Literal

AddressKey = Literal["ip", "kind", "subnet", "node", "system_id", "interface", "comment", "until"]
ApiKeyKey = Literal["id", "user", "name", "created_at"]
ChangeKey = Literal["kind", "subject", "recorded", "observed"]
CommissioningKey = Literal[
    "cores",
    "memory_mib",
    "architecture",
    "firmware",
    "cpu_model",
    "vendor",
    "product",
    "uuid",
    "serial",
    "disks",
    "nics",
    "uptime_s",
    "at",
    "differences",
]
DeployPlanKey = Literal[
    "machine",
    "host",
    "state",
    "image",
    "title",
    "image_size_bytes",
    "user",
    "ssh_keys",
    "wiped",
    "copy_pool",
    "is_copied",
    "reports",
]
DeploymentKey = Literal[
    "image",
    "image_sha256",
    "started_at",
    "user",
    "ssh_keys",
    "disk",
    "quick_erase",
    "step",
    "done_bytes",
    "total_bytes",
    "deadline",
    "reported_at",
    "finished_at",
    "host_keys",
    "failure",
    "boot_output",
]
DhcpMessageKey = Literal["at", "kind", "ip", "server", "vendor", "message", "interface"]
DiskKey = Literal["name", "pool", "volume", "size_bytes", "format"]
DomainKey = Literal["id", "name", "authoritative", "description", "generation"]
EventKey = Literal[
    "id",
    "kind",
    "severity",
    "subject",
    "subject_kind",
    "subject_key",
    "subject_name",
    "message",
    "at",
    "details",
]
EvidenceKey = Literal["check", "verdict", "wanted", "found", "how", "text"]
FabricKey = Literal["id", "name", "class_type", "description", "generation"]
FindingKey = Literal["part", "expected", "found"]
ForeignKey = Literal[
    "server", "mac", "first_offered", "last_offered", "seen_from", "first_seen_at", "last_seen_at"
]
FoundDiskKey = Literal["name", "size_bytes", "model", "serial", "rotational"]
FoundNicKey = Literal["name", "mac", "carrier", "link_speed", "driver", "dhcp", "neighbour"]
GroupKey = Literal["id", "name", "description", "generation"]
HostNetworkKey = Literal[
    "name",
    "active",
    "bridge",
    "forward",
    "dhcp",
    "vlan",
    "served",
    "isolated",
    "fails",
    "taken",
    "why_not",
    "choice",
    "text",
]
HostKey = Literal[
    "id",
    "name",
    "uri",
    "correlation",
    "installed_by",
    "default_macvlan_mode",
    "cores",
    "memory_mib",
    "cpu_over_commit_ratio",
    "memory_over_commit_ratio",
    "storage_pools",
    "libvirt_networks",
    "reachable",
    "unreachable_cause",
    "facts_at",
    "findings",
    "zone",
    "resource_pool",
    "tags",
    "host_key",
    "huge_pages_mib",
    "uuid",
    "origin",
    "architectures",
    "cores_offered",
    "cores_used",
    "memory_mib_offered",
    "memory_mib_used",
    "machines",
    "generation",
]
ImageFileKey = Literal["name", "size_bytes", "sha256"]
ImportChangeKey = Literal["action", "noun", "name", "their_id", "id", "differences", "remarks", "text"]
InterfaceKey = Literal[
    "id",
    "name",
    "kind",
    "mac",
    "vlan",
    "vlan_source",
    "addresses",
    "parents",
    "bridge_kind",
    "tag_vid",
    "enabled",
    "link",
    "mtu",
    "link_speed",
    "tags",
    "role",
    "master",
    "child_addresses",
]
KeptPlanKey = Literal[
    "id", "subject", "hosts", "created_at", "expires_at", "requested_by", "revision", "operation"
]
LeaseKey = Literal["ip", "mac", "hostname", "subnet", "machine", "nic", "expires_at"]
LibvirtNetworkKey = Literal["name", "active", "bridge", "dhcp", "forward"]
LosingKey = Literal["machine", "origin", "mac", "ip", "hostname", "expires_at"]
MachineKey = Literal[
    "system_id",
    "hostname",
    "uuid",
    "origin",
    "state",
    "host",
    "architecture",
    "cores",
    "memory_mib",
    "power",
    "interfaces",
    "disks",
    "netboot",
    "zone",
    "resource_pool",
    "tags",
    "owner",
    "locked",
    "autostart",
    "on_demand",
    "drift",
    "host_reachable",
    "network_boot",
    "commissioned_at",
    "image",
    "generation",
]
MappedNicKey = Literal["machine", "mac", "attach", "source", "vlan", "why_not"]
NicKey = Literal[
    "name", "mac", "vlan", "mode", "ips", "boot", "model", "attach", "source", "macvlan_mode", "ovs", "proof"
]
NodeKey = Literal[
    "system_id",
    "hostname",
    "kind",
    "interfaces",
    "zone",
    "resource_pool",
    "domain",
    "tags",
    "description",
    "scanned_at",
    "hosts",
    "generation",
]
OperationKey = Literal[
    "id",
    "saga",
    "state",
    "subject",
    "steps",
    "error",
    "error_code",
    "cancel_requested",
    "created_at",
    "finished_at",
    "requested_by",
    "finished",
]
PlannedKey = Literal[
    "host",
    "hostname",
    "image",
    "system_id",
    "uuid",
    "architecture",
    "cores",
    "memory_mib",
    "interfaces",
    "disks",
    "netboot",
    "start",
    "warnings",
    "domain_xml",
    "domain_xml_missing",
    "host_generation",
    "facts_at",
    "explanation",
    "text",
]
RackKey = Literal[
    "id",
    "name",
    "system_id",
    "control",
    "control6",
    "description",
    "node",
    "vlans",
    "standby_vlans",
    "generation",
]
RackStatusKey = Literal["trouble", "versions", "uptimes_s", "ha_state", "ha_partner_state"]
RangeKey = Literal["id", "subnet", "kind", "start", "end", "comment", "generation"]
ReconcilerKey = Literal["name", "every_s", "started_at", "duration_s", "runs", "failures", "error"]
SpaceKey = Literal["id", "name", "description", "vlans", "generation"]
SshKeyKey = Literal["id", "user", "name", "public_key", "fingerprint"]
StepKey = Literal[
    "name", "state", "error", "error_code", "started_at", "finished_at", "done_bytes", "total_bytes"
]
StoragePoolOfHostKey = Literal[
    "name", "kind", "total_bytes", "free_bytes", "is_default", "tags", "path", "active", "trouble", "host"
]
StoragePoolKey = Literal[
    "name", "kind", "total_bytes", "free_bytes", "is_default", "tags", "path", "active", "trouble"
]
SubnetKey = Literal[
    "id",
    "cidr",
    "vlan",
    "name",
    "gateway",
    "dns_servers",
    "ntp_servers",
    "lease_time_s",
    "managed",
    "description",
    "space",
    "generation",
]
SyncItemKey = Literal["image", "action", "operation_id"]
TagKey = Literal["id", "name", "description", "kernel_options", "generation"]
TokenKey = Literal["id", "user", "name", "created_at"]
UserKey = Literal["id", "name", "admin", "generation"]
VlanKey = Literal[
    "id",
    "fabric",
    "vid",
    "name",
    "mtu",
    "dhcp",
    "relay",
    "space",
    "primary_rack",
    "secondary_rack",
    "description",
    "key",
    "racks",
    "bootable",
    "foreign_dhcp",
    "generation",
]
