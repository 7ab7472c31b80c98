"""Converts typed inputs and outputs of steps to JSON and back."""

from collections.abc import Callable
from dataclasses import replace
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
from cattrs.gen import make_dict_structure_fn
from cattrs.preconf.json import make_converter

from hostloom.decide.request.resolve import parse_request
from hostloom.model.decimals import exact
from hostloom.model.ids import MacAddress
from hostloom.model.plan import Plan
from hostloom.model.request import ComposeRequest, ParsedRequest

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
    converter.register_structure_hook(ParsedRequest, _request_hook(converter))
    converter.register_structure_hook(Plan, _plan_hook(converter))
    return converter


def _request_hook(converter: cattrs.Converter) -> Callable[[Any, object], ParsedRequest]:
    """Read requests in the current format, and in that of earlier versions, which recorded only the texts."""
    structure = make_dict_structure_fn(ParsedRequest, converter, _cattrs_forbid_extra_keys=True)

    def read(data: Any, kind: object) -> ParsedRequest:
        if "labels" in data:
            return structure(data, kind)
        bound = {name: data.get(name) for name in ("in_zone", "in_resource_pool")}
        written = {name: value for name, value in data.items() if name not in bound}
        return replace(parse_request(converter.structure(written, ComposeRequest)), **bound)

    return read


def _plan_hook(converter: cattrs.Converter) -> Callable[[Any, object], Plan]:
    """Read plans in the current format, and in that of earlier versions, which had NICs and disks twice."""
    structure = make_dict_structure_fn(Plan, converter, _cattrs_forbid_extra_keys=True)

    def read(data: Any, kind: object) -> Plan:
        if "interfaces" in data:
            repeated = ("interfaces", "disks", "netboot")
            subnet_ids = [nic["subnet_ids"] for nic in data["interfaces"]]
            data = {name: value for name, value in data.items() if name not in repeated}
            data["subnet_ids"] = subnet_ids
        return structure(data, kind)

    return read


def _optional_address(text: Any, _: object) -> IPv4Address | IPv6Address | None:
    return None if text is None else ip_address(text)


_CONVERTER = _converter()


def to_json(value: object) -> Any:
    """Convert a dataclass to plain JSON data; None stays None."""
    return _CONVERTER.unstructure(value)


def from_json(data: Any, kind: type[T]) -> T:
    """Convert the data back to an equal dataclass."""
    return _CONVERTER.structure(data, kind)
