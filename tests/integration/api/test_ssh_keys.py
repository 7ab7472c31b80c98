"""SSH keys of users over the API: who may add, see and delete which."""

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from support.seeds import KEY

OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ann@laptop"


@pytest.fixture
def login(http: httpx.Client) -> Callable[[str], dict[str, str]]:
    """The header with which a user, who is made, is let in."""

    def make(name: str) -> dict[str, str]:
        http.post("/users", json={"name": name})
        token = http.post("/tokens", json={"user": name}).json()["text"]
        return {"Authorization": f"Bearer {token}"}

    return make


def keys(http: httpx.Client, **options: Any) -> list[Any]:
    items: list[Any] = http.get("/ssh-keys", **options).json()["items"]
    return items


def test_users_manage_their_own_keys(http: httpx.Client, login: Callable[[str], dict[str, str]]) -> None:
    ann, bob = login("ann"), login("bob")
    made = http.post("/ssh-keys", json={"public_key": KEY}, headers=ann)
    assert made.status_code == 201
    key = made.json()
    assert (key["user"], key["name"], key["public_key"]) == ("ann", "ann@example", KEY)
    assert keys(http, headers=ann) == [key]
    assert keys(http, headers=bob) == []
    for path in (f"/ssh-keys/{key['id']}", "/ssh-keys/ann@example", f"/ssh-keys/{key['fingerprint']}"):
        assert http.get(path, headers=ann).json() == key
        assert http.get(path, headers=bob).status_code == 404
        assert http.delete(path, headers=bob).status_code == 404
    assert http.post("/ssh-keys", json={"public_key": KEY, "user": "ann"}, headers=bob).status_code == 403
    assert http.get("/ssh-keys", params={"user": "ann"}, headers=bob).status_code == 403
    assert http.delete(f"/ssh-keys/{key['fingerprint']}", headers=ann).status_code == 204
    assert keys(http, headers=ann) == []


def test_administrators_manage_the_keys_of_all(
    http: httpx.Client, login: Callable[[str], dict[str, str]]
) -> None:
    login("ann"), login("bob")
    made = [
        http.post("/ssh-keys", json={"public_key": KEY, "user": user, "name": "k"}).json()
        for user in ("ann", "bob")
    ]
    assert keys(http) == made
    assert keys(http, params={"limit": 1}) == made[:1]
    assert keys(http, params={"after": made[0]["id"]}) == made[1:]
    assert keys(http, params={"user": "bob"}) == made[1:]
    ambiguous = http.get("/ssh-keys/k")
    assert (ambiguous.status_code, ambiguous.json()["detail"]) == (
        422,
        f"key 'k' is the name of several SSH keys; use one of the ids {made[0]['id']}, {made[1]['id']}",
    )
    assert http.delete(f"/ssh-keys/{made[1]['id']}").status_code == 204
    events = http.get("/events", params={"limit": 10}).json()["items"]
    told = [(event["kind"], event["subject"]) for event in events if event["kind"].startswith("ssh-key")]
    added, deleted = "ssh-key-added", "ssh-key-deleted"
    assert sorted(told) == sorted([(added, "user ann"), (added, "user bob"), (deleted, "user bob")])


def test_the_local_administrator_names_the_user(http: httpx.Client) -> None:
    refused = http.post("/ssh-keys", json={"public_key": KEY})
    assert refused.status_code == 422
    assert refused.json()["detail"].endswith(
        "has no account on this server; name the user that the key belongs to"
    )
    unknown = http.post("/ssh-keys", json={"public_key": KEY, "user": "nobody"})
    assert unknown.status_code == 404
    assert http.get("/ssh-keys/7").status_code == 404


def test_a_key_that_is_there_or_one_too_many_is_refused(
    http: httpx.Client, login: Callable[[str], dict[str, str]]
) -> None:
    ann = login("ann")
    http.post("/ssh-keys", json={"public_key": KEY}, headers=ann)
    again = http.post("/ssh-keys", json={"public_key": KEY.replace("ann@", "eve@")}, headers=ann)
    assert (again.status_code, again.json()["code"]) == (409, "already-exists")
    for number in range(99):
        made = http.post("/ssh-keys", json={"public_key": key_number(number)}, headers=ann)
        assert made.status_code == 201
    full = http.post("/ssh-keys", json={"public_key": OTHER}, headers=ann)
    assert (full.status_code, "at most 100" in full.json()["detail"]) == (422, True)


def key_number(number: int) -> str:
    """An Ed25519 key with this number in its last byte but one."""
    kind, data, _ = OTHER.split()
    blob = bytearray(base64.b64decode(data))
    blob[-2] = number
    blob[-1] = 255
    return f"{kind} {base64.b64encode(blob).decode()}"
