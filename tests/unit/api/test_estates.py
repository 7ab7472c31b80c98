"""The document of an estate: what the command line sends is what the API reads."""

import json
from dataclasses import fields
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from hostloom.api.shapes.source_inventories import SentInventory
from hostloom.client.documents import document_of
from hostloom.model.ids import DomainId, FabricId, SubnetId, SystemId, VlanId, ZoneId
from hostloom.model.network import Subnet, Vlan
from hostloom.model.node import Node, NodeKind
from hostloom.model.source_inventory import SourceInventory
from support.imports import an_estate

READER: TypeAdapter[SourceInventory] = TypeAdapter(SentInventory)
VLAN = Vlan(VlanId(0), FabricId(0), 20, "vlan-20")


def read(estate: SourceInventory) -> SourceInventory:
    return READER.validate_json(json.dumps(document_of(estate)))


def test_an_estate_is_read_as_it_was_sent() -> None:
    estate = an_estate()
    assert all(getattr(estate, field.name) for field in fields(estate)), "an empty part shows nothing"
    assert read(estate) == estate


def test_ids_of_0_are_kept() -> None:
    node = Node(SystemId("abc123"), "web", NodeKind.MACHINE, zone_id=ZoneId(0), domain_id=DomainId(0))
    assert read(SourceInventory("MAAS", nodes=(node,))).nodes == (node,)


def test_what_only_hostloom_has_is_refused() -> None:
    subnet = Subnet(SubnetId(1), ip_network("10.0.0.0/24"), VlanId(0), "lan", lease_time_s=60)
    with pytest.raises(ValidationError, match=r"subnets\.0\.lease_time_s"):
        read(SourceInventory("MAAS", subnets=(subnet,)))


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("vlans", {"vid": 4095}),
        ("vlans", {"mtu": -1}),
        ("vlans", {"name": "n" * 256}),
        ("vlans", {"space_id": "1"}),
        ("vlans", {"dhcp_on": 1}),
        ("vlans", {"colour": "blue"}),
        ("subnets", {"cidr": "10.0.0.1/24"}),
        ("held", {"ip": "fe80::1%eth0", "kind": "static"}),
        ("machines", {"system_id": "a b"}),
        ("ttls", {"domain_id": 1, "seconds": 0}),
    ],
)
def test_what_is_out_of_bounds_is_refused(part: str, changes: dict[str, Any]) -> None:
    whole: dict[str, dict[str, Any]] = {
        "vlans": document_of(VLAN),
        "subnets": {"id": 1, "cidr": "10.0.0.0/24", "vlan_id": 1, "name": "lan"},
        "held": {},
        "machines": {},
        "ttls": {},
    }
    with pytest.raises(ValidationError):
        READER.validate_python({"source": "MAAS", part: [whole[part] | changes]})
    assert READER.validate_python({"source": "MAAS", "vlans": [document_of(VLAN)]}).vlans == (VLAN,)
