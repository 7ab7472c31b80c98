"""The API's answers as types.

Made from docs/reference/openapi.json by tests/support/client_types.py: do not edit.
"""

from typing import Any, Literal, TypedDict

AddressKind = Literal["auto", "static", "observed", "reserved", "lease", "on-wire"]

AddressMode = Literal["auto", "dhcp", "unconfigured"]

AttachKind = Literal["bridge", "macvlan", "network", "other"]

BootAction = Literal["commission", "enlist", "local", "rescue", "deploy"]

BootMode = Literal["bios", "uefi"]

BootReason = Literal[
    "asked",
    "never-commissioned",
    "commissioning",
    "new",
    "adopted",
    "not-deployed",
    "settled",
    "idle",
    "other-node",
    "unknown",
    "enlisting-off",
]

BridgeKind = Literal["standard", "ovs"]

Check = Literal["attachment", "carrier", "address", "duplicate", "gateway", "mtu"]

CorrelationEvidence = Literal["operator", "address", "mac", "uuid", "adopted", "local", "none"]

CorrelationState = Literal["correlated", "unknown", "ambiguous"]

DeployStep = Literal[
    "image", "clone", "seed", "power", "write", "erase", "verify", "network", "boot", "phone-home", "register"
]

DhcpMode = Literal["on", "off", "relay"]

DifferenceCode = Literal[
    "cores",
    "memory",
    "architecture",
    "disk-missing",
    "disk-unexpected",
    "disk-size",
    "nic-missing",
    "nic-unexpected",
    "no-carrier",
    "no-lease",
    "address",
]

DiskFormat = Literal["raw", "qcow2"]

EventKind = Literal[
    "host-added",
    "host-lost",
    "host-back",
    "host-key-trusted",
    "host-match-gained",
    "host-match-lost",
    "host-match-ambiguous",
    "host-match-unknown",
    "host-uuid-changed",
    "host-uuid-shared",
    "host-part-unreadable",
    "host-part-readable",
    "network-fixed",
    "drift",
    "drift-ended",
    "machine-composed",
    "machine-refused",
    "machine-decomposed",
    "machine-adopted",
    "machine-cloned",
    "machine-uuid-shared",
    "machine-missing",
    "machine-found",
    "machine-moved",
    "machine-not-found",
    "machine-forgotten",
    "machine-on",
    "machine-off",
    "machine-power-changed",
    "machine-power-by-hand",
    "machine-up",
    "machine-allocated",
    "machine-released",
    "machine-locked",
    "machine-unlocked",
    "machine-broken",
    "machine-fixed",
    "nic-removed",
    "machine-enlisted",
    "machine-commissioning",
    "machine-commissioned",
    "machine-differs",
    "commissioning-failed",
    "machine-deploying",
    "deploy-option-ignored",
    "machine-deployed",
    "deployment-failed",
    "node-reported",
    "image-built",
    "image-imported",
    "image-deleted",
    "wire-check-failed",
    "wire-check-passed",
    "address-on-wire",
    "address-on-wire-over",
    "dhcp-up",
    "dhcp-down",
    "dhcp-rejected",
    "lease-given",
    "lease-over",
    "address-conflict",
    "range-exhausted",
    "range-free",
    "foreign-dhcp",
    "foreign-dhcp-gone",
    "ssh-key-added",
    "ssh-key-deleted",
    "imported",
    "login-throttled",
]

EventSubjectKind = Literal[
    "host", "machine", "node", "rack", "vlan", "subnet", "address", "lease", "image", "user", "world"
]

ExchangeEnd = Literal[
    "acknowledged",
    "acknowledged-by-other",
    "chose-other",
    "refused",
    "declined",
    "released",
    "no-offer",
    "gave-up",
    "no-answer",
    "never-asked",
]

FixCode = Literal[
    "host-not-known",
    "host-ambiguous",
    "network-missing",
    "network-inactive",
    "network-without-bridge",
    "bridge-not-known",
    "bridge-unfit",
    "not-a-bridge",
    "bridge-of-libvirt",
    "no-vlan",
    "no-rack-on-host",
    "no-rack-on-vlan",
    "network-exists",
    "no-served-bridge",
    "nothing-to-fix",
]

