"""The API's answers as types.

Made from docs/reference/openapi.json by tests/support/client_types.py: do not edit.
"""

from typing import Any, Literal, TypedDict

AddressKind = Literal["auto", "static", "observed", "reserved", "lease", "on-wire"]

AddressMode = Literal["auto", "dhcp", "unconfigured"]

AttachKind = Literal["bridge", "macvlan", "network", "other"]

BootAction = Literal["commission", "enlist", "local", "rescue", "deploy"]

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

PowerState = Literal["on", "off", "unknown"]

RangeKind = Literal["dynamic", "reserved"]

Silence = Literal["not-served", "no-address", "range-exhausted", "server-silent"]

StepState = Literal["pending", "running", "done", "failed", "undoing", "undone", "undo-failed"]

Verdict = Literal["passed", "not-applicable", "unknown", "failed"]

VlanSource = Literal["operator", "subnet", "parent", "port", "master", "none"]


class About(TypedDict):
    """The server's version, and who asks."""

    version: "str"
    user: "str"
    admin: "bool"


class Address(TypedDict):
    """An address and who has it; `until` is when one of kind `on-wire` is free again."""

    ip: "str"
    kind: "AddressKind"
    subnet: "str | None"
    node: "str | None"
    system_id: "str | None"
    interface: "str | None"
    comment: "str"
    until: "float | None"


class ApiKey(TypedDict):
    """An API key without its secret; `id` is its second part, `created_at` in seconds since the
    epoch.
    """

    id: "str"
    user: "str"
    name: "str"
    created_at: "float"


class Change(TypedDict):
    """One difference between what is recorded and what is there."""

    kind: "str"
    subject: "str"
    recorded: "str"
    observed: "str"


class Commissioning(TypedDict):
    """What a machine reported of itself, when (seconds since the epoch), and where that is not as
    planned.
    """

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
    """The operation that composes machines, and their names."""

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
    """A condition that a network fails; `code` is a rejection's or a warning's."""

    code: "str"
    wanted: "str"
    found: "str"


class Console(TypedDict):
    """The end of a serial console's log."""

    log: "str"


class Correlation(TypedDict):
    """Which node the host is, and how we know."""

    state: "CorrelationState"
    system_id: "str | None"
    evidence: "CorrelationEvidence"
    matched: "str"
    candidates: "list[str]"
    node: "str | None"


class Decision(TypedDict):
    """What composing one machine would do and why: a plan, or null and the refusal in the
    explanation.
    """

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


class DhcpFacts(TypedDict):
    """What DHCP told a NIC."""

    ip: "str"
    server: "str | None"
    gateway: "str | None"
    lease_time_s: "int | None"


class DhcpMessage(TypedDict):
    """One message, as it passed on the wire; `server` is the one that sent it or that it names."""

    at: "float"
    kind: "MessageKind"
    ip: "str | None"
    server: "str | None"
    vendor: "str"
    message: "str"
    interface: "str"


class Dhcp(TypedDict):
    """A reservation that our DHCP gets."""

    subnet: "str"
    mac: "str"
    ip: "str"
    hostname: "str"


class DhcpTimeline(TypedDict):
    """A machine's NICs, in its order."""

    items: "list[NicDhcp]"


class Difference(TypedDict):
    """Where a machine is another than its record says."""

    code: "DifferenceCode"
    subject: "str"
    wanted: "str"
    found: "str"
    text: "str"


class Disk(TypedDict):
    """A disk and the volume behind it; size in bytes."""

    name: "str"
    pool: "str"
    volume: "str"
    size_bytes: "int"
    format: "DiskFormat"


class Domain(TypedDict):
    """A domain."""

    id: "int"
    name: "str"
    authoritative: "bool"
    generation: "int"


class Drift(TypedDict):
    """A difference between what is recorded and what is there; `text` says it in words."""

    kind: "str"
    subject: "str"
    recorded: "str"
    observed: "str"
    text: "str"


class Event(TypedDict):
    """Something that happened; `at` in seconds since the epoch."""

    id: "int"
    kind: "str"
    subject: "str"
    message: "str"
    at: "float"
    details: "dict[str, Any]"


class Evidence(TypedDict):
    """One check: what was wanted and found, how it was seen, and the same in words."""

    check: "Check"
    verdict: "Verdict"
    wanted: "str"
    found: "str"
    how: "str"
    text: "str"


class Exchange(TypedDict):
    """One attempt: how it ended, why nobody answered, and the same in words."""

    end: "ExchangeEnd"
    silence: "Silence | None"
    text: "str"
    ip: "str | None"
    reserved: "str | None"
    server: "str | None"
    messages: "list[DhcpMessage]"


class Fabric(TypedDict):
    """A fabric."""

    id: "int"
    name: "str"
    class_type: "str | None"
    description: "str"
    generation: "int"


