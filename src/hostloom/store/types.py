"""Column types for the model's values in both databases; nested values are stored as JSON documents."""

import json
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any

from sqlalchemy import Dialect, Float, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from hostloom.model.decimals import exact
from hostloom.model.disk_image import BootMode
from hostloom.model.drift import Drift
from hostloom.model.finding import Finding
from hostloom.model.host import Emulation, Forward, LibvirtNetwork, StoragePool
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Disk, DiskFormat
from hostloom.model.network import Address, Network
from hostloom.model.node import BridgeVlans


def text_key(length: int) -> TypeEngine[str]:
    """Text that sorts by bytes on both databases, whatever the server's locale."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class AddressText(TypeDecorator[Address]):
    """An address as its version and zero-padded hex digits: it sorts as addresses do, IPv4 first."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use bytewise order also on PostgreSQL."""
        return dialect.type_descriptor(
            String(33, collation="C") if dialect.name == "postgresql" else String(33)
        )

    def process_bind_param(self, value: Address | None, _dialect: Dialect) -> str | None:
        """Convert a model value to a column value."""
        return None if value is None else self.write(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Address | None:
        """Convert a column value to a model value."""
        return None if value is None else self.read(value)

    @staticmethod
    def write(address: Address) -> str:
        """The stored form."""
        return f"{address.version}{int(address):0{address.max_prefixlen // 4}x}"

    @staticmethod
    def read(stored: str) -> Address:
        """Convert the stored value back."""
        number = int(stored[1:], 16)
        return IPv4Address(number) if stored[0] == "4" else IPv6Address(number)


class NetworkText(TypeDecorator[Network]):
    """A network in CIDR notation."""

    impl = String(49)
    cache_ok = True

    def process_bind_param(self, value: Network | None, _dialect: Dialect) -> str | None:
        """Convert a model value to a column value."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Network | None:
        """Convert a column value to a model value."""
        return None if value is None else ip_network(value)


class MacText(TypeDecorator[MacAddress]):
    """A MAC as text."""

    impl = String(17)
    cache_ok = True

    def process_bind_param(self, value: MacAddress | None, _dialect: Dialect) -> str | None:
        """Convert a model value to a column value."""
        return None if value is None else value.text

    def process_result_value(self, value: str | None, _dialect: Dialect) -> MacAddress | None:
        """Convert a column value to a model value."""
        return None if value is None else MacAddress(value)


class Ratio(TypeDecorator[Decimal]):
    """A decimal ratio of up to 15 digits, stored as a double without loss and read in its shortest form."""

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, _dialect: Dialect) -> float | None:
        """Convert a model value to a column value."""
        return None if value is None else float(value)

    def process_result_value(self, value: float | None, _dialect: Dialect) -> Decimal | None:
        """Convert a column value to a model value."""
        return None if value is None else exact(float(value))


class Word(TypeDecorator[Any]):
    """A member of an enum, by its value."""

    impl = String(40)
    cache_ok = True

    def __init__(self, values: type[StrEnum], length: int = 40) -> None:
        super().__init__()
        self.words, self.length = values, length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use text with the length of the column."""
        return dialect.type_descriptor(String(self.length))

    def process_bind_param(self, value: StrEnum | None, _dialect: Dialect) -> str | None:
        """Convert a model value to a column value."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, _dialect: Dialect) -> StrEnum | None:
        """Convert a column value to a model value."""
        return None if value is None else self.words(value)


def _same(value: Any) -> Any:
    return value


class JsonText(TypeDecorator[Any]):
    """A value as JSON text; `encode` and `decode` convert values that JSON cannot represent."""

    impl = Text
    cache_ok = True

    def __init__(self, encode: Callable[[Any], Any] = _same, decode: Callable[[Any], Any] = _same) -> None:
        super().__init__()
        self.encode, self.decode = encode, decode

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str:
        """Convert a model value to a column value; None becomes JSON's null."""
        return json.dumps(None if value is None else self.encode(value), ensure_ascii=True)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        """Convert a column value to a model value."""
        if value is None:
            return None
        items = json.loads(value)
        return None if items is None else self.decode(items)


JSON_VALUE = JsonText()
WORDS = JsonText(list, tuple)
ADDRESSES = JsonText(
    lambda value: [str(item) for item in value],
    lambda items: tuple(ip_address(item) for item in items),
)


INTERFACE_ADDRESSES = JsonText(
    lambda value: [str(item) for item in value],
    lambda items: tuple(ip_interface(item) for item in items),
)


def interface_of(address: Address, prefix_length: int) -> IPv4Interface | IPv6Interface:
    """Convert text to an interface address with its prefix length."""
    return ip_interface((address, prefix_length))


def _as_dicts(items: Any) -> list[dict[str, Any]]:
    return [asdict(item) for item in items]


def _storage_pool(data: dict[str, Any]) -> StoragePool:
    return StoragePool(**{**data, "tags": tuple(data["tags"])})


def _libvirt_network(data: dict[str, Any]) -> LibvirtNetwork:
    forward = None if data["forward"] is None else Forward(data["forward"])
    return LibvirtNetwork(**{**data, "forward": forward, "parents": tuple(data.get("parents", ()))})


def _disk(data: dict[str, Any]) -> Disk:
    return Disk(**{**data, "format": DiskFormat(data["format"])})


def _bridge_vlans(data: dict[str, Any]) -> BridgeVlans:
    return BridgeVlans(**{**data, "carried": tuple((first, last) for first, last in data["carried"])})


BRIDGE_VLANS = JsonText(asdict, _bridge_vlans)
EMULATIONS = JsonText(_as_dicts, lambda items: tuple(Emulation(**item) for item in items))
STORAGE_POOLS = JsonText(_as_dicts, lambda items: tuple(_storage_pool(item) for item in items))
LIBVIRT_NETWORKS = JsonText(_as_dicts, lambda items: tuple(_libvirt_network(item) for item in items))
FINDINGS = JsonText(_as_dicts, lambda items: tuple(Finding(**item) for item in items))
DRIFT = JsonText(_as_dicts, lambda items: tuple(Drift(**item) for item in items))
POOL_TAGS = JsonText(
    lambda value: [[name, list(tags)] for name, tags in value],
    lambda items: tuple((name, tuple(tags)) for name, tags in items),
)
BOOT_MODES = JsonText(list, lambda items: tuple(BootMode(item) for item in items))
DISKS = JsonText(_as_dicts, lambda items: tuple(_disk(item) for item in items))