FixStepKind = Literal["libvirt-dhcp-off", "serve-vlan", "make-network"]

Flavour = Literal["virtual", "generic"]

Forward = Literal["nat", "route", "bridge", "other"]

ImportAction = Literal["create", "change", "same", "conflict", "impossible"]

ImportCode = Literal[
    "renamed",
    "other-id",
    "gives-way",
    "takes-id",
    "keeps-id",
    "kept",
    "differs",
    "moved",
    "other-vlan",
    "overlaps",
    "range-refused",
    "without-parent",
    "held",
    "known-as",
    "system-id-taken",
    "gateway",
    "host-kind",
    "host-uri",
    "host-local",
    "host-password",
]

ImportNoun = Literal[
    "zone",
    "resource-pool",
    "domain",
    "tag",
    "space",
    "fabric",
    "vlan",
    "subnet",
    "range",
    "node",
    "machine",
    "address",
    "host",
]

InstalledBy = Literal["hostloom", "manual", "unknown"]

InterfaceKind = Literal["physical", "bond", "bridge", "vlan", "loopback"]

InterfaceRole = Literal[
    "ordinary", "container-bridge", "dsa-conduit", "wireless", "infiniband", "ovs-unreadable"
]

IpmiPrivilege = Literal["user", "operator", "administrator"]

MachineOrigin = Literal["composed", "adopted", "enlisted"]

MachineState = Literal[
    "new",
    "commissioning",
    "failed-commissioning",
    "ready",
    "allocated",
    "deploying",
    "deployed",
    "failed-deployment",
    "releasing",
    "broken",
    "missing",
]

MacvlanMode = Literal["private", "vepa", "bridge", "passthru"]

MessageKind = Literal[
    "discover",
    "offer",
    "request",
    "ack",
    "nak",
    "decline",
    "release",
    "inform",
    "solicit",
    "advertise",
    "request6",
    "confirm",
    "renew",
    "rebind",
    "reply",
    "release6",
    "decline6",
    "information-request",
]

NodeKind = Literal["machine", "device", "rack_controller", "region_controller", "region_and_rack_controller"]

OperationState = Literal["pending", "running", "unwinding", "succeeded", "failed", "cancelled", "stuck"]

OriginCase = Literal["deployed", "known-node", "controller", "adopted", "no-node"]

PowerKind = Literal["libvirt", "ipmi", "redfish", "manual"]

PowerState = Literal["on", "off", "unknown"]

RangeKind = Literal["dynamic", "reserved"]

Severity = Literal["info", "warning", "error"]

Silence = Literal["not-served", "no-address", "range-exhausted", "server-silent"]

StepState = Literal["pending", "running", "done", "failed", "undoing", "undone", "undo-failed"]

SyncAction = Literal["import", "replace", "keep", "skip", "wait"]

Verdict = Literal["passed", "not-applicable", "unknown", "failed"]

VlanSource = Literal["operator", "subnet", "parent", "port", "master", "none"]


class About(TypedDict):
    """`AboutOut` of the document."""

    version: "str"
    user: "str"
    admin: "bool"


class Address(TypedDict):
    """`AddressOut` of the document."""

    ip: "str"
    kind: "AddressKind"
    subnet: "str | None"
    node: "str | None"
    system_id: "str | None"
    interface: "str | None"
    comment: "str"
    until: "float | None"


class Adoption(TypedDict):
    """`AdoptionOut` of the document."""

    host: "str"
    origin: "HostOrigin"
    nics: "list[MappedNic]"
    unmapped: "int"


class ApiKey(TypedDict):
    """`ApiKeyOut` of the document."""

    id: "str"
    user: "str"
    name: "str"
    created_at: "float"


class Change(TypedDict):
    """`ChangeOut` of the document."""

    kind: "str"
    subject: "str"
    recorded: "str"
    observed: "str"