class Finding(TypedDict):
    """A part of the host that could not be read as expected."""

    part: "str"
    expected: "str"
    found: "str"


class Fix(TypedDict):
    """What mending would do, and whom it hurts; without steps why not, and the command that helps
    instead.
    """

    host: "str"
    network: "str"
    steps: "list[FixStep]"
    refusals: "list[FixRefusal]"
    losing: "list[Losing]"
    leases_unread: "str"
    offer: "str"
    text: "list[str]"


class FixRefusal(TypedDict):
    """Why there is no fix."""

    code: "FixCode"
    subject: "str"
    found: "str"
    text: "str"


class FixStep(TypedDict):
    """One thing that a fix does."""

    kind: "FixStepKind"
    subject: "str"
    value: "str"
    text: "str"


class Foreign(TypedDict):
    """A DHCP server that is none of ours; what it was seen to offer, from the lowest to the
    highest.
    """

    server: "str"
    mac: "str"
    first_offered: "str | None"
    last_offered: "str | None"
    seen_from: "str"
    first_seen_at: "float"
    last_seen_at: "float"


class FoundDisk(TypedDict):
    """A disk that was found; size in bytes."""

    name: "str"
    size_bytes: "int"
    model: "str"
    serial: "str"
    rotational: "bool"


class FoundNic(TypedDict):
    """A NIC that was found; `link_speed` in Mbit/s, 0 where it is not known."""

    name: "str"
    mac: "str"
    carrier: "bool"
    link_speed: "int"
    driver: "str"
    dhcp: "DhcpFacts | None"
    neighbour: "Neighbour | None"


class Group(TypedDict):
    """A zone or resource pool."""

    id: "int"
    name: "str"
    description: "str"
    generation: "int"


class HostNetwork(TypedDict):
    """A libvirt network; `dhcp`: libvirt's own is on; `served`: ours serves the VLAN of its bridge."""

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
    """All of a host's; what a compose without interface constraints takes, and whether it boots
    from it.
    """

    host: "str"
    takes: "str | None"
    attach: "str | None"
    boots: "bool"
    networks: "list[HostNetwork]"


class Host(TypedDict):
    """A KVM host, with what it offers to machines (over-commit counted) and what they take of that."""

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
    architectures: "list[str]"
    cores_offered: "int"
    cores_used: "int"
    memory_mib_offered: "int"
    memory_mib_used: "int"
    machines: "int"
    generation: "int"


class HostToAdd(TypedDict):
    """A host that is left to be added: the body of `POST /hosts`."""

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
    """One file of an image."""

    name: "str"
    size_bytes: "int"
    sha256: "str"


class Image(TypedDict):
    """A boot image."""

    name: "str"
    flavour: "Flavour"
    kernel_version: "str"
    architecture: "str"
    built_at: "float"
    files: "list[ImageFile]"


class ImportChange(TypedDict):
    """What becomes of one thing; `their_id` and `id` as text, empty where there is none."""

    action: "ImportAction"
    noun: "ImportNoun"
    name: "str"
    their_id: "str"
    id: "str"
    differences: "list[Setting]"
    remarks: "list[Remark]"
    text: "str"


class Import(TypedDict):
    """What an import does, or did: every thing with what becomes of it, and what is left to the
    user.
    """

    source: "str"
    dry_run: "bool"
    counts: "dict[str, int]"
    changes: "list[ImportChange]"
    hosts: "list[HostToAdd]"
    unserved: "list[str]"
    next_steps: "list[str]"
    notes: "list[str]"


class Interface(TypedDict):
    """An interface of a node."""

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
    """A plan as lists show it; times in seconds since the epoch, `operation` applied it last."""

    id: "str"
    subject: "str"
    hosts: "list[str]"
    created_at: "float"
    expires_at: "float"
    requested_by: "str"
    revision: "int"
    operation: "str | None"


class Lease(TypedDict):
    """A lease; `machine` and `nic` of the one that has it, where it is known."""

    ip: "str"
    mac: "str"
    hostname: "str"
    subnet: "str | None"
    machine: "str | None"
    nic: "str | None"
    expires_at: "float"


class Leases(TypedDict):
    """All leases of a rack, by address."""

    items: "list[Lease]"


class LibvirtNetwork(TypedDict):
    """A libvirt network; `dhcp`: libvirt's own DHCP is on."""

    name: "str"
    active: "bool"
    bridge: "str | None"
    dhcp: "bool"
    forward: "Forward | None"


class Losing(TypedDict):
    """Who loses libvirt's DHCP: a machine on the network, or (`machine` is null) who has a lease of
    it.
    """

    machine: "str | None"
    origin: "str | None"
    mac: "str | None"
    ip: "str | None"
    hostname: "str | None"
    expires_at: "float | None"


class MachineDetail(TypedDict):
    """A machine with all that was found in it; `commissioning` is null until it has reported."""

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
    generation: "int"
    commissioning: "Commissioning | None"


