"""Conversion of a running MAAS into a source inventory, through its API."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeVar

from hostloom.migration.maas import api_network, api_nodes, vocabulary
from hostloom.migration.maas.api_fields import Body, optional_id
from hostloom.migration.maas.errors import SourceError
from hostloom.migration.maas.session import MaasSession
from hostloom.model.errors.values import InvalidValue
from hostloom.model.grouping import Tag
from hostloom.model.ids import DomainId, HostId, ResourcePoolId, SubnetId, SystemId, TagId, ZoneId
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.node import NodeKind
from hostloom.model.source_inventory import SourceHost, SourceInventory, SourceParameter, SourceTtl

T = TypeVar("T")

NO_VM_HOSTS = "this MAAS has no VM hosts any more: `--dump` reads them from a dump made before its upgrade"
#: The collections with all nodes. The node type tells machines, devices and controllers apart.
_NODES = ("machines/", "devices/", "rackcontrollers/", "regioncontrollers/")


@dataclass(frozen=True)
class _Documents:
    """The documents that several conversions need."""

    fabrics: list[Body]
    #: By name.
    spaces: Mapping[str, Body]
    nodes: list[Body]
    tags: list[Body]
    domains: list[Body]

    def nodes_of(self, kind: NodeKind) -> list[Body]:
        return [body for body in self.nodes if api_nodes.node_kind(body) is kind]


def read_server(session: MaasSession) -> SourceInventory:
    """Read everything that an import can use, with about twelve requests and one for each host."""
    version = session.version()
    session.check_key()
    documents = _documents(session)
    hosts, notes = _hosts(session)
    automatic = sorted(tag["name"] for tag in documents.tags if tag.get("definition"))
    if automatic:
        notes.append(f"tags with a definition are tags like others here: {', '.join(automatic)}")
    try:
        return _source_inventory(session, f"MAAS {version} at {session.url}", documents, hosts, notes)
    except (KeyError, TypeError, ValueError, InvalidValue) as error:
        text = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise SourceError(f"{session.url} does not answer as a MAAS does: {text}") from error


def _documents(session: MaasSession) -> _Documents:
    nodes = {body["system_id"]: body for path in _NODES for body in _all(session, path)}
    return _Documents(
        fabrics=_all(session, "fabrics/"),
        # MAAS lists the VLANs without a space in a pseudo-space without an id.
        spaces={space["name"]: space for space in _all(session, "spaces/") if space.get("id", -1) >= 0},
        nodes=list(nodes.values()),
        tags=_all(session, "tags/"),
        domains=_all(session, "domains/"),
    )


def _source_inventory(
    session: MaasSession, source: str, documents: _Documents, hosts: list[SourceHost], notes: list[str]
) -> SourceInventory:
    vlans = [vlan for fabric in documents.fabrics for vlan in fabric.get("vlans", ())]
    return SourceInventory(
        source,
        zones=_each(api_network.zone, _all(session, "zones/")),
        resource_pools=_each(api_network.resource_pool, _all(session, "resourcepools/")),
        domains=_each(api_network.domain, documents.domains),
        tags=tuple(_tags(documents.tags)),
        spaces=_each(api_network.space, documents.spaces.values()),
        fabrics=_each(api_network.fabric, documents.fabrics),
        vlans=tuple(api_network.vlan(vlan, documents.spaces) for vlan in vlans),
        subnets=_each(api_network.subnet, _all(session, "subnets/")),
        ranges=_each(api_network.ip_range, _all(session, "ipranges/")),
        nodes=_each(api_nodes.node, documents.nodes),
        machines=_each(api_nodes.machine, documents.nodes_of(NodeKind.MACHINE)),
        devices=_each(api_nodes.device, documents.nodes_of(NodeKind.DEVICE)),
        links=tuple(link for node in documents.nodes for link in api_nodes.links_of(node)),
        parameters=tuple(_parameters(documents.nodes)),
        ttls=tuple(
            SourceTtl(DomainId(domain["id"]), int(domain["ttl"]))
            for domain in documents.domains
            if domain.get("ttl")
        ),
        held=(*api_nodes.assigned_addresses(documents.nodes), *_reserved(session)),
        hosts=tuple(hosts),
        notes=tuple(notes),
    )


def _tags(tags: list[Body]) -> Iterator[Tag]:
    """Number the tags by name, because the API shows no ids of them."""
    for number, tag in enumerate(sorted(tags, key=lambda body: str(body["name"])), 1):
        yield Tag(TagId(number), tag["name"], tag.get("comment") or "", tag.get("kernel_opts") or "")


def _parameters(nodes: list[Body]) -> Iterator[SourceParameter]:
    for node in nodes:
        for nic in api_nodes.nics(node):
            yield from vocabulary.parameters(node["system_id"], nic["name"], nic.get("params"))


def _all(session: MaasSession, path: str) -> list[Body]:
    return session.list(path) or []


def _each(make: Callable[[Body], T], bodies: Iterable[Body]) -> tuple[T, ...]:
    return tuple(make(body) for body in bodies)


def _reserved(session: MaasSession) -> Iterator[HeldAddress]:
    """List reserved addresses of users and of MAAS, and those for a MAC (MAAS 3.6 and later)."""
    ips = set()
    for body in session.list("ipaddresses/", all="true") or []:
        if _is_reserved(body) and body["ip"] not in ips:
            ips.add(body["ip"])
            owner = body.get("owner") or {}
            name = owner.get("username") if isinstance(owner, dict) else owner
            yield _set_aside(body, f"set aside by {name} in MAAS" if name else "set aside in MAAS")
    for body in _all(session, "reservedips/"):
        if body["ip"] not in ips:
            ips.add(body["ip"])
            reason = body.get("comment") or "set aside in MAAS"
            yield _set_aside(body, f"{reason} (for {body.get('mac_address')})")


def _is_reserved(body: Body) -> bool:
    is_observed = body.get("alloc_type") == vocabulary.DISCOVERED
    return bool(body.get("ip")) and not body.get("interface_set") and not is_observed


def _set_aside(body: Body, comment: str) -> HeldAddress:
    key = optional_id(body, "subnet")
    subnet_id = None if key is None else SubnetId(key)
    return HeldAddress(ip_address(body["ip"]), AddressKind.RESERVED, subnet_id, comment=comment)


def _hosts(session: MaasSession) -> tuple[list[SourceHost], list[str]]:
    """List the hosts, and notes. The inventory states only whether a host has a password."""
    for path in ("vm-hosts/", "pods/"):
        bodies = session.list(path)
        if bodies is not None:
            return [_host(session, path, body) for body in bodies], []
    return [], [NO_VM_HOSTS]


def _host(session: MaasSession, path: str, body: Body) -> SourceHost:
    parameters = session.one(f"{path}{body['id']}/", op="parameters") or {}
    node = (body.get("host") or {}).get("system_id")
    return SourceHost(
        HostId(int(body["id"])),
        body["name"],
        body["type"],
        str(parameters.get("power_address") or ""),
        zone_id=ZoneId(optional_id(body, "zone") or 0),
        resource_pool_id=ResourcePoolId(optional_id(body, "pool") or 0),
        system_id=SystemId(node) if node else None,
        default_macvlan_mode=vocabulary.macvlan_mode(body.get("default_macvlan_mode")),
        cpu_over_commit_ratio=float(body.get("cpu_over_commit_ratio", 1.0)),
        memory_over_commit_ratio=float(body.get("memory_over_commit_ratio", 1.0)),
        tags=tuple(body.get("tags") or ()),
        has_password=vocabulary.has_password(parameters),
    )