class Commissioning(TypedDict):
    """`CommissioningOut` of the document."""

    cores: "int"
    memory_mib: "int"
    architecture: "str"
    firmware: "str"
    cpu_model: "str"
    vendor: "str"
    product: "str"
    uuid: "str"
    serial: "str"
    disks: "list[FoundDisk]"
    nics: "list[FoundNic]"
    uptime_s: "float"
    at: "float"
    differences: "list[Difference]"


class Composing(TypedDict):
    """`ComposingOut` of the document."""

    id: "str"
    saga: "str"
    state: "OperationState"
    subject: "str"
    steps: "list[Step]"
    error: "str"
    error_code: "str"
    cancel_requested: "bool"
    created_at: "float"
    finished_at: "float | None"
    requested_by: "str"
    finished: "bool"
    machines: "list[str]"


class Condition(TypedDict):
    """`ConditionOut` of the document."""

    code: "str"
    wanted: "str"
    found: "str"


class Console(TypedDict):
    """`ConsoleOut` of the document."""

    log: "str"


class Correlation(TypedDict):
    """`CorrelationOut` of the document."""

    state: "CorrelationState"
    system_id: "str | None"
    evidence: "CorrelationEvidence"
    matched: "str"
    candidates: "list[str]"
    node: "str | None"


class Decision(TypedDict):
    """`DecisionOut` of the document."""

    id: "str | None"
    created_at: "float"
    expires_at: "float | None"
    revision: "int | None"
    plan: "Plan | None"
    dhcp: "list[Dhcp]"
    explanation: "dict[str, Any]"
    text: "list[str]"
    summary: "str"
    hint: "str"


class DeployPlan(TypedDict):
    """`DeployPlanOut` of the document."""

    machine: "str"
    host: "str"
    state: "str"
    image: "str"
    title: "str"
    image_size_bytes: "int"
    user: "str"
    ssh_keys: "int"
    wiped: "WipedDisk"
    copy_pool: "str"
    is_copied: "bool"
    reports: "bool"


class Deployment(TypedDict):
    """`DeploymentOut` of the document."""

    image: "str"
    image_sha256: "str"
    started_at: "float"
    user: "str"
    ssh_keys: "list[str]"
    disk: "str"
    quick_erase: "bool"
    step: "DeployStep"
    done_bytes: "int"
    total_bytes: "int"
    deadline: "float | None"
    reported_at: "float | None"
    finished_at: "float | None"
    host_keys: "list[str]"
    failure: "str"
    boot_output: "str"


class DhcpFacts(TypedDict):
    """`DhcpFactsOut` of the document."""

    ip: "str"
    server: "str | None"
    gateway: "str | None"
    lease_time_s: "int | None"


class DhcpMessage(TypedDict):
    """`DhcpMessageOut` of the document."""

    at: "float"
    kind: "MessageKind"
    ip: "str | None"
    server: "str | None"
    vendor: "str"
    message: "str"
    interface: "str"


class Dhcp(TypedDict):
    """`DhcpOut` of the document."""

    subnet: "str"
    mac: "str"
    ip: "str"
    hostname: "str"


class DhcpTimeline(TypedDict):
    """`DhcpTimelineOut` of the document."""

    items: "list[NicDhcp]"


class Difference(TypedDict):
    """`DifferenceOut` of the document."""

    code: "DifferenceCode"
    subject: "str"
    wanted: "str"
    found: "str"
    text: "str"


class DiskImage(TypedDict):
    """`DiskImageOut` of the document."""

    id: "int"
    name: "str"
    sha256: "str"
    virtual_size_bytes: "int"
    size_bytes: "int"
    stream_sha256: "str"
    stream_size_bytes: "int"
    imported_at: "float"
    title: "str"
    os: "str"
    release: "str"
    codename: "str"
    architecture: "str"
    boot_modes: "list[BootMode]"
    has_cloud_init: "bool | None"
    has_kvm: "bool | None"
    default_user: "str"
    source: "str"
    source_sha256: "str"
    warnings: "list[str]"
    generation: "int"


