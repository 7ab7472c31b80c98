"""A field that users can set is in the model, in the service's types and in the command line's options."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from pkgutil import iter_modules
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from hostloom import services
from hostloom.cli.main import command_tree
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.host import Host
from hostloom.model.keep import KEEP, Keep
from hostloom.model.network import Fabric, IPRange, Space, Subnet, Vlan
from hostloom.model.node import Node, NodeInterface
from hostloom.model.rack import Rack
from hostloom.services.fabrics import FabricChanges, FabricInput
from hostloom.services.groupings import (
    DomainChanges,
    DomainInput,
    GroupChanges,
    GroupInput,
    TagChanges,
    TagInput,
)
from hostloom.services.host_changes import HostChanges
from hostloom.services.hosts import HostInput
from hostloom.services.nodes import DeviceInput, InterfaceChanges, NodeChanges
from hostloom.services.racks import RackChanges, RackInput
from hostloom.services.ranges import RangeChanges, RangeInput
from hostloom.services.spaces import SpaceChanges, SpaceInput
from hostloom.services.subnets import SubnetChanges, SubnetInput
from hostloom.services.vlans import VlanChanges, VlanInput
from support.cli_reference import leaves
from support.openapi import FILE

#: The server sets these of every noun.
SERVERS = {"id", "generation"}


@dataclass(frozen=True)
class Noun:
    """A class of the model, and how its service's types differ from it."""

    model: type
    created: type | None
    changed: type | None
    #: Fields of the model that no user sets this way.
    hidden: frozenset[str] = frozenset()
    #: Fields that have another form in the types: `vlan` by name for `vlan_id`.
    instead: Mapping[str, str] = field(default_factory=dict)
    #: Fields that the types have besides.
    more: frozenset[str] = frozenset()
    #: Fields that are set once, and those that are not set at creation.
    fixed: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()


def names(*words: str) -> frozenset[str]:
    return frozenset(words)


NOUNS = [
    Noun(Fabric, FabricInput, FabricChanges, hidden=names("automatic")),
    Noun(Space, SpaceInput, SpaceChanges),
    Noun(Zone, GroupInput, GroupChanges),
    Noun(ResourcePool, GroupInput, GroupChanges),
    Noun(Domain, DomainInput, DomainChanges),
    Noun(Tag, TagInput, TagChanges),
    Noun(
        Vlan,
        VlanInput,
        VlanChanges,
        # how DHCP serves a VLAN is set by itself
        hidden=names("automatic", "dhcp_on", "relay_vlan_id", "primary_rack_id", "secondary_rack_id"),
        instead={"fabric_id": "fabric", "space_id": "space"},
        fixed=names("fabric"),
    ),
    Noun(
        Subnet,
        SubnetInput,
        SubnetChanges,
        hidden=names("automatic"),
        instead={"vlan_id": "vlan"},
        fixed=names("cidr"),
    ),
    Noun(IPRange, RangeInput, RangeChanges, instead={"subnet_id": "subnet"}, fixed=names("subnet", "kind")),
    Noun(
        Rack,
        RackInput,
        RackChanges,
        instead={"system_id": "node"},
        more=names("accept_key"),
        fixed=names("accept_key"),
    ),
    Noun(
        Host,
        HostInput,
        HostChanges,
        # what a reading tells; tags of pools are set on the pools
        hidden=names(
            "cores",
            "emulations",
            "facts_at",
            "findings",
            "host_key",
            "huge_pages_mib",
            "libvirt_networks",
            "memory_mib",
            "pool_tags",
            "reachable",
            "read_revision",
            "storage_pools",
            "unreachable_cause",
            "uuid",
        ),
        instead={"zone_id": "zone", "resource_pool_id": "resource_pool", "correlation": "node"},
        more=names("accept_key", "trust_first_key", "forget_key", "adopt", "id", "at_once"),
        fixed=names("adopt", "id", "at_once"),
        later=names("node", "default_pool", "forget_key"),
    ),
    Noun(
        Node,
        DeviceInput,
        NodeChanges,
        hidden=names("system_id", "kind", "scanned_at"),
        instead={
            "interfaces": "macs",
            "zone_id": "zone",
            "resource_pool_id": "resource_pool",
            "domain_id": "domain",
        },
        more=names("vlan"),
        fixed=names("macs", "vlan"),
    ),
    Noun(
        NodeInterface,
        None,
        InterfaceChanges,
        # what a scan finds
        hidden=frozenset(part.name for part in fields(NodeInterface))
        - names("vlan_id", "tags", "enabled", "link_speed"),
        instead={"vlan_id": "vlan"},
    ),
]
#: Types whose fields are no class's of the model: a request, or a part of one.
OTHERS = {
    "DhcpInput",
    "DiskBuildInput",
    "DiskImageInput",
    "EnlistInput",
    "LinkInput",
    "MachineChanges",
    "NicInput",
    "PowerInput",
    "SyncInput",
    "UploadInput",
}


