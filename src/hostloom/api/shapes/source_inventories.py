"""The document of a source inventory in the API: the model's classes with limits for input."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from dataclasses import Field as ModelField
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_interface,
    ip_network,
)
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    create_model,
)
from pydantic_core import CoreSchema, core_schema

from hostloom.api.forms import Count, Flag, In, Int, Ip, Mac, Ratio, Text
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.network import MAX_VID, HeldAddress, IPRange, Vlan
from hostloom.model.source_inventory import (
    SourceHost,
    SourceInventory,
    SourceMachine,
    SourceParameter,
    SourceTtl,
)


def _parser(parse: Callable[[Any], object], example: str) -> BeforeValidator:
    def read(value: object) -> object:
        try:
            if isinstance(value, str) and "%" not in value:
                return parse(value)
        except ValueError:
            pass
        raise ValueError(f"has the wrong form; write it like {example}")

    return BeforeValidator(read)


#: Ids of the other system, which begin with 0, and counts.
_Number = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
_Name = Annotated[Text, Field(max_length=255)]
_Word = Annotated[Text, Field(max_length=40)]
_SystemId = Annotated[Text, Field(pattern=r"^[A-Za-z0-9_-]{1,16}$")]
_Cidr = Annotated[
    IPv4Network | IPv6Network,
    _parser(ip_network, "10.0.0.0/24"),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["10.0.0.0/24", "fd00::/64"]}),
]
_Interface = Annotated[
    IPv4Interface | IPv6Interface,
    _parser(ip_interface, "10.0.0.5/24"),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["10.0.0.5/24"]}),
]
#: The accepted types for the types of the model, by member of a union.
_ACCEPTED: Mapping[frozenset[Any], Any] = {
    frozenset({str}): _Name,
    frozenset({int}): _Number,
    frozenset({bool}): Flag,
    frozenset({float}): Ratio,
    frozenset({SystemId}): _SystemId,
    frozenset({MacAddress}): Mac,
    frozenset({IPv4Address, IPv6Address}): Ip,
    frozenset({IPv4Network, IPv6Network}): _Cidr,
    frozenset({IPv4Interface, IPv6Interface}): _Interface,
}
#: Fields that only hostloom has, which a document from another system does not contain.
_OURS = frozenset(
    {
        "automatic",
        "bridge_vlans",
        "child_addresses",
        "generation",
        "lease_time_s",
        "master",
        "ntp_servers",
        "primary_rack_id",
        "role",
        "routers",
        "scanned_at",
        "secondary_rack_id",
        "until",
        "vlan_source",
    }
)
#: Texts of unlimited length.
_LONG = frozenset(("comment", "description", "kernel_options"))
#: Fields with special limits.
_BOUNDS: Mapping[tuple[type, str], Any] = {
    (SourceInventory, "notes"): list[Text],
    (SourceHost, "kind"): _Word,
    (SourceHost, "uri"): Annotated[Text, Field(max_length=1024)],
    (SourceMachine, "architecture"): _Word,
    (SourceMachine, "uuid"): _Word,
    (SourceParameter, "name"): Annotated[Text, Field(min_length=1, max_length=64)],
    (SourceParameter, "value"): Flag | Int | _Name,
    (SourceTtl, "seconds"): Count,
    (HeldAddress, "system_id"): _SystemId | None,
    (Vlan, "vid"): Annotated[int, Field(strict=True, ge=0, le=MAX_VID)],
}


#: Names in the OpenAPI document that differ from the class names.
_NAMES: Mapping[type, str] = {SourceInventory: "SourceInventoryIn", IPRange: "SourceRangeIn"}


class _Part(In):
    """A part of a source inventory in a body."""

    made: ClassVar[type]

    def to_model(self) -> Any:
        """Convert the part to the model class."""
        return self.made(**{name: _to_model(getattr(self, name)) for name in type(self).model_fields})


def _to_model(value: Any) -> Any:
    if isinstance(value, _Part):
        return value.to_model()
    return tuple(_to_model(item) for item in value) if isinstance(value, list) else value


@cache
def body_of(source: type) -> type[_Part]:
    """The pydantic model that reads a class of the inventory, named `Source…In`."""
    types = get_type_hints(source)
    definitions: dict[str, Any] = {
        field.name: (_accepted(source, field.name, types[field.name]), _default(field))
        for field in fields(source)
        if field.name not in _OURS
    }
    name = _NAMES.get(source) or f"Source{source.__name__.removeprefix('Source')}In"
    body = create_model(name, __base__=_Part, __module__=__name__, __doc__=source.__doc__, **definitions)
    body.made = source
    return body


def _accepted(source: type, name: str, hint: Any) -> Any:
    if (source, name) in _BOUNDS:
        return _BOUNDS[source, name]
    return Text if name in _LONG else _translated(hint)


def _translated(hint: Any) -> Any:
    if get_origin(hint) is tuple:
        return list[_translated(get_args(hint)[0])]  # type: ignore[misc]  # a type made at run time
    if is_dataclass(hint) and isinstance(hint, type) and hint is not MacAddress:
        return body_of(hint)
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    kinds = frozenset(_without_name(member) for member in members) - {NoneType}
    accepted = _ACCEPTED[kinds] if kinds in _ACCEPTED else next(iter(kinds))
    return accepted | None if NoneType in members else accepted


def _without_name(hint: Any) -> Any:
    """The type behind an id such as `VlanId`; a system id keeps its own pattern."""
    return hint if hint is SystemId else getattr(hint, "__supertype__", hint)


def _default(field: "ModelField[Any]") -> Any:
    if field.default is MISSING:
        return ...
    return Field(default_factory=list) if field.default == () else field.default


class _Reader:
    """Annotation of a source inventory in a body."""

    @staticmethod
    def __get_pydantic_core_schema__(source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_to_model, handler(body_of(source)))


#: The inventory of another system with its own ids, read from a body.
SentInventory = Annotated[SourceInventory, _Reader]