class Disk(TypedDict):
    """`DiskOut` of the document."""

    name: "str"
    pool: "str"
    volume: "str"
    size_bytes: "int"
    format: "DiskFormat"


class Domain(TypedDict):
    """`DomainOut` of the document."""

    id: "int"
    name: "str"
    authoritative: "bool"
    description: "str"
    generation: "int"


class Drift(TypedDict):
    """`DriftOut` of the document."""

    kind: "str"
    subject: "str"
    recorded: "str"
    observed: "str"
    text: "str"


class Event(TypedDict):
    """`EventOut` of the document."""

    id: "int"
    kind: "EventKind"
    severity: "Severity"
    subject: "str"
    subject_kind: "EventSubjectKind"
    subject_key: "str"
    subject_name: "str"
    message: "str"
    at: "float"
    details: "dict[str, Any]"


class Evidence(TypedDict):
    """`EvidenceOut` of the document."""

    check: "Check"
    verdict: "Verdict"
    wanted: "str"
    found: "str"
    how: "str"
    text: "str"


class Exchange(TypedDict):
    """`ExchangeOut` of the document."""

    end: "ExchangeEnd"
    silence: "Silence | None"
    text: "str"
    ip: "str | None"
    reserved: "str | None"
    server: "str | None"
    messages: "list[DhcpMessage]"


class Fabric(TypedDict):
    """`FabricOut` of the document."""

    id: "int"
    name: "str"
    class_type: "str | None"
    description: "str"
    generation: "int"


class Finding(TypedDict):
    """`FindingOut` of the document."""

    part: "str"
    expected: "str"
    found: "str"


class Fix(TypedDict):
    """`FixOut` of the document."""

    host: "str"
    network: "str"
    steps: "list[FixStep]"
    refusals: "list[FixRefusal]"
    losing: "list[Losing]"
    leases_unread: "str"
    offer: "str"
    text: "list[str]"


class FixRefusal(TypedDict):
    """`FixRefusalOut` of the document."""

    code: "FixCode"
    subject: "str"
    found: "str"
    text: "str"


class FixStep(TypedDict):
    """`FixStepOut` of the document."""

    kind: "FixStepKind"
    subject: "str"
    value: "str"
    text: "str"


class Foreign(TypedDict):
    """`ForeignOut` of the document."""

    server: "str"
    mac: "str"
    first_offered: "str | None"
    last_offered: "str | None"
    seen_from: "str"
    first_seen_at: "float"
    last_seen_at: "float"


class FoundDisk(TypedDict):
    """`FoundDiskOut` of the document."""

    name: "str"
    size_bytes: "int"
    model: "str"
    serial: "str"
    rotational: "bool"


class FoundNic(TypedDict):
    """`FoundNicOut` of the document."""

    name: "str"
    mac: "str"
    carrier: "bool"
    link_speed: "int"
    driver: "str"
    dhcp: "DhcpFacts | None"
    neighbour: "Neighbour | None"


class Group(TypedDict):
    """`GroupOut` of the document."""

    id: "int"
    name: "str"
    description: "str"
    generation: "int"


class HostNetwork(TypedDict):
    """`HostNetworkOut` of the document."""

    name: "str"
    active: "bool"
    bridge: "str | None"
    forward: "Forward | None"
    dhcp: "bool"
    vlan: "str | None"
    served: "bool"
    isolated: "bool"
    fails: "list[Condition]"
    taken: "bool"
    why_not: "str | None"
    choice: "str"
    text: "list[str]"


class HostNetworks(TypedDict):
    """`HostNetworksOut` of the document."""

    host: "str"
    takes: "str | None"
    attach: "str | None"
    boots: "bool"
    networks: "list[HostNetwork]"


class HostOrigin(TypedDict):
    """`HostOriginOut` of the document."""

    case: "OriginCase"
    text: "str"
    attaching: "str"