class Machine(TypedDict):
    """A machine."""

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
    generation: "int"


class Neighbour(TypedDict):
    """The switch port behind a NIC, as LLDP says it."""

    chassis: "str"
    port: "str"
    system_name: "str"
    vid: "int | None"


class NetworkBoot(TypedDict):
    """What a machine would boot from the network now, and why; `asked`: by a user's word."""

    action: "BootAction"
    reason: "BootReason"
    asked: "BootAction | None"
    text: "str"


class NewApiKey(TypedDict):
    """A new key; `text` is what MAAS's clients are given: shown once, null if the answer is
    repeated.
    """

    id: "str"
    user: "str"
    name: "str"
    created_at: "float"
    text: "str | None"


class NewToken(TypedDict):
    """A new token; `text` is what to send as bearer token: given once, null if the answer is
    repeated.
    """

    id: "str"
    user: "str"
    name: "str"
    created_at: "float"
    text: "str | None"


class NicDhcp(TypedDict):
    """A NIC's attempts, oldest first."""

    nic: "str"
    exchanges: "list[Exchange]"


class Nic(TypedDict):
    """A NIC: `attach` and `source` say how it meets the host, `vlan` is FABRIC/VID where it is
    known.
    """

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
    """The badge of a NIC: the worst verdict, when it was found (seconds since the epoch), all
    evidence.
    """

    at: "float"
    evidence: "list[Evidence]"
    verdict: "Verdict"


class Node(TypedDict):
    """A node; `hosts`: the KVM hosts that it is."""

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
    """A long action and how far it is; `finished`: nothing more will happen by itself."""

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
    """A plan in full: its machines in the order in which they were asked for, and what DHCP gets."""

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
    """A machine on a host, down to the last address: what is reserved and made when the plan is
    applied.
    """

    host: "str"
    hostname: "str"
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


class Planned(TypedDict):
    """A machine of a plan with its explanation, as data and for people."""

    host: "str"
    hostname: "str"
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


class Power(TypedDict):
    """Whether a machine runs."""

    power: "PowerState"


class Probe(TypedDict):
    """A VLAN's last probe."""

    vlan: "str"
    at: "float | None"
    seen_from: "str"
    ours_answered: "bool | None"
    trouble: "str"
    foreign: "list[Foreign]"


class Rack(TypedDict):
    """A rack, the VLANs that it serves, and those that it stands by for."""

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
    """What a rack's server says of itself; `trouble` is empty when all is well."""

    trouble: "str"
    versions: "dict[str, str]"
    uptimes_s: "dict[str, float]"
    ha_state: "str"
    ha_partner_state: "str"


class Range(TypedDict):
    """A range; both ends belong to it."""

    id: "int"
    subnet: "str"
    kind: "RangeKind"
    start: "str"
    end: "str"
    comment: "str"
    generation: "int"


class Release(TypedDict):
    """The machine as it is, and the operation that takes it apart; null: it stays, and is free."""

    machine: "Machine"
    operation: "Operation | None"


class Remark(TypedDict):
    """Why a thing is as it is."""

    code: "ImportCode"
    found: "str"


class Scan(TypedDict):
    """What a refresh would change of a host's interfaces."""

    host: "str"
    node: "str | None"
    changes: "list[Change]"


class Setting(TypedDict):
    """One setting that is not the same."""

    field: "str"
    ours: "str"
    theirs: "str"


class Space(TypedDict):
    """A space and the VLANs in it."""

    id: "int"
    name: "str"
    description: "str"
    vlans: "list[str]"
    generation: "int"


class Step(TypedDict):
    """One step; times in seconds since the epoch."""

    name: "str"
    state: "StepState"
    error: "str"
    error_code: "str"
    started_at: "float | None"
    finished_at: "float | None"


class StoragePoolOfHost(TypedDict):
    """A storage pool with its host; sizes in bytes; `trouble`: why it cannot be used now."""

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
    """Disk space of a host, in bytes; `trouble`: why libvirt's pool cannot be used now."""

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
    """A subnet."""

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


class Tag(TypedDict):
    """A tag."""

    id: "int"
    name: "str"
    description: "str"
    kernel_options: "str"
    generation: "int"


class Token(TypedDict):
    """A token without its secret; `created_at` in seconds since the epoch."""

    id: "str"
    user: "str"
    name: "str"
    created_at: "float"


class User(TypedDict):
    """A user."""

    id: "int"
    name: "str"
    admin: "bool"
    generation: "int"


class Vlan(TypedDict):
    """A VLAN; `bootable`: our DHCP serves it, directly or through its relay VLAN."""

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
    """Something to know before acting, as code and in words."""

    code: "str"
    subject: "str"
    found: "str"
    text: "str"


class Why(TypedDict):
    """The explanation that a machine was placed by, as data and for people."""

    explanation: "dict[str, Any]"
    text: "list[str]"
