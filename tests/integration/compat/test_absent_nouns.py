"""Nouns that MAAS has and hostloom has nothing for: the answers say why, and are never a bare 404."""

import pytest

from hostloom.compat.maas2.handlers.absent import ABSENT
from support.maas import Maas, make_key
from support.server import NOON, Running

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ann@laptop"


@pytest.fixture
def node(maas: Maas) -> str:
    return str(maas.post("devices/", mac_addresses="52:54:00:00:aa:01", hostname="d")["system_id"])


def filled(path: str, node: str) -> str:
    return path.format(
        system_id=node, id=7, name="x", osystem="ubuntu", distro_series="noble", discovery_id="x",
        filename="x", boot_source_id=1, device_id=1,
    )  # fmt: skip


@pytest.mark.parametrize("noun", ABSENT, ids=lambda noun: noun.collection)
def test_lists_are_empty_and_changes_are_refused_with_the_reason(maas: Maas, node: str, noun: object) -> None:
    path, one = filled(noun.path, node), filled(noun.member_path, node)  # type: ignore[attr-defined]
    assert maas.get(path) == []
    refused = maas.send("POST", path, {"name": "x", "anything": "y"})
    assert (refused.status_code, refused.text) == (409, noun.reason)  # type: ignore[attr-defined]
    for method in ("GET", "PUT", "DELETE"):
        missing = maas.send(method, one, {"x": "1"} if method == "PUT" else None)
        assert missing.status_code == 404
        assert noun.reason in missing.text  # type: ignore[attr-defined]
    for op in noun.reads:  # type: ignore[attr-defined]
        assert maas.get(path, op=op) == []
    for op in noun.changes:  # type: ignore[attr-defined]
        assert maas.send("POST", path, {}, op=op).status_code == 409
    for op in noun.member_changes:  # type: ignore[attr-defined]
        assert maas.send("POST", one, {}, op=op).status_code == 404
    if "{system_id}" in noun.path:  # type: ignore[attr-defined]
        assert maas.send("GET", filled(noun.path, "nobody")).status_code == 404  # type: ignore[attr-defined]


def test_names_of_dns_are_refused_with_the_reason(maas: Maas) -> None:
    wanted = {"name": "www", "domain": "maas", "rrtype": "CNAME", "rrdata": "web.maas"}
    for path in ("dnsresourcerecords/", "dnsresources/"):
        refused = maas.send("POST", path, wanted)
        assert (refused.status_code, "serves no DNS" in refused.text) == (409, True)


def test_who_may_not_change_things_learns_no_more(server: Running, maas: Maas) -> None:
    other = Maas(server.url, make_key(server.ports, "bob", admin=False), NOON)
    assert other.get("dhcp-snippets/") == []
    assert other.send("POST", "dhcp-snippets/", {"name": "x"}).status_code == 403


def test_ssh_keys_are_kept(server: Running, maas: Maas) -> None:
    assert maas.get("account/prefs/sshkeys/") == []
    made = maas.post("account/prefs/sshkeys/", key=KEY)
    assert (made["key"], made["keysource"]) == (KEY, "")
    path = f"account/prefs/sshkeys/{made['id']}/"
    assert made["resource_uri"].endswith(path)
    assert maas.get(path) == made
    other = Maas(server.url, make_key(server.ports, "bob", admin=False), NOON)
    assert other.get("account/prefs/sshkeys/") == []
    assert other.send("DELETE", path).status_code == 404
    theirs = other.post("account/prefs/sshkeys/", key=KEY)
    assert theirs["id"] != made["id"]
    again = maas.send("POST", "account/prefs/sshkeys/", {"key": KEY.replace("ann", "eve")})
    assert (again.status_code, list(again.json())) == (400, ["key"])
    maas.delete(path)
    assert maas.get("account/prefs/sshkeys/") == []
    assert other.get("account/prefs/sshkeys/") == [theirs]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 !!!",
        "ssh-rsa " + KEY.split()[1],
        f"command=x {KEY}",
        KEY + "\nssh-ed25519 AAAA",
        "ssh-ed25519 AAAA",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "x" * 10_000,
    ],
)
def test_an_invalid_ssh_key_is_refused(maas: Maas, key: str) -> None:
    refused = maas.send("POST", "account/prefs/sshkeys/", {"key": key})
    assert (refused.status_code, list(refused.json())) == (400, ["key"])


def test_more_of_machines(fleet: Maas) -> None:
    made = fleet.post("machines/", hostname="bare", architecture="amd64", mac_addresses="52:54:00:00:aa:01")
    path = f"machines/{made['system_id']}/"
    details = fleet.send("GET", path, op="details")
    assert (details.status_code, details.headers["content-type"]) == (200, "application/bson")
    assert details.content == b"\x11\x00\x00\x00\x0alshw\x00\x0alldp\x00\x00"
    for op in ("get_curtin_config",):
        refused = fleet.send("GET", path, op=op)
        assert (refused.status_code, "does not use curtin" in refused.text) == (409, True)
    for op in ("set_storage_layout", "rescue_mode", "test", "mount_special"):
        refused = fleet.send("POST", path, {"x": "1"}, op=op)
        assert (refused.status_code, len(refused.text) > 20) == (409, True)
    assert fleet.get("machines/", op="is_registered", mac_address="52:54:00:00:AA:01") is True
    assert fleet.get("machines/", op="is_registered", mac_address="52:54:00:00:aa:02") is False
    assert fleet.get("machines/", op="power_parameters") == {made["system_id"]: {}}
    assert fleet.post("machines/", "accept_all") == []
    assert fleet.send("POST", "machines/", {"chassis_type": "virsh"}, op="add_chassis").status_code == 409


def test_machines_move_to_a_zone_together_or_not_at_all(fleet: Maas) -> None:
    fleet.post("zones/", name="east")
    wanted = {"a": "52:54:00:00:aa:01", "b": "52:54:00:00:aa:02"}
    made = [
        fleet.post("machines/", hostname=n, architecture="amd64", mac_addresses=m) for n, m in wanted.items()
    ]
    keys = [machine["system_id"] for machine in made]
    wrong = fleet.send("POST", "machines/", {"zone": "east", "nodes": [*keys, "nobody"]}, op="set_zone")
    assert (wrong.status_code, list(wrong.json())) == (400, ["nodes"])
    assert {machine["zone"]["name"] for machine in fleet.get("machines/")} == {"default"}
    assert fleet.post("machines/", "set_zone", zone="east", nodes=keys) is None
    assert {machine["zone"]["name"] for machine in fleet.get("machines/")} == {"east"}
    assert fleet.send("POST", "machines/", {"zone": "moon", "nodes": keys}, op="set_zone").status_code == 400