class Host(TypedDict):
    """`HostOut` of the document."""

    id: "int"
    name: "str"
    uri: "str"
    correlation: "Correlation"
    installed_by: "InstalledBy"
    default_macvlan_mode: "MacvlanMode | None"
    cores: "int"
    memory_mib: "int"
    cpu_over_commit_ratio: "float"
    memory_over_commit_ratio: "float"
    storage_pools: "list[StoragePool]"
    libvirt_networks: "list[LibvirtNetwork]"
    reachable: "bool"
    unreachable_cause: "str"
    facts_at: "float | None"
    findings: "list[Finding]"
    zone: "str"
    resource_pool: "str"
    tags: "list[str]"
    host_key: "str"
    huge_pages_mib: "int"
    uuid: "str"
    origin: "HostOrigin"
    architectures: "list[str]"
    cores_offered: "int"
    cores_used: "int"
    memory_mib_offered: "int"
    memory_mib_used: "int"
    machines: "int"
    generation: "int"


class HostToAdd(TypedDict):
    """`HostToAddOut` of the document."""

    id: "int"
    name: "str"
    uri: "str"
    default_macvlan_mode: "MacvlanMode | None"
    cpu_over_commit_ratio: "float"
    memory_over_commit_ratio: "float"
    zone: "str"
    resource_pool: "str"
    tags: "list[str]"


class ImageFile(TypedDict):
    """`ImageFileOut` of the document."""

    name: "str"
    size_bytes: "int"
    sha256: "str"


class Image(TypedDict):
    """`ImageOut` of the document."""

    name: "str"
    flavour: "Flavour"
    kernel_version: "str"
    architecture: "str"
    built_at: "float"
    files: "list[ImageFile]"


class ImportChange(TypedDict):
    """`ImportChangeOut` of the document."""

    action: "ImportAction"
    noun: "ImportNoun"
    name: "str"
    their_id: "str"
    id: "str"
    differences: "list[Setting]"
    remarks: "list[Remark]"
    text: "str"


class Import(TypedDict):
    """`ImportOut` of the document."""

    source: "str"
    counts: "dict[str, int]"
    changes: "list[ImportChange]"
    hosts: "list[HostToAdd]"
    unserved: "list[str]"
    next_steps: "list[str]"
    notes: "list[str]"


class ImportResult(TypedDict):
    """`ImportResultOut` of the document."""

    operation: "Operation"
    source: "str"
    counts: "dict[str, int]"
    changes: "list[ImportChange]"
    hosts: "list[ImportedHost]"
    hosts_added: "list[str]"
    vlans_served: "list[str]"
    unserved: "list[str]"
    next_steps: "list[str]"
    notes: "list[str]"


class ImportedHost(TypedDict):
    """`ImportedHostOut` of the document."""

    name: "str"
    operation_id: "str | None"
    state: "OperationState | None"
    error: "str"
    error_code: "str"
    fingerprint: "str | None"


class Interface(TypedDict):
    """`InterfaceOut` of the document."""

    id: "int"
    name: "str"
    kind: "InterfaceKind"
    mac: "str | None"
    vlan: "str | None"
    vlan_source: "VlanSource"
    addresses: "list[str]"
    parents: "list[str]"
    bridge_kind: "BridgeKind | None"
    tag_vid: "int | None"
    enabled: "bool"
    link: "bool"
    mtu: "int"
    link_speed: "int"
    tags: "list[str]"
    role: "InterfaceRole"
    master: "str"
    child_addresses: "list[str]"


class KeptPlan(TypedDict):
    """`KeptPlanOut` of the document."""

    id: "str"
    subject: "str"
    hosts: "list[str]"
    created_at: "float"
    expires_at: "float"
    requested_by: "str"
    revision: "int"
    operation: "str | None"


class Lease(TypedDict):
    """`LeaseOut` of the document."""

    ip: "str"
    mac: "str"
    hostname: "str"
    subnet: "str | None"
    machine: "str | None"
    nic: "str | None"
    expires_at: "float"


class Leases(TypedDict):
    """`LeasesOut` of the document."""

    items: "list[Lease]"


class LibvirtNetwork(TypedDict):
    """`LibvirtNetworkOut` of the document."""

    name: "str"
    active: "bool"
    bridge: "str | None"
    dhcp: "bool"
    forward: "Forward | None"


