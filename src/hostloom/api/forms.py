"""The forms that bodies and answers are made of: strict, and naming every field that is wrong."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress
from hostloom.model.network import Address


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


#: Text of any length that the request's size allows.
Text = Annotated[str, AfterValidator(_no_controls), Field(strict=True)]
#: Numbers that every database holds.
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
#: Default of a field that a change leaves alone; never read, because only fields that were sent are.
ABSENT: Any = None


def _drop_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class In(BaseModel):
    """A body that creates or asks: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Patch(BaseModel):
    """A body that changes: what is not sent stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_drop_defaults)

    def sent(self, **convert: Callable[[Any], Any]) -> dict[str, Any]:
        """The fields that were sent, converted where the model's type differs."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: convert[name](value) if name in convert else value for name, value in values.items()}


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    @classmethod
    def made(cls, item: object, **others: Any) -> Self:
        """The answer about an item of the core: its fields by name, and the `others` as they are."""
        names = [name for name in cls.model_fields if name not in others and hasattr(item, name)]
        values = {name: getattr(item, name) for name in names}
        return cls.model_validate(values | others)
