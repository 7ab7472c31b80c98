"""Forms of bodies and answers: strict; they take their fields from the core's dataclasses."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from dataclasses import Field as DataclassField
from decimal import Decimal
from functools import cache
from inspect import get_annotations
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
)
from types import FunctionType, NoneType, UnionType
from typing import Annotated, Any, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress
from hostloom.model.keep import Keep
from hostloom.model.network import Address

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def _no_controls(text: str) -> str:
    if any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("is not text; it contains a zero byte or half a character")
    return text


def _address(value: object) -> Address:
    if isinstance(value, IPv4Address | IPv6Address):
        return value
    try:
        if not isinstance(value, str) or "%" in value:
            raise ValueError
        return ip_address(value)
    except ValueError:
        raise ValueError("is not an IP address such as 10.0.0.5 or fd00::5") from None


def _mac(value: object) -> MacAddress:
    if isinstance(value, MacAddress):
        return value
    try:
        return MacAddress.parse(value if isinstance(value, str) else "")
    except InvalidValue as error:
        raise ValueError(error.predicate) from None


#: Text that only the size of the request limits.
Text = Annotated[str, AfterValidator(_no_controls), Field(strict=True)]
#: Numbers that every database can store.
Int = Annotated[int, Field(strict=True, ge=-(2**31), le=2**31 - 1)]
Count = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Flag = Annotated[bool, Field(strict=True)]
Ratio = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Ip = Annotated[
    Address,
    BeforeValidator(_address),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["10.0.0.5", "fd00::5"]}),
]
Mac = Annotated[
    MacAddress,
    BeforeValidator(_mac),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["52:54:00:12:34:56"]}),
]
#: A prefix or an interface address as text.
_AsText = Annotated[Any, PlainSerializer(str), WithJsonSchema({"type": "string"})]
#: The API types for reading model types from bodies and for showing them in answers.
_READ: dict[Any, Any] = {str: Text, int: Int, bool: Flag, float: Ratio, MacAddress: Mac}
_SHOWN: dict[Any, Any] = {Decimal: float, MacAddress: Mac}
_ADDRESSES = {IPv4Address, IPv6Address}
_WITH_PREFIX = {IPv4Network, IPv6Network, IPv4Interface, IPv6Interface}
#: Default of absent fields of a change; never read, because only fields in the body are read.
ABSENT: Any = None


def _drop_defaults(schema: dict[str, Any]) -> None:
    for schema_property in schema.get("properties", {}).values():
        schema_property.pop("default", None)


class In(BaseModel):
    """A body of a creation or query; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Patch(BaseModel):
    """A body of a change; absent fields do not change."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_drop_defaults)

    def sent(self, **convert: Callable[[Any], Any]) -> dict[str, Any]:
        """The fields in the body, converted to the model's types."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: convert[name](value) if name in convert else value for name, value in values.items()}


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    @classmethod
    def made(cls, item: object, **others: Any) -> Self:
        """The answer for a model item: its fields by name, and the fields in `others`."""
        names = [name for name in cls.model_fields if name not in others and hasattr(item, name)]
        values = {name: getattr(item, name) for name in names}
        return cls.model_validate(values | others)


def like(
    source: type, *, hide: tuple[str, ...] = (), instead: Mapping[str, str] | None = None
) -> Callable[[type[M]], type[M]]:
    """Add the fields of a model class, in its order, to the fields that an answer or body declares itself.

    A declared field replaces a model field with the same name. `instead` maps model fields to the declared
    fields that replace them (`{"vlan_id": "vlan"}`); the other declared fields come before `generation`.
    """
    renamed = instead or {}
    if unknown := {*hide, *renamed} - {field.name for field in fields(source)}:
        raise TypeError(f"{source.__name__} has no fields {', '.join(sorted(unknown))}")

    def derive(declared: type[M]) -> type[M]:
        own_annotations = get_annotations(declared)
        types, translations = get_type_hints(source), _SHOWN if issubclass(declared, Out) else _READ
        names = [renamed.get(field.name, field.name) for field in fields(source) if field.name not in hide]
        names = list(dict.fromkeys(names))
        position = names.index("generation") if "generation" in names else len(names)
        names[position:position] = [name for name in own_annotations if name not in names]
        annotations = {
            name: own_annotations[name] if name in own_annotations else _translated(types[name], translations)
            for name in names
        }
        defaults = {} if translations is _SHOWN else {field.name: _default(field) for field in fields(source)}
        return _again(declared, annotations, {name: defaults[name] for name in names if name in defaults})

    return derive