class Losing(TypedDict):
    """`LosingOut` of the document."""

    machine: "str | None"
    origin: "str | None"
    mac: "str | None"
    ip: "str | None"
    hostname: "str | None"
    expires_at: "float | None"


class MachineDetail(TypedDict):
    """`MachineDetailOut` of the document."""

    system_id: "str"
    hostname: "str"
    uuid: "str"
    origin: "MachineOrigin"
    state: "MachineState"
    host: "str | None"
    architecture: "str"
    cores: "int"
    memory_mib: "int"
    power: "PowerState"
    interfaces: "list[Nic]"
    disks: "list[Disk]"
    netboot: "bool"
    zone: "str"
    resource_pool: "str"
    tags: "list[str]"
    owner: "str"
    locked: "bool"
    autostart: "bool"
    on_demand: "bool"
    drift: "list[Drift]"
    host_reachable: "bool"
    network_boot: "NetworkBoot"
    commissioned_at: "float | None"
    image: "str | None"
    generation: "int"
    commissioning: "Commissioning | None"
    deployment: "Deployment | None"


class Machine(TypedDict):
    """`MachineOut` of the document."""

    system_id: "str"
    hostname: "str"
    uuid: "str"
    origin: "MachineOrigin"
    state: "MachineState"
    host: "str | None"
    architecture: "str"
    cores: "int"
    memory_mib: "int"
    power: "PowerState"
    interfaces: "list[Nic]"
    disks: "list[Disk]"
    netboot: "bool"
    zone: "str"
    resource_pool: "str"
    tags: "list[str]"
    owner: "str"
    locked: "bool"
    autostart: "bool"
    on_demand: "bool"
    drift: "list[Drift]"
    host_reachable: "bool"
    network_boot: "NetworkBoot"
    commissioned_at: "float | None"
    image: "str | None"
    generation: "int"


class MappedNic(TypedDict):
    """`MappedNicOut` of the document."""

    machine: "str"
    mac: "str"
    attach: "AttachKind"
    source: "str"
    vlan: "str | None"
    why_not: "str"


class MirrorImage(TypedDict):
    """`MirrorImageOut` of the document."""

    os: "str"
    release: "str"
    codename: "str"
    architecture: "str"
    variant: "str"
    version: "str"
    url: "str"
    sha256: "str"
    size_bytes: "int"
    title: "str"
    name: "str"


class Neighbour(TypedDict):
    """`NeighbourOut` of the document."""

    chassis: "str"
    port: "str"
    system_name: "str"
    vid: "int | None"


class NetworkBoot(TypedDict):
    """`NetworkBootOut` of the document."""

    action: "BootAction"
    reason: "BootReason"
    asked: "BootAction | None"
    text: "str"


class NewApiKey(TypedDict):
    """`NewApiKeyOut` of the document."""

    id: "str"
    user: "str"
    name: "str"
    created_at: "float"
    text: "str | None"


class NewToken(TypedDict):
    """`NewTokenOut` of the document."""

    id: "str"
    user: "str"
    name: "str"
    created_at: "float"
    text: "str | None"


class NicDhcp(TypedDict):
    """`NicDhcpOut` of the document."""

    nic: "str"
    exchanges: "list[Exchange]"


class Nic(TypedDict):
    """`NicOut` of the document."""

    name: "str"
    mac: "str"
    vlan: "str | None"
    mode: "AddressMode"
    ips: "list[str]"
    boot: "bool"
    model: "str"
    attach: "AttachKind"
    source: "str"
    macvlan_mode: "MacvlanMode | None"
    ovs: "bool"
    proof: "NicProof | None"


class NicProof(TypedDict):
    """`NicProofOut` of the document."""

    at: "float"
    evidence: "list[Evidence]"
    verdict: "Verdict"


class Node(TypedDict):
    """`NodeOut` of the document."""

    system_id: "str"
    hostname: "str"
    kind: "NodeKind"
    interfaces: "list[Interface]"
    zone: "str"
    resource_pool: "str"
    domain: "str"
    tags: "list[str]"
    description: "str"
    scanned_at: "float | None"
    hosts: "list[str]"
    generation: "int"


