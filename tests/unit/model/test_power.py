"""The settings of a machine's power: which fields suit which kind."""

import pytest

from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import SystemId
from hostloom.model.power import (
    IpmiPrivilege,
    PowerKind,
    PowerSettings,
    check_password,
    check_power_settings,
)

GOOD: list[dict[str, object]] = [
    {"kind": PowerKind.MANUAL},
    {"kind": PowerKind.IPMI, "address": "10.0.0.9"},
    {"kind": PowerKind.IPMI, "address": "fd00::9", "port": 623, "user": "admin", "cipher_suite": 17},
    {"kind": PowerKind.IPMI, "address": "bmc-1.example"},
    {"kind": PowerKind.REDFISH, "address": "https://bmc:8443", "power_id": "1", "verify_tls": False},
    {"kind": PowerKind.REDFISH, "address": "https://[fd00::9]/redfish/v1"},
    {"kind": PowerKind.LIBVIRT, "address": "qemu+ssh://u@10.0.0.5/system", "power_id": "bare1"},
]
BAD: list[tuple[dict[str, object], str]] = [
    ({"kind": PowerKind.MANUAL, "address": "10.0.0.9"}, "address"),
    ({"kind": PowerKind.MANUAL, "secret": "x"}, "password"),
    ({"kind": PowerKind.IPMI}, "address"),
    ({"kind": PowerKind.IPMI, "address": "-x"}, "address"),
    ({"kind": PowerKind.IPMI, "address": "bmc name"}, "address"),
    ({"kind": PowerKind.IPMI, "address": "10.0.0.9", "port": 0}, "port"),
    ({"kind": PowerKind.IPMI, "address": "10.0.0.9", "cipher_suite": 18}, "cipher_suite"),
    ({"kind": PowerKind.IPMI, "address": "10.0.0.9", "user": "a\nb"}, "user"),
    ({"kind": PowerKind.IPMI, "address": "10.0.0.9", "power_id": "1"}, "power_id"),
    ({"kind": PowerKind.REDFISH, "address": "bmc"}, "address"),
    ({"kind": PowerKind.REDFISH, "address": "https://u:p@bmc"}, "address"),
    ({"kind": PowerKind.REDFISH, "address": "https://bmc:0"}, "address"),
    ({"kind": PowerKind.REDFISH, "address": "https://bmc:99999"}, "address"),
    ({"kind": PowerKind.REDFISH, "address": "https://bmc?x=1"}, "address"),
    ({"kind": PowerKind.REDFISH, "address": "https://bmc", "port": 1}, "port"),
    ({"kind": PowerKind.LIBVIRT, "address": "qemu:///system"}, "power_id"),
    ({"kind": PowerKind.LIBVIRT, "address": "qemu:///system", "power_id": "a", "user": "u"}, "user"),
]


@pytest.mark.parametrize("values", GOOD)
def test_settings_that_suit_their_kind_are_accepted(values: dict[str, object]) -> None:
    check_power_settings(PowerSettings(SystemId("bare01"), **values))  # type: ignore[arg-type]


@pytest.mark.parametrize(("values", "field"), BAD)
def test_settings_that_do_not_suit_their_kind_name_the_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_power_settings(PowerSettings(SystemId("bare01"), **values))  # type: ignore[arg-type]
    assert caught.value.field == field


def test_a_word_that_does_not_suit_the_kind_is_quoted_as_a_user_writes_it() -> None:
    values = PowerSettings(SystemId("bare01"), PowerKind.MANUAL, privilege=IpmiPrivilege.OPERATOR)
    with pytest.raises(InvalidValue, match=r"^privilege 'operator' is not used by kind manual; omit it$"):
        check_power_settings(values)


@pytest.mark.parametrize("password", ["x" * 21, "ä" * 11, "line\nbreak"])
def test_a_password_that_ipmi_cannot_use_is_refused_without_showing_it(password: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_password(PowerKind.IPMI, password)
    assert password not in str(caught.value)


def test_the_secret_is_not_in_the_text_of_the_settings() -> None:
    assert "s3cret" not in repr(
        PowerSettings(SystemId("bare01"), PowerKind.IPMI, "10.0.0.9", secret="s3cret")
    )
