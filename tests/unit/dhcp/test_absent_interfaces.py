"""What Kea says of an interface that it does not see."""

import copy

from hostloom.dhcp.absent_interfaces import missing_interface, without

WORDS = (
    "config-set: Failed to select interface: interface 'lab' doesn't exist in the system (<wire>:0:87)",
    "config-test: Specified network interface name lab for subnet 10.0.0.0/24 is not present in the system",
)
DOCUMENT = {
    "Dhcp4": {
        "interfaces-config": {"interfaces": ["lab", "mgmt"]},
        "subnet4": [{"id": 1, "interface": "lab"}, {"id": 2, "interface": "mgmt"}],
        "shared-networks": [{"name": "vlan-3", "subnet4": [{"id": 3, "interface": "lab"}]}],
    }
}


def test_both_of_its_refusals_name_the_interface() -> None:
    assert [missing_interface(each) for each in WORDS] == ["lab", "lab"]
    assert missing_interface("config-set: subnet 10.0.0.0/24 overlaps") is None


def test_only_what_was_served_there_goes() -> None:
    before = copy.deepcopy(DOCUMENT)
    rest = without(DOCUMENT, "lab")["Dhcp4"]
    assert before == DOCUMENT
    assert rest["interfaces-config"]["interfaces"] == ["mgmt"]
    assert rest["subnet4"] == [{"id": 1}, {"id": 2, "interface": "mgmt"}]
    assert rest["shared-networks"][0]["subnet4"] == [{"id": 3}]
    assert without(DOCUMENT, "other") == DOCUMENT