class Operation(TypedDict):
    """`OperationOut` of the document."""

    id: "str"
    saga: "str"
    state: "OperationState"
    subject: "str"
    steps: "list[Step]"
    error: "str"
    error_code: "str"
    cancel_requested: "bool"
    created_at: "float"
    finished_at: "float | None"
    requested_by: "str"
    finished: "bool"


class PlanDetail(TypedDict):
    """`PlanDetailOut` of the document."""

    id: "str"
    subject: "str"
    hosts: "list[str]"
    created_at: "float"
    expires_at: "float"
    requested_by: "str"
    revision: "int"
    operation: "str | None"
    machines: "list[Planned]"
    dhcp: "list[Dhcp]"


class Plan(TypedDict):
    """`PlanOut` of the document."""

    host: "str"
    hostname: "str"
    image: "PlannedImage | None"
    system_id: "str"
    uuid: "str"
    architecture: "str"
    cores: "int"
    memory_mib: "int"
    interfaces: "list[Nic]"
    disks: "list[Disk]"
    netboot: "bool"
    start: "bool"
    warnings: "list[WarningAnswer]"
    domain_xml: "str | None"
    domain_xml_missing: "str"
    host_generation: "int"
    facts_at: "float | None"


class PlannedImage(TypedDict):
    """`PlannedImageOut` of the document."""

    name: "str"
    user: "str"
    ssh_keys: "int"
    size_bytes: "int"
    copy_pool: "str"
    is_copied: "bool"


class Planned(TypedDict):
    """`PlannedOut` of the document."""

    host: "str"
    hostname: "str"
    image: "PlannedImage | None"
    system_id: "str"
    uuid: "str"
    architecture: "str"
    cores: "int"
    memory_mib: "int"
    interfaces: "list[Nic]"
    disks: "list[Disk]"
    netboot: "bool"
    start: "bool"
    warnings: "list[WarningAnswer]"
    domain_xml: "str | None"
    domain_xml_missing: "str"
    host_generation: "int"
    facts_at: "float | None"
    explanation: "dict[str, Any]"
    text: "list[str]"


class PowerCheck(TypedDict):
    """`PowerCheckOut` of the document."""

    power: "PowerState"


class Power(TypedDict):
    """`PowerOut` of the document."""

    power: "PowerState"


class PowerSettings(TypedDict):
    """`PowerSettingsOut` of the document."""

    kind: "PowerKind"
    address: "str"
    port: "int | None"
    user: "str"
    has_password: "bool"
    power_id: "str"
    privilege: "IpmiPrivilege"
    cipher_suite: "int | None"
    verify_tls: "bool"
    boot_mode: "BootMode | None"


class Probe(TypedDict):
    """`ProbeOut` of the document."""

    vlan: "str"
    at: "float | None"
    seen_from: "str"
    ours_answered: "bool | None"
    trouble: "str"
    foreign: "list[Foreign]"


class Rack(TypedDict):
    """`RackOut` of the document."""

    id: "int"
    name: "str"
    system_id: "str"
    control: "str"
    control6: "str"
    description: "str"
    node: "str | None"
    vlans: "list[str]"
    standby_vlans: "list[str]"
    generation: "int"


class RackStatus(TypedDict):
    """`RackStatusOut` of the document."""

    trouble: "str"
    versions: "dict[str, str]"
    uptimes_s: "dict[str, float]"
    ha_state: "str"
    ha_partner_state: "str"


class Range(TypedDict):
    """`RangeOut` of the document."""

    id: "int"
    subnet: "str"
    kind: "RangeKind"
    start: "str"
    end: "str"
    comment: "str"
    generation: "int"


class Reconciler(TypedDict):
    """`ReconcilerOut` of the document."""

    name: "str"
    every_s: "float"
    started_at: "float | None"
    duration_s: "float | None"
    runs: "int"
    failures: "int"
    error: "str"


