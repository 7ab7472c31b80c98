"""What MAAS's clients rely on of the transport: signatures, fields, paths, headers."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_TYPE_AUTH_HEADER, Client

from hostloom.compat.maas2.server import Facade, RawRequest
from support.maas import HTTP, ROOT, Maas, make_key
from support.server import NOON, Running

FORM = "application/x-www-form-urlencoded"
PART = b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\nmark_broken\r\n--B--'


def test_the_version_and_the_description_need_no_key(server: Running) -> None:
    version = httpx.get(f"{server.url}{ROOT}version/")
    assert version.json()["version"] == "3.7.0"
    described = httpx.get(f"{server.url}{ROOT}describe/")
    assert described.headers["content-type"] == "application/json"
    assert described.headers["x-maas-api-hash"] == described.json()["hash"]
    handler = described.json()["handlers"][0]
    assert handler["uri"] == server.url + handler["path"]


def test_every_described_path_has_its_params(server: Running) -> None:
    found = httpx.get(f"{server.url}{ROOT}describe/").json()
    names = [each["name"] for each in found["resources"]]
    assert len(names) == len(set(names))
    for handler in found["handlers"]:
        assert [f"{{{each}}}" in handler["path"] for each in handler["params"]] == [True] * len(
            handler["params"]
        )
        for action in handler["actions"]:
            assert action["op"] in (None, action["name"])


def test_without_a_key_nothing_else_is_shown(server: Running) -> None:
    for path in ("fabrics/", "users/?op=whoami", "nothing/here/"):
        found = httpx.get(f"{server.url}{ROOT}{path}")
        assert (found.status_code, found.headers["content-type"]) == (401, "text/plain; charset=utf-8")


def test_whoami_is_the_probe(maas: Maas) -> None:
    assert maas.get("users/", op="whoami") == {
        "is_superuser": True,
        "username": "ann",
        "email": "",
        "is_local": True,
        "resource_uri": "/MAAS/api/2.0/users/ann/",
    }


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"key": "a:b:c"}, "not known"),
        ({"now": NOON - 400}, "clock"),
        ({"now": NOON + 400}, "clock"),
    ],
)
def test_a_wrong_key_or_clock_is_told(maas: Maas, changed: dict[str, Any], words: str) -> None:
    for name, value in changed.items():
        setattr(maas, name, value)
    found = maas.send("GET", "fabrics/")
    assert found.status_code == 401
    assert words in found.text


def test_a_wrong_secret_is_refused(maas: Maas) -> None:
    maas.key = maas.key[:-1] + ("A" if maas.key[-1] != "A" else "B")
    assert maas.send("GET", "fabrics/").status_code == 401


def test_a_nonce_is_taken_once(server: Running, maas: Maas) -> None:
    headers = {"Authorization": maas.header()}
    answers = [httpx.get(f"{server.url}{ROOT}fabrics/", headers=headers).status_code for _ in range(2)]
    assert answers == [200, 401]


def hmac_client(key: str, nonce: str) -> Client:
    consumer, token, secret = key.split(":")
    return Client(
        consumer,
        client_secret="",
        resource_owner_key=token,
        resource_owner_secret=secret,
        signature_method=SIGNATURE_HMAC_SHA1,
        signature_type=SIGNATURE_TYPE_AUTH_HEADER,
        nonce=nonce,
        timestamp=str(int(NOON)),
    )


@pytest.mark.parametrize("secure", [False, True])
def test_hmac_covers_the_query_and_the_fields(server: Running, secure: bool) -> None:
    key = make_key(server.ports)
    shown = server.url.replace("http:", "https:") if secure else server.url
    address = f"{shown}{ROOT}fabrics/?op="
    _, headers, body = hmac_client(key, f"h{secure}").sign(
        address, "POST", "name=a%20b&description=caf%C3%A9", {"Content-Type": FORM}
    )
    address = address.replace("https:", "http:")
    sent = httpx.post(address, content=body, headers=headers)
    assert (sent.status_code, sent.json()["name"]) == (200, "a b")
    # What was not signed is not believed.
    _, headers, _ = hmac_client(key, f"i{secure}").sign(
        f"{shown}{ROOT}fabrics/", "POST", "name=c", {"Content-Type": FORM}
    )
    assert httpx.post(f"{server.url}{ROOT}fabrics/", content="name=d", headers=headers).status_code == 401


def test_hmac_of_a_put_may_leave_the_fields_out(server: Running) -> None:
    key = make_key(server.ports)
    made = Maas(server.url, key, NOON).post("fabrics/", name="one")
    address = f"{server.url}{ROOT}fabrics/{made['id']}/"
    _, headers, _ = hmac_client(key, "p").sign(address, "PUT")
    sent = httpx.put(address, content="name=two", headers={**headers, "Content-Type": FORM})
    assert (sent.status_code, sent.json()["name"]) == (200, "two")


def test_an_administrator_may_want_every_put_signed(server: Running) -> None:
    key = make_key(server.ports)
    settings = replace(server.ports.settings, maas_unsigned_put=False)
    facade = Facade(replace(server.ports, settings=settings))
    for signed, status in ((True, 200), (False, 401)):
        url = f"{server.url}{ROOT}zones/1/"
        form = {"Content-Type": FORM}
        body, headers = ("description=x", form) if signed else (None, {})
        _, headers, _ = hmac_client(key, f"q{signed}").sign(url, "PUT", body, headers)
        heard = RawRequest(
            "PUT", "api/2.0/zones/1/", f"{ROOT}zones/1/", b"", headers["Authorization"], FORM,
            b"description=x", (server.url,)
        )  # fmt: skip
        assert facade.answer(heard).status == status


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=B", PART % b"op"),
        ("multipart/form-data; boundary=B", PART % b"name"),
        ("", b"name=x"),
        ("application/json", b"{}"),
        (FORM, b"op=mark_broken"),
        (FORM, b"name=x"),
    ],
)  # fmt: skip
def test_what_the_signature_does_not_cover_is_refused(server: Running, kind: str, body: bytes) -> None:
    key = make_key(server.ports)
    address = f"{server.url}{ROOT}machines/?op=release"
    _, headers, _ = hmac_client(key, "u").sign(address, "POST")
    found = HTTP.post(address, content=body, headers={**headers, **({"Content-Type": kind} if kind else {})})
    assert found.status_code == 401, found.text


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("machines/x/", "op=power_on", "op=mark_broken"),
        ("machines/x/", "op=power_on&op=lock", ""),
        ("machines/x/op-power_on", "op=lock", ""),
        ("machines/x/op-power_on", "", "op=lock"),
        ("machines/x/", "", "op=lock&op=unlock"),
    ],
)
def test_the_op_is_said_once(maas: Maas, path: str, query: str, body: str) -> None:
    headers = {"Authorization": maas.header(), "Content-Type": FORM}
    found = HTTP.post(f"{maas.url}{ROOT}{path}?{query}", content=body, headers=headers)
    assert (found.status_code, list(found.json())) == (400, ["op"])


def part(name: str, value: bytes) -> bytes:
    head = f'--B\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name="{name}"\r\n'
    return (
        (head + 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset="utf-8"\r\n\r\n').encode()
        + base64.b64encode(value)
        + b"\r\n"
    )


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ('multipart/form-data; boundary="B"', part("name", "größe".encode()) + b"--B--\r\n", 200),
        (
            "multipart/form-data; boundary=B",
            b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\nplain\r\n--B--',
            200,
        ),
        (FORM, b"name=plain", 200),
        (FORM, b"op=&name=plain", 200),
        ("application/json", b'{"name": "x"}', 400),
        (FORM, b"name=%ff", 400),
        (FORM, b"name=a%00b", 400),
        (FORM, b"nome=x", 200),
        ("multipart/form-data", b"--B--", 400),
        ("multipart/form-data; boundary=B", b"\xff\x00\x01", 400),
    ],
)
def test_bodies_as_clients_write_them(
    server: Running, maas: Maas, kind: str, body: bytes, status: int
) -> None:
    headers = {"Authorization": maas.header(), "Content-Type": kind}
    found = httpx.post(f"{server.url}{ROOT}fabrics/", content=body, headers=headers)
    assert found.status_code == status, found.text
    if status == 200:
        assert found.json()["name"] in ("größe", "plain", "fabric-0")


@pytest.mark.parametrize("body", [b"--B--", b"--B\r\n\r\n--B--\r\n", b"--B\r\n\r\n\r\n--B--\r\n", b""])
def test_an_empty_multipart_body_is_no_parameters(server: Running, maas: Maas, body: bytes) -> None:
    made = maas.post("fabrics/", name="gone")
    headers = {"Authorization": maas.header(), "Content-Type": "multipart/form-data; boundary=B"}
    address = f"{server.url}{ROOT}fabrics/{made['id']}/"
    found = httpx.request("DELETE", address, content=body, headers=headers)
    assert (found.status_code, found.content) == (204, b"")
    assert found.headers["content-type"] == "text/plain; charset=utf-8"


def test_slashes_and_ops_in_all_their_places(server: Running, maas: Maas) -> None:
    made = maas.post("fabrics/", name="one")
    for path in (f"fabrics/{made['id']}", f"fabrics//{made['id']}/", f"/fabrics/{made['id']}//"):
        assert maas.get(path)["name"] == "one"
    assert maas.get("users/op-whoami")["username"] == "ann"
    assert maas.send("POST", "account/", {"op": "create_authorisation_token"}).json()["name"] == ""
    unknown = maas.send("POST", "fabrics/", {}, op="nonsense")
    assert (unknown.status_code, unknown.text) == (400, "Unrecognised signature: method=POST op=nonsense")


def test_a_missing_thing_is_named_in_plain_text(maas: Maas) -> None:
    found = maas.send("GET", "fabrics/77/")
    assert (found.status_code, found.text) == (404, "No Fabric matches the given query.")
    assert maas.send("GET", "no/such/path/").status_code == 404


def test_logging_in_with_a_token_makes_a_key(server: Running, maas: Maas) -> None:
    with server.http() as http:
        token = http.post("/tokens", json={"user": "ann"}).json()["text"]
    address = f"{server.url}/MAAS/accounts/authenticate/"
    made = httpx.post(address, data={"username": "ann", "password": token, "consumer": "laptop"}).json()
    maas.key = f"{made['consumer_key']}:{made['token_key']}:{made['token_secret']}"
    assert maas.get("users/", op="whoami")["username"] == "ann"
    assert httpx.post(address, data={"username": "ann", "password": "wrong"}).status_code == 401
    assert httpx.post(address, data={"username": "ann"}).json() == {"password": ["This field is required."]}


def test_keys_are_made_listed_and_deleted(maas: Maas) -> None:
    made = maas.post("account/", "create_authorisation_token", name="second")
    listed = maas.get("account/", op="list_authorisation_tokens")
    assert [each["name"] for each in listed] == ["test", "second"]
    assert made["token_secret"] not in json.dumps(listed)
    assert maas.post("account/", "update_token_name", token=made["token_key"], name="third") == "Accepted"
    gone = maas.send("POST", "account/", {"token_key": made["token_key"]}, op="delete_authorisation_token")
    assert gone.status_code == 204
    assert len(maas.get("account/", op="list_authorisation_tokens")) == 1


def test_the_fields_of_a_signature_are_all_needed(server: Running) -> None:
    for header in ("OAuth", "OAuth a", 'OAuth oauth_token="x"', "Bearer x", "OAuth =,=", '"'):
        found = httpx.get(f"{server.url}{ROOT}fabrics/", headers={"Authorization": header})
        assert found.status_code == 401


def test_the_secret_of_a_key_follows_from_the_servers(server: Running) -> None:
    key = make_key(server.ports)
    consumer, token, secret = key.split(":")
    assert server.ports.secrets is not None
    own = (server.socket.parent / "secret").read_bytes()
    digest = hmac.new(own, f"api-key {consumer} {token}".encode(), hashlib.sha256).digest()
    assert base64.b32encode(digest).decode().startswith(secret)
    assert quote(secret) == secret