def _again(declared: type[M], annotations: dict[str, Any], defaults: dict[str, Any]) -> type[M]:
    """Recreate a class with other fields, because pydantic fixes the fields when it creates a class."""
    methods = {
        name: value for name, value in vars(declared).items() if isinstance(value, classmethod | FunctionType)
    }
    defaults = {name: value for name, value in defaults.items() if value is not ...} | {
        name: _declared_default(field)
        for name, field in declared.model_fields.items()
        if not field.is_required()
    }
    head = {"__module__": declared.__module__, "__qualname__": declared.__qualname__}
    namespace = {**head, "__doc__": declared.__doc__, "__annotations__": annotations, **methods, **defaults}
    make: Any = type(declared)
    derived: type[M] = make(declared.__name__, declared.__bases__, namespace)
    return derived


@dataclass(frozen=True)
class BodyForm:
    """Annotation of a handler's body, which is read as a dataclass of a service and refused if it is invalid.

    The form is called `…In` for a class `…Input`, and `…Patch` for a class `…Changes`, whose absent fields
    keep their defaults. `types` replaces types of fields.
    """

    doc: str = ""
    hide: tuple[str, ...] = ()
    types: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda body: made(source, body), handler(body_model(source, self))
        )


@cache
def body_model(source: type, form: BodyForm) -> type[BaseModel]:
    """The pydantic model that reads a body as `source`."""
    is_patch = source.__name__.endswith("Changes")
    name = source.__name__.removesuffix("Changes").removesuffix("Input") + ("Patch" if is_patch else "In")
    types = get_type_hints(source, include_extras=True)
    definitions: dict[str, Any] = {}
    for source_field in fields(source):
        name_of_field = source_field.name
        if name_of_field not in form.hide:
            kind = form.types.get(name_of_field) or _translated(types[name_of_field], _READ)
            definitions[name_of_field] = (kind, ABSENT if is_patch else _default(source_field))
    return create_model(
        name,
        __base__=Patch if is_patch else In,
        __module__=source.__module__,
        __doc__=form.doc or source.__doc__,
        **definitions,
    )


#: The body of a handler, read as a dataclass of a service: `body: Sent[FabricInput]`.
Sent = Annotated[T, BodyForm()]


def made(source: type[T], body: BaseModel, form: type[BaseModel] | None = None) -> T:
    """The model class with the fields of a body, or with those of its base class `form`."""
    names = body.model_fields_set if isinstance(body, Patch) else (form or type(body)).model_fields
    return source(**{name: _frozen(getattr(body, name)) for name in names})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _default(field: "DataclassField[Any]") -> Any:
    if field.default == ():
        return Field(default_factory=list)
    return ... if field.default is MISSING else field.default


def _declared_default(field: FieldInfo) -> Any:
    factory = field.default_factory
    return field.default if factory is None else Field(default_factory=factory)


def _simple(hint: Any) -> Any:
    """The type behind a NewType."""
    return _simple(hint.__supertype__) if hasattr(hint, "__supertype__") else hint


def _translated(hint: Any, translations: dict[Any, Any]) -> Any:
    """The API type for a type of the model."""
    hint = _simple(hint)
    if hint in translations:
        return translations[hint]
    origin, parts = get_origin(hint), get_args(hint)
    if origin is tuple:
        return list[_translated(parts[0], translations)]  # type: ignore[misc]  # a type made at run time
    if origin not in (Union, UnionType):
        return hint
    return _translated_union([part for part in parts if part is not Keep], translations)


def _translated_union(parts: list[Any], translations: dict[Any, Any]) -> Any:
    without_none = [part for part in parts if part is not NoneType]
    if set(without_none) <= _ADDRESSES:
        kind: Any = Ip
    elif set(without_none) <= _WITH_PREFIX:
        kind = _AsText
    else:
        kind = Union[tuple(_translated(part, translations) for part in without_none)]  # noqa: UP007  # made at run time
    return kind | None if len(without_none) < len(parts) else kind