class Release(TypedDict):
    """`ReleaseOut` of the document."""

    machine: "Machine"
    operation: "Operation | None"


class Remark(TypedDict):
    """`RemarkOut` of the document."""

    code: "ImportCode"
    found: "str"


class Scan(TypedDict):
    """`ScanOut` of the document."""

    host: "str"
    node: "str | None"
    changes: "list[Change]"


class Setting(TypedDict):
    """`SettingOut` of the document."""

    field: "str"
    ours: "str"
    theirs: "str"


class Space(TypedDict):
    """`SpaceOut` of the document."""

    id: "int"
    name: "str"
    description: "str"
    vlans: "list[str]"
    generation: "int"


class SshKey(TypedDict):
    """`SshKeyOut` of the document."""

    id: "int"
    user: "str"
    name: "str"
    public_key: "str"
    fingerprint: "str"


class Step(TypedDict):
    """`StepOut` of the document."""

    name: "str"
    state: "StepState"
    error: "str"
    error_code: "str"
    started_at: "float | None"
    finished_at: "float | None"
    done_bytes: "int | None"
    total_bytes: "int | None"


class StoragePoolOfHost(TypedDict):
    """`StoragePoolOfHostOut` of the document."""

    name: "str"
    kind: "str"
    total_bytes: "int"
    free_bytes: "int"
    is_default: "bool"
    tags: "list[str]"
    path: "str"
    active: "bool"
    trouble: "str"
    host: "str"


class StoragePool(TypedDict):
    """`StoragePoolOut` of the document."""

    name: "str"
    kind: "str"
    total_bytes: "int"
    free_bytes: "int"
    is_default: "bool"
    tags: "list[str]"
    path: "str"
    active: "bool"
    trouble: "str"


class Subnet(TypedDict):
    """`SubnetOut` of the document."""

    id: "int"
    cidr: "str"
    vlan: "str"
    name: "str"
    gateway: "str | None"
    dns_servers: "list[str]"
    ntp_servers: "list[str]"
    lease_time_s: "int | None"
    managed: "bool"
    description: "str"
    space: "str | None"
    generation: "int"


class SyncItem(TypedDict):
    """`SyncItemOut` of the document."""

    image: "MirrorImage"
    action: "SyncAction"
    operation_id: "str"


class Sync(TypedDict):
    """`SyncOut` of the document."""

    items: "list[SyncItem]"


class Tag(TypedDict):
    """`TagOut` of the document."""

    id: "int"
    name: "str"
    description: "str"
    kernel_options: "str"
    generation: "int"


class Token(TypedDict):
    """`TokenOut` of the document."""

    id: "str"
    user: "str"
    name: "str"
    created_at: "float"


class Upload(TypedDict):
    """`UploadOut` of the document."""

    id: "str"


class UploadedFile(TypedDict):
    """`UploadedFileOut` of the document."""

    id: "str"
    size_bytes: "int"
    sha256: "str"


class User(TypedDict):
    """`UserOut` of the document."""

    id: "int"
    name: "str"
    admin: "bool"
    generation: "int"


class Vlan(TypedDict):
    """`VlanOut` of the document."""

    id: "int"
    fabric: "str"
    vid: "int"
    name: "str"
    mtu: "int"
    dhcp: "DhcpMode"
    relay: "str | None"
    space: "str | None"
    primary_rack: "str | None"
    secondary_rack: "str | None"
    description: "str"
    key: "str"
    racks: "list[str]"
    bootable: "bool"
    foreign_dhcp: "list[str]"
    generation: "int"


class WarningAnswer(TypedDict):
    """`WarningOut` of the document."""

    code: "str"
    subject: "str"
    found: "str"
    text: "str"


class Why(TypedDict):
    """`WhyOut` of the document."""

    explanation: "dict[str, Any]"
    text: "list[str]"


class WipedDisk(TypedDict):
    """`WipedDiskOut` of the document."""

    name: "str"
    size_bytes: "int"
    pool: "str"
    volume: "str"
    model: "str"
    serial: "str"
