"""Step inputs and outputs to JSON and back, by type: a typo is a type error, not a missing key."""

from decimal import Decimal
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any, TypeVar

import cattrs
from cattrs.preconf.json import make_converter

from hostloom.model.decimals import exact
from hostloom.model.ids import MacAddress

T = TypeVar("T")


def _converter() -> cattrs.Converter:
    converter = make_converter(forbid_extra_keys=True)
    for one in (IPv4Address, IPv6Address, IPv4Network, IPv6Network, IPv4Interface, IPv6Interface, MacAddress):
        converter.register_unstructure_hook(one, str)
    converter.register_structure_hook(IPv4Address | IPv6Address, lambda text, _: ip_address(text))
    converter.register_structure_hook(IPv4Network | IPv6Network, lambda text, _: ip_network(text))
    converter.register_structure_hook(IPv4Interface | IPv6Interface, lambda text, _: ip_interface(text))
    for union in (IPv4Address | IPv6Address, IPv4Network | IPv6Network, IPv4Interface | IPv6Interface):
        converter.register_unstructure_hook(union, str)
    converter.register_structure_hook(IPv4Address | IPv6Address | None, _optional_address)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda number, _: exact(number))
    converter.register_structure_hook(MacAddress, lambda text, _: MacAddress(text))
    return converter


def _optional_address(text: Any, _: object) -> IPv4Address | IPv6Address | None:
    return None if text is None else ip_address(text)


_CONVERTER = _converter()


def to_json(value: object) -> Any:
    """Plain JSON data of a dataclass; None stays None."""
    return _CONVERTER.unstructure(value)


def from_json(data: Any, kind: type[T]) -> T:
    """The dataclass again, equal by value to what was written."""
    return _CONVERTER.structure(data, kind)
