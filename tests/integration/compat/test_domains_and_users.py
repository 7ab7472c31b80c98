"""The default domain, and users with passwords, by MAAS's API."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.ids import MacAddress
from hostloom.services import access, passwords
from hostloom.services.groupings import DOMAINS, DomainChanges, DomainInput
from hostloom.services.nodes import DeviceInput, create_device
from support.little_world import LittleWorld
from support.maas import Maas, make_key
from support.server import NOON, Running, running


def default_of(maas: Maas) -> list[str]:
    return [domain["name"] for domain in maas.get("domains/") if domain["is_default"]]


def test_the_default_domain_of_a_fresh_server_is_called_as_with_maas(maas: Maas) -> None:
    (domain,) = maas.get("domains/")
    assert (domain["name"], domain["id"], domain["is_default"]) == ("maas", 1, True)
    device = maas.post("devices/", mac_addresses="52:54:00:00:aa:01", hostname="printer", domain="maas")
    assert device["fqdn"] == "printer.maas"


@pytest.mark.parametrize("touched", ["renamed", "another", "device"])
def test_a_default_domain_in_use_keeps_its_name(tmp_path: Path, touched: str) -> None:
    with running(tmp_path) as server:
        with server.ports.store.begin() as uow:
            if touched == "renamed":
                renamed = DOMAINS.update(uow, LOCAL_ADMIN, "1", DomainChanges("lab"))
                DOMAINS.update(uow, LOCAL_ADMIN, renamed.name, DomainChanges("default"))
            elif touched == "another":
                DOMAINS.create(uow, LOCAL_ADMIN, DomainInput("lab"))
            else:
                wanted = DeviceInput("printer", (MacAddress("52:54:00:00:aa:01"),))
                create_device(uow, LOCAL_ADMIN, server.ports.ids, wanted)
            uow.commit()
        maas = Maas(server.url, make_key(server.ports), NOON)
        assert default_of(maas) == ["default"]


def test_another_domain_becomes_the_default(fleet: Maas) -> None:
    before = fleet.get("domains/")[0]
    composed = fleet.post("vm-hosts/1/", "compose", hostname="vm1")["system_id"]
    kept = fleet.post("devices/", mac_addresses="52:54:00:00:aa:01", hostname="printer")
    made = fleet.post("domains/", name="east.example")
    assert made["is_default"] is False
    shown = fleet.post(f"domains/{made['id']}/", "set_default")
    assert (shown["is_default"], shown["name"]) == (True, "east.example")
    assert fleet.post(f"domains/{made['id']}/", "set_default") == fleet.get(f"domains/{made['id']}/")
    assert default_of(fleet) == ["east.example"]
    # Free machines move along, others stay.
    assert fleet.get(f"machines/{composed}/")["fqdn"] == "vm1.east.example"
    assert fleet.get(f"devices/{kept['system_id']}/")["fqdn"] == f"printer.{before['name']}"
    # What names no domain is in it from now on.
    device = fleet.post("devices/", mac_addresses="52:54:00:00:aa:02", hostname="scanner")
    assert device["fqdn"] == "scanner.east.example"
    second = fleet.post("vm-hosts/1/", "compose", hostname="vm2")["system_id"]
    assert fleet.get(f"machines/{second}/")["domain"]["name"] == "east.example"
    bare = fleet.post("machines/", mac_addresses="52:54:00:00:aa:03", hostname="bare", architecture="amd64")
    assert bare["fqdn"] == "bare.east.example"
    third = fleet.post("vm-hosts/1/", "compose", hostname="vm3", domain=str(before["id"]))["system_id"]
    assert fleet.get(f"machines/{third}/")["domain"]["name"] == before["name"]
    # The default one stays, the former one may go once it is empty.
    assert fleet.send("DELETE", f"domains/{made['id']}/").status_code == 409
    assert fleet.send("POST", "domains/99/", {}, op="set_default").status_code == 404


def test_only_administrators_choose_the_default_domain(server: Running, maas: Maas) -> None:
    made = maas.post("domains/", name="east.example")
    other = Maas(server.url, make_key(server.ports, "bob", admin=False), NOON, maas.nonces)
    assert other.send("POST", f"domains/{made['id']}/", {}, op="set_default").status_code == 403
    assert default_of(maas) == ["maas"]


# -- users -------------------------------------------------------------------------------------------------


def log_in(maas: Maas, username: str, password: str) -> httpx.Response:
    data = {"username": username, "password": password, "consumer": "test"}
    return httpx.post(f"{maas.url}/MAAS/accounts/authenticate/", data=data)


@pytest.fixture
def bob(maas: Maas) -> Iterator[Maas]:
    """A client who logged in with a password."""
    made = maas.post("users/", username="bob", email="b@x.org", password="pässword 1", is_superuser="0")
    assert (made["username"], made["email"], made["is_superuser"]) == ("bob", "b@x.org", False)
    assert "password" not in made
    answer = log_in(maas, "bob", "pässword 1")
    assert answer.status_code == 200, answer.text
    parts = answer.json()
    key = ":".join(parts[name] for name in ("consumer_key", "token_key", "token_secret"))
    yield Maas(maas.url, key, NOON)


def test_a_user_logs_in_with_a_password(bob: Maas) -> None:
    assert bob.get("users/", op="whoami")["username"] == "bob"
    assert bob.get("machines/") == []
    assert bob.send("POST", "users/", {"username": "eve", "password": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("bob", "password 1"),
        ("bob", ""),
        ("bob", "pässword 1 "),
        ("eve", "pässword 1"),
        ("ann", "pässword 1"),
        ("bob", "x" * 100_000),
        ("bob' OR 1=1 --", "x"),
    ],
)
def test_nothing_but_the_password_will_do(maas: Maas, bob: Maas, username: str, password: str) -> None:
    answer = log_in(maas, username, password)
    assert answer.status_code in (400, 401, 413)
    assert "pässword" not in answer.text


def test_passwords_are_hashed_with_a_salt(server: Running, maas: Maas) -> None:
    for name in ("bob", "eve"):
        maas.post("users/", username=name, email="", password="the same one", is_superuser="1")
    with server.ports.store.begin() as uow:
        users = {user.name: user for user in uow.users.list()}
        hashes = {uow.passwords.of(users[name].id) for name in ("bob", "eve")}
        assert uow.passwords.of(users["ann"].id) is None
    assert len(hashes) == 2
    assert all(text and text.startswith("scrypt:") and "same" not in text for text in hashes)


@pytest.mark.parametrize("password", ["", "x" * 1025])
def test_a_password_has_a_length(maas: Maas, password: str) -> None:
    refused = maas.send("POST", "users/", {"username": "bob", "password": password})
    assert (refused.status_code, list(refused.json())) == (400, ["password"])
    assert "xxxx" not in refused.text
    assert [user["username"] for user in maas.get("users/")] == ["ann"]


def test_a_user_is_deleted_with_tokens_and_keys(server: Running, maas: Maas, bob: Maas) -> None:
    with server.ports.store.begin() as uow:
        access.create_token(uow, LOCAL_ADMIN, server.ports.clock, server.ports.ids, "bob", "laptop")
        uow.commit()
    maas.delete("users/bob/")
    assert bob.send("GET", "users/", op="whoami").status_code == 401
    assert log_in(maas, "bob", "pässword 1").status_code in (400, 401)
    maas.post("users/", username="bob", password="another one", is_superuser="0")
    assert log_in(maas, "bob", "pässword 1").status_code in (400, 401)


def test_machines_of_a_deleted_user_go_to_another_one(world: LittleWorld, fleet: Maas) -> None:
    fleet.post("users/", username="bob", password="pw", is_superuser="1")
    system_id = fleet.post("machines/", "allocate", pod="kvm1")["system_id"]
    with world.ports.store.begin() as uow:
        uow.machines.update(replace(uow.machines.get(system_id), owner="bob"))
        uow.commit()
    assert fleet.send("DELETE", "users/bob/").status_code == 409
    wrong = fleet.send("DELETE", "users/bob/", transfer_resources_to="nobody")
    assert (wrong.status_code, list(wrong.json())) == (400, ["transfer_resources_to"])
    assert fleet.send("DELETE", "users/bob/", transfer_resources_to="ann").status_code == 204
    assert fleet.get(f"machines/{system_id}/")["owner"] == "ann"


def test_an_unknown_name_costs_a_hash_too(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a login does not reveal which users exist."""
    hashed: list[str] = []
    real = passwords._hash

    def counting(password: str, salt: bytes) -> str:
        hashed.append(password)
        return real(password, salt)

    monkeypatch.setattr(passwords, "_hash", counting)
    with server.ports.store.begin() as uow:
        assert passwords.find(uow, "nobody", "x") is None
    assert hashed == ["x"]
