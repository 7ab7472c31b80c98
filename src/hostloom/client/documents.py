"""Converts model classes to documents of the API; fields with default values are left out."""

from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any

from hostloom.client.transport import Document
from hostloom.model.ids import MacAddress


def document_of(item: Any) -> Document:
    """The fields of a dataclass, by name."""
    values = {field.name: getattr(item, field.name) for field in fields(item)}
    defaults = {field.name: _default(field) for field in fields(item)}
    return {name: _plain(value) for name, value in values.items() if value != defaults[name]}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if is_dataclass(value) and not isinstance(value, MacAddress):
        return document_of(value)
    return str(value)


def _default(field: "Field[Any]") -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
