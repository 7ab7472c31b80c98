"""The power of bare machines over MAAS's API: types, parameters, and what is switched."""

import json

import pytest

from hostloom.model.machine import PowerState
from support.fake_power import PASSWORD, FakeBmc, FakePowerDrivers
from support.little_world import LittleWorld
from support.maas import Maas

BARE = {"hostname": "bare", "architecture": "amd64/generic", "mac_addresses": "52:54:00:00:aa:01"}
IPMI = {
    "power_type": "ipmi",
    "power_parameters_power_address": "10.9.0.9",
    "power_parameters_power_user": "admin",
    "power_parameters_power_pass": PASSWORD,
}


@pytest.fixture
def bmc(world: LittleWorld) -> FakeBmc:
    assert isinstance(world.ports.power, FakePowerDrivers)
    return world.ports.power.add("10.9.0.9")


def create(maas: Maas, **fields: str) -> str:
    """The path of a bare machine with power parameters."""
    return f"machines/{maas.post('machines/', **BARE, **fields)['system_id']}/"


def test_a_machine_is_created_with_power_parameters_and_switched(fleet: Maas, bmc: FakeBmc) -> None:
    path = create(fleet, **IPMI, commission="false")
    assert fleet.get(path)["power_type"] == "ipmi"
    assert fleet.get(path, op="query_power_state") == {"state": "off"}
    assert fleet.post(path, "power_on")["power_state"] == "on"
    assert (bmc.state, fleet.get(path, op="query_power_state")) == (PowerState.ON, {"state": "on"})
    assert fleet.post(path, "power_off")["power_state"] == "off"


def test_commissioning_at_creation_switches_it_on(fleet: Maas, bmc: FakeBmc) -> None:
    create(fleet, **IPMI, commission="true")
    assert bmc.calls == ["boot from network", "power on"]


def test_parameters_come_in_one_field_or_in_several_and_are_merged(fleet: Maas, bmc: FakeBmc) -> None:
    document = {"power_address": "10.9.0.9", "power_user": "admin", "power_pass": PASSWORD}
    path = create(fleet, power_type="ipmi", power_parameters=json.dumps(document))
    fleet.put(path, power_parameters_cipher_suite_id="3", power_parameters_privilege_level="OPERATOR")
    assert fleet.get(path, op="power_parameters") == {
        "power_address": "10.9.0.9",
        "power_user": "admin",
        "power_pass": "",
        "power_driver": "LAN_2_0",
        "cipher_suite_id": "3",
        "privilege_level": "OPERATOR",
        "power_boot_type": "auto",
    }
    assert fleet.get(path, op="query_power_state") == {"state": "off"}


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (
            {
                "power_type": "redfish",
                "power_parameters_power_address": "10.9.0.9",
                "power_parameters_node_id": "1",
            },
            {"power_address": "https://10.9.0.9", "power_user": "", "power_pass": "", "node_id": "1"},
        ),
        (
            {
                "power_type": "virsh",
                "power_parameters_power_address": "qemu+ssh://u@10.9.0.9/system",
                "power_parameters_power_id": "bare1",
            },
            {"power_address": "qemu+ssh://u@10.9.0.9/system", "power_id": "bare1"},
        ),
        ({"power_type": "manual"}, {}),
    ],
)
def test_every_type_has_its_parameters(fleet: Maas, fields: dict[str, str], shown: dict[str, str]) -> None:
    path = create(fleet, **fields)
    assert fleet.get(path)["power_type"] == fields["power_type"]
    assert fleet.get(path, op="power_parameters") == shown


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"power_type": "moonshot"}, "power_type"),
        ({"power_parameters_power_address": "10.9.0.9"}, "power_type"),
        (IPMI | {"power_parameters_power_pass": "x" * 21}, "power_parameters_power_pass"),
        (IPMI | {"power_parameters_power_address": "no host"}, "power_parameters_power_address"),
        (IPMI | {"power_parameters_cipher_suite_id": "99"}, "power_parameters_cipher_suite_id"),
        (IPMI | {"power_parameters_cipher_suite_id": "x"}, "power_parameters_cipher_suite_id"),
        (IPMI | {"power_parameters_k_g": "key"}, "power_parameters_k_g"),
        (IPMI | {"power_parameters_power_driver": "LAN"}, "power_parameters_power_driver"),
        (IPMI | {"power_parameters_magic": "1"}, "power_parameters_magic"),
        (IPMI | {"power_parameters_privilege_level": "ROOT"}, "power_parameters_privilege_level"),
        ({"power_type": "ipmi", "power_parameters": "[]"}, "power_parameters"),
    ],
)
def test_bad_parameters_are_refused_by_name_and_create_nothing(
    fleet: Maas, fields: dict[str, str], named: str
) -> None:
    refused = fleet.send("POST", "machines/", BARE | fields)
    assert (refused.status_code, list(refused.json())) == (400, [named])
    assert PASSWORD not in refused.text
    assert fleet.get("machines/", hostname="bare") == []
