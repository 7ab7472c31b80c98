"""Parameters that an action does not take: ignored as MAAS does, unless MAAS would act on them."""

import httpx
import pytest
import structlog

from support.maas import Maas


def composed(maas: Maas) -> str:
    """The system id of a machine on the host."""
    return str(maas.post("vm-hosts/1/", "compose", hostname="vm1")["system_id"])


def test_what_maas_ignores_is_ignored_and_logged(maas: Maas) -> None:
    with structlog.testing.capture_logs() as logs:
        made = maas.post("zones/", name="east", colour="red", password="hunter2")
    assert made["name"] == "east"
    (line,) = [log for log in logs if log["event"] == "parameters ignored"]
    assert (line["resource"], line["action"], line["count"]) == ("Zones", "create", 2)
    assert line["names"] == ["colour", "password"]
    assert "hunter2" not in str(logs)


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("GET", "machines/", {"colour": "red"}),
        ("GET", "fabrics/", {"limit": "5"}),
        ("POST", "fabrics/", {"name": "g", "class_type": "x", "vlans": "[]"}),
        ("PUT", "vm-hosts/1/", {"tags": "a", "console_log": "1", "id": "1", "project": "x"}),
        ("DELETE", "zones/gone/", {"force": "true"}),
    ],
)
def test_more_that_is_ignored(fleet: Maas, method: str, path: str, fields: dict[str, str]) -> None:
    if method == "DELETE":
        fleet.post("zones/", name="gone")
    query = fields if method in ("GET", "DELETE") else {}
    body = None if query else fields
    assert fleet.send(method, path, body, **query).is_success


def test_a_flood_of_names_leaves_a_short_log_line(maas: Maas) -> None:
    names = {f"field-{number}-" + "x" * 500: "1" for number in range(200)}
    with structlog.testing.capture_logs() as logs:
        assert maas.send("POST", "zones/", {"name": "east", **names}).is_success
    (line,) = [log for log in logs if log["event"] == "parameters ignored"]
    assert line["count"] == 200
    assert len(str(line)) < 3000


def test_a_link_takes_the_whole_record_of_the_ansible_module(fleet: Maas) -> None:
    key = composed(fleet)
    (nic,) = fleet.get(f"nodes/{key}/interfaces/")
    subnet = fleet.get("subnets/")[0]["id"]
    linked = fleet.post(
        f"nodes/{key}/interfaces/{nic['id']}/",
        "link_subnet",
        name="eth0",
        subnet=subnet,
        mode="DHCP",
        fabric="f",
        state="present",
    )
    assert [link["mode"] for link in linked["links"]] == ["dhcp"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"power_type": "ipmi"}, "power_type"),
        ({"power_parameters_power_address": "10.0.0.9"}, "power_parameters"),
        ({"min_hwe_kernel": "ga-22.04"}, "min_hwe_kernel"),
        ({"enable_hw_sync": "true"}, "enable_hw_sync"),
        ({"memory": "1"}, "memory"),
        ({"cpu_count": "64"}, "cpu_count"),
        ({"architecture": "arm64/generic"}, "architecture"),
        ({"swap_size": "-1"}, "swap_size"),
    ],
)
def test_what_maas_acts_on_and_hostloom_cannot_is_refused(
    fleet: Maas, fields: dict[str, str], named: str
) -> None:
    path = f"machines/{composed(fleet)}/"
    before = fleet.get(path)["description"]
    refused = fleet.send("PUT", path, {"description": "changed", **fields})
    assert (refused.status_code, list(refused.json())) == (400, [named])
    assert fleet.get(path)["description"] == before


def test_what_asks_for_nothing_passes(fleet: Maas) -> None:
    path = f"machines/{composed(fleet)}/"
    now = fleet.get(path)
    shown = fleet.put(
        path,
        swap_size="0",
        enable_hw_sync="false",
        power_type="virsh",
        power_parameters="",
        power_parameters_skip_check="true",
        min_hwe_kernel="",
        memory=now["memory"],
        cpu_count=now["cpu_count"],
        architecture=now["architecture"],
        pxe_mac_address=now["interface_set"][0]["mac_address"],
    )
    assert (shown["swap_size"], now["swap_size"]) == (0, None)
    assert fleet.get(path)["swap_size"] == 0


def test_allocating_is_strict_as_with_maas(fleet: Maas) -> None:
    refused = fleet.send("POST", "machines/", {"colour": "red"}, op="allocate")
    assert (refused.status_code, list(refused.json())) == (400, ["colour"])


def test_files_are_no_harmless_values(fleet: Maas) -> None:
    disposition = b'Content-Disposition: form-data; name="user_data"; filename="x.yaml"'
    body = b"--B\r\n" + disposition + b"\r\n\r\nruncmd\r\n--B--\r\n"
    refused = httpx.post(
        f"{fleet.url}/MAAS/api/2.0/machines/{composed(fleet)}/?op=power_on",
        content=body,
        headers={"Authorization": fleet.header(), "Content-Type": "multipart/form-data; boundary=B"},
    )
    assert (refused.status_code, list(refused.json())) == (400, ["user_data"])
