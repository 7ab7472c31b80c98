"""What holds for every noun: who may, keys of requests, generations, pages, problems, limits."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from hostloom.api.connections import Peer, principal_of_peer
from hostloom.api.problems import STATUS, problem_of
from hostloom.api.v1 import create_api
from hostloom.client import Client, Target
from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.outside import HostKeyUnknown
from hostloom.ports.operation_records import StoredAnswer
from support.error_samples import error_classes
from support.server import NOON, Running

OPENAPI = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"


def test_every_error_has_a_status() -> None:
    classes = set(error_classes(HostloomError))
    assert classes == set(STATUS)


def test_a_problem_holds_the_fields_and_the_hint() -> None:
    found = problem_of(HostKeyUnknown("kvm1", "SHA256:x"))
    assert (found["status"], found["code"]) == (409, "host-key-unknown")
    assert found["details"] == {"host": "kvm1", "fingerprint": "SHA256:x"}
    assert found["hint"]


def test_the_openapi_document_is_the_one_in_the_docs(server: Running) -> None:
    current = create_api(server.ports).openapi()
    assert json.loads(OPENAPI.read_text()) == json.loads(json.dumps(current)), (
        "write it anew: PYTHONPATH=tests python -m support.openapi"
    )


def test_the_servers_own_user_is_an_administrator_over_the_socket(http: httpx.Client) -> None:
    assert http.get("/about").json()["admin"] is True


def test_unknown_users_are_not_administrators() -> None:
    assert principal_of_peer(Peer(65534, 65534), "no-such-group") is None
    root = principal_of_peer(Peer(0, 0), "no-such-group")
    assert root is not None
    assert root.admin


def test_tokens_let_in_until_they_are_deleted(http: httpx.Client) -> None:
    http.post("/users", json={"name": "ann", "admin": True})
    http.post("/users", json={"name": "bob"})
    ann = http.post("/tokens", json={"user": "ann", "name": "laptop"}).json()
    bob = http.post("/tokens", json={"user": "bob"}).json()
    as_ann, as_bob = ({"Authorization": f"Bearer {each['text']}"} for each in (ann, bob))
    assert http.get("/about", headers=as_ann).json()["user"] == "ann"
    assert http.get("/zones", headers=as_bob).status_code == 200
    assert http.post("/zones", json={"name": "z"}, headers=as_bob).json()["code"] == "not-permitted"
    assert http.get("/zones", headers={"Authorization": f"Bearer {ann['id']}.wrong"}).status_code == 401
    assert http.get("/zones", headers={"Authorization": "Basic eDp5"}).status_code == 401
    assert http.delete("/users/ann").json()["details"]["by"] == [f"token {ann['id']}"]
    assert "text" not in http.get("/tokens").json()["items"][0]
    assert http.delete(f"/tokens/{ann['id']}").status_code == 204
    refused = http.get("/about", headers=as_ann)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"


def test_a_repeated_request_gets_the_first_answer(http: httpx.Client) -> None:
    key = {"Idempotency-Key": "11111111-aaaa"}
    first = http.post("/fabrics", json={"name": "lan"}, headers=key)
    again = http.post("/fabrics", json={"name": "lan"}, headers=key)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["location"] == first.headers["location"]
    assert len(http.get("/fabrics").json()["items"]) == 1
    other = http.post("/fabrics", json={"name": "wan"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-conflict")


def test_a_key_is_free_again_when_nothing_was_changed(http: httpx.Client) -> None:
    key = {"Idempotency-Key": "22222222-aaaa"}
    for path, body in (("/vlans", {"fabric": "lan", "vid": 5}), ("/subnets", {"cidr": "x", "vlan": "lan/0"})):
        assert http.post(path, json=body, headers=key).status_code in (404, 422)
    assert http.post("/fabrics", json={"name": "lan"}, headers=key).status_code == 201


@pytest.mark.parametrize("path", ["/spaces", "/subnets"])
def test_parallel_repetitions_change_once(server: Running, http: httpx.Client, path: str) -> None:
    http.post("/fabrics", json={"name": "lan"})
    body = {"name": "dmz"} if path == "/spaces" else {"cidr": "10.0.0.0/24", "vlan": "lan/0"}

    def send(_: int) -> tuple[int, str]:
        with server.http() as one:
            answer = one.post(path, json=body, headers={"Idempotency-Key": "33333333-aaaa"})
        return answer.status_code, answer.json().get("code", "")

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(send, range(8)))
    assert (201, "") in found
    assert found <= {(201, ""), (409, "idempotency-pending")}
    assert len(http.get(path).json()["items"]) == 1


def test_a_key_is_forgotten_after_a_day(server: Running, http: httpx.Client) -> None:
    key = "55555555-aaaa"
    with server.ports.store.begin() as uow:
        uow.answers.add(StoredAnswer(key, "other", 201, "{}", NOON - 24 * 3600 - 1))
        uow.answers.add(StoredAnswer(f"{key}-kept", "other", 201, "{}", NOON - 24 * 3600 + 1))
        uow.commit()
    assert http.post("/fabrics", json={"name": "a"}, headers={"Idempotency-Key": key}).status_code == 201
    kept = http.post("/fabrics", json={"name": "b"}, headers={"Idempotency-Key": f"{key}-kept"})
    assert kept.json()["code"] == "idempotency-conflict"


def test_a_tokens_text_is_not_remembered(http: httpx.Client) -> None:
    http.post("/users", json={"name": "ann"})
    key = {"Idempotency-Key": "44444444-aaaa"}
    first = http.post("/tokens", json={"user": "ann"}, headers=key).json()
    again = http.post("/tokens", json={"user": "ann"}, headers=key).json()
    assert first["text"].startswith(first["id"])
    assert again == first | {"text": None}


def test_a_change_of_what_has_changed_is_refused(http: httpx.Client) -> None:
    made = http.post("/spaces", json={"name": "dmz"})
    seen = made.headers["etag"]
    assert http.patch("/spaces/dmz", json={"description": "x"}, headers={"If-Match": seen}).status_code == 200
    stale = http.patch("/spaces/dmz", json={"description": "y"}, headers={"If-Match": seen})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert http.delete("/spaces/dmz", headers={"If-Match": seen}).status_code == 412
    assert http.patch("/spaces/dmz", json={}, headers={"If-Match": "3"}).status_code == 422
    assert http.get("/spaces/dmz").json()["description"] == "x"
    assert http.delete("/spaces/dmz", headers={"If-Match": "*"}).status_code == 204


def test_pages_follow_each_other(server: Running, http: httpx.Client) -> None:
    for number in range(7):
        http.post("/zones", json={"name": f"zone-{number}"})
    names, path = [], "/api/v1/zones?limit=3"
    for _ in range(3):
        answer = http.get(f"http://hostloom{path}")
        names += [each["name"] for each in answer.json()["items"]]
        path = answer.links.get("next", {}).get("url", "")
    assert (path, len(names), len(set(names))) == ("", 8, 8)
    with Client(Target(socket=server.socket)) as client:
        assert [each["name"] for each in client.zones.list()] == names
        assert [each["name"] for each in client.zones.list(2)] == names[:2]


def test_every_wrong_field_is_named_at_once(http: httpx.Client) -> None:
    answer = http.post("/vlans", json={"vid": "20", "mtu": True, "colour": "red", "name": 5})
    found = {each["field"]: each["message"] for each in answer.json()["errors"]}
    assert set(found) == {"fabric", "vid", "mtu", "colour", "name"}
    assert found["colour"] == "is not a field of this request"


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/fabrics?colour=red", b"", 422),
        ("GET", "/fabrics?limit=0", b"", 422),
        ("GET", "/fabrics?after=x", b"", 422),
        ("GET", "/nothing", b"", 404),
        ("PUT", "/fabrics", b"{}", 405),
        ("POST", "/fabrics", b"{", 422),
        ("POST", "/fabrics", b'{"name": "\\ud800"}', 422),
        ("POST", "/fabrics", b'{"name": "a\\u0000"}', 422),
        ("POST", "/fabrics", b" " * 1_100_000, 413),
        ("GET", "/fabrics/%00", b"", 400),
    ],
)
def test_an_invalid_request_is_a_problem(
    http: httpx.Client, method: str, path: str, content: bytes, status: int
) -> None:
    answer = http.request(method, path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_an_internal_error_shows_only_its_number(
    server: Running, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    server.ports.ids.system_id = lambda: 1 / 0  # type: ignore[attr-defined,method-assign]
    answer = http.post("/nodes", json={"hostname": "dev", "macs": ["52:54:00:00:00:01"]})
    assert answer.status_code == 500
    assert set(answer.json()) == {"type", "title", "status", "detail", "code", "incident"}
    assert "ZeroDivisionError" not in answer.text
    assert answer.json()["incident"] in answer.json()["detail"]


def test_health_needs_no_token(server: Running) -> None:
    with server.http() as http:
        assert http.get("http://hostloom/healthz").json() == {"status": "ok"}