def settable(noun: Noun) -> frozenset[str]:
    model = {part.name for part in fields(noun.model)} - noun.hidden - SERVERS
    return frozenset(noun.instead.get(name, name) for name in model) | noun.more


def members(hint: Any) -> frozenset[Any]:
    return frozenset(get_args(hint)) if get_origin(hint) in (Union, UnionType) else frozenset({hint})


IDS = [f"{noun.model.__name__}" for noun in NOUNS]


@pytest.mark.parametrize("noun", NOUNS, ids=IDS)
def test_the_types_of_a_service_have_the_fields_of_the_model(noun: Noun) -> None:
    known = {part.name for part in fields(noun.model)}
    assert noun.hidden | noun.instead.keys() <= known, "a difference is of a field that is gone"
    if noun.created is not None:
        assert {part.name for part in fields(noun.created)} == settable(noun) - noun.later
    if noun.changed is not None:
        assert {part.name for part in fields(noun.changed)} == settable(noun) - noun.fixed


@pytest.mark.parametrize("noun", NOUNS, ids=IDS)
def test_a_change_has_the_type_of_the_field_or_keeps_it(noun: Noun) -> None:
    assert noun.changed is not None
    types, changes = get_type_hints(noun.model), get_type_hints(noun.changed)
    texts = {"cpu_over_commit_ratio", "memory_over_commit_ratio"}  # exact in the model, a float in bodies
    for part in fields(noun.changed):
        if part.name in types and part.name not in texts:
            assert members(changes[part.name]) == members(types[part.name]) | {Keep}, part.name
            assert part.default is KEEP


def test_no_type_of_a_service_is_left_out() -> None:
    modules = [import_module(f"hostloom.services.{info.name}") for info in iter_modules(services.__path__)]
    found = {
        name
        for module in modules
        for name, value in inspect.getmembers(module, inspect.isclass)
        if name.endswith(("Input", "Changes")) and value.__module__ == module.__name__
    }
    listed = {each.__name__ for noun in NOUNS for each in (noun.created, noun.changed) if each is not None}
    assert found == listed | OTHERS


#: Options that have another name than the field that they set.
OPTIONS = {
    "cpu_over_commit_ratio": "cpu_over_commit",
    "default_macvlan_mode": "macvlan_mode",
    "dns_servers": "dns",
    "lease_time_s": "lease_time",
    "macs": "mac",
    "memory_over_commit_ratio": "memory_over_commit",
    "ntp_servers": "ntp",
    "public_key": "file",
    "tags": "tag",
}
#: Fields that the command line sets in another way: a VLAN is FABRIC/VID; ids are for imports.
WITHOUT_OPTION = {("vlan create", "fabric"), ("vlan create", "vid"), ("host add", "id")}


def bodies() -> Mapping[str, frozenset[str]]:
    """The fields of the bodies that create and change nouns, by the words of the command."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    found = {}
    for path, item in document["paths"].items():
        words = path.removeprefix("/api/v1/").split("/")
        noun = words[0].removesuffix("s")
        for verb in {1: ("post",), 2: ("patch",)}.get(len(words), ()):
            if schema := _schema(item.get(verb, {})):
                properties = document["components"]["schemas"][schema]["properties"]
                found[f"{noun} {_command(noun, verb)}"] = frozenset(properties)
    return found


def _schema(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]


def _command(noun: str, verb: str) -> str:
    if verb == "patch":
        return "update"
    return "add" if noun in ("host", "rack") else "create"


def test_the_command_line_sets_every_field_of_a_body() -> None:
    commands = dict(leaves(command_tree().load_all()))
    compared = {words: body for words, body in bodies().items() if words in commands}
    nouns = {words.split()[0] for words in compared}
    assert {"subnet", "vlan", "range", "rack", "host", "node", "tag", "zone", "machine"} <= nouns
    missing = {
        (words, name)
        for words, body in compared.items()
        for name in body - {option.name for option in commands[words].params}
        if OPTIONS.get(name) not in {option.name for option in commands[words].params}
    }
    assert missing == WITHOUT_OPTION
