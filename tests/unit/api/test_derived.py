"""API models take the fields of the core's classes, with the exceptions that are written down."""

from dataclasses import dataclass
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from hostloom.api.forms import Out, Sent, like
from hostloom.model.ids import MacAddress
from hostloom.model.keep import KEEP, Keep


@dataclass(frozen=True)
class Item:
    id: int
    host_id: int
    mac: MacAddress
    ratio: Decimal
    gateways: tuple[IPv4Address | IPv6Address, ...] = ()
    secret: str = ""
    generation: int = 1


@dataclass(frozen=True)
class ItemInput:
    name: str
    gateway: IPv4Address | IPv6Address | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemChanges:
    name: str | Keep = KEEP
    gateway: IPv4Address | IPv6Address | Keep | None = KEEP


@like(Item, hide=("secret",), instead={"host_id": "host"})
class ItemOut(Out):
    """An item."""

    host: str
    count: int


def read(kind: Any, body: dict[str, Any]) -> Any:
    return TypeAdapter(kind).validate_python(body)


def test_an_answer_has_the_fields_of_the_class_but_for_what_is_written_down() -> None:
    assert list(ItemOut.model_fields) == ["id", "host", "mac", "ratio", "gateways", "count", "generation"]
    item = Item(1, 7, MacAddress("52:54:00:00:00:01"), Decimal("1.5"), (IPv4Address("10.0.0.1"),), "token")
    assert ItemOut.made(item, host="kvm1", count=2).model_dump(mode="json") == {
        "id": 1,
        "host": "kvm1",
        "mac": "52:54:00:00:00:01",
        "ratio": 1.5,
        "gateways": ["10.0.0.1"],
        "count": 2,
        "generation": 1,
    }


def test_an_exception_for_a_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="Item has no fields tokens"):
        like(Item, hide=("tokens",))


def test_a_body_is_read_as_the_services_class() -> None:
    body = read(Sent[ItemInput], {"name": "web", "gateway": "fd00::1", "tags": ["a"]})
    assert body == ItemInput("web", IPv6Address("fd00::1"), ("a",))
    assert read(Sent[ItemInput], {"name": "web"}) == ItemInput("web")


@pytest.mark.parametrize(
    "body",
    [{}, {"name": 1}, {"name": None}, {"name": "web", "colour": "red"}, {"name": "web", "gateway": "10.0.0"}],
)
def test_a_body_that_does_not_fit_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(Sent[ItemInput], body)


def test_a_change_keeps_what_is_not_sent_and_null_is_a_value() -> None:
    assert read(Sent[ItemChanges], {}) == ItemChanges()
    assert read(Sent[ItemChanges], {"gateway": None}) == ItemChanges(gateway=None)
    with pytest.raises(ValidationError):
        read(Sent[ItemChanges], {"name": None})
