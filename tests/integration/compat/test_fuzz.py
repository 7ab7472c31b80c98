"""Whatever is sent to any path and op, nothing answers 500, and every error says something."""

import random
from collections.abc import Iterator

import httpx
import pytest

from hostloom.compat.maas2.handlers.resources import CATALOGUE
from support.maas import HTTP, ROOT, Maas, make_key
from support.server import NOON, Running, running

VALUES = (
    "", "0", "1", "-1", "99999999999999999999", "x", "é", "10.0.0.0/24", "10.0.0.1", "::1", "true", "null",
    "a,b", "a" * 5000, "[]", "{}", "%", "id:1", "undefined", "1e309", "nan", "1.5", " ", "../..", "dynamic",
)  # fmt: skip
PLACES = ("0", "1", "2", "77", "x", "default", "a b", "-1", "%2e%2e", "9" * 30, "untagged", "é")


KINDS = ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/json", "ä", "")
BODIES = (
    b"\xff\xfe" * 200,
    b"--x\r\n" * 500,
    b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\x00\r\n--x--',
    b"name=%ff%fe&op=",
    b"a=" + b"b" * 300_000,
    b"&".join(b"n%d=1" % n for n in range(3000)),
    b"[]",
    b"\x00",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for every case: none of them counts on what is there."""
    with running(tmp_path_factory.mktemp("fuzz")) as server:
        yield server


@pytest.fixture
def maas(server: Running, request: pytest.FixtureRequest) -> Maas:
    """An administrator of the case's own, because a case may delete the user that it acts as."""
    return Maas(server.url, make_key(server.ports, f"fuzz-{abs(hash(request.node.name))}"), NOON)


def raw(maas: Maas, method: str, path: str, query: dict[str, str], chance: random.Random) -> httpx.Response:
    """A body that is no form, or a huge one, of whatever kind it says."""
    headers = {
        "Authorization": maas.header(),
        "Content-Type": chance.choice(KINDS).encode("latin-1"),
    }
    body = chance.choice(BODIES)
    return HTTP.request(
        method, f"{maas.url}{ROOT}{path}", params=query, content=body, headers=headers, timeout=30
    )


@pytest.mark.parametrize("resource", CATALOGUE.resources, ids=lambda each: each.name)
def test_nothing_makes_it_stumble(server: Running, maas: Maas, resource: object) -> None:
    chance = random.Random(resource.name)  # type: ignore[attr-defined]  # noqa: S311  (a Resource; no secret)
    for path, fields in (("fabrics/", {"name": "one"}), ("subnets/", {"cidr": "10.1.0.0/24"})):
        assert maas.send("POST", path, fields).status_code in (200, 400), path
    for action in resource.actions.values():  # type: ignore[attr-defined]  # a Resource
        for _ in range(12):
            path = resource.path  # type: ignore[attr-defined]  # a Resource
            for place in resource.params:  # type: ignore[attr-defined]  # a Resource
                path = path.replace(f"{{{place}}}", chance.choice(PLACES))
            names = [each.name for each in action.params]
            chosen = chance.sample(names, chance.randint(0, len(names)))
            fields = {name: chance.choice(VALUES) for name in chosen}
            if chance.random() < 0.1:
                fields["nonsense"] = "1"
            query = {"op": action.op} if action.op else {}
            if chance.random() < 0.15:
                found = raw(maas, action.method, path, query, chance)
                fields = {}
            elif action.method in ("GET", "DELETE"):
                found = maas.send(action.method, path, **query, **fields)
            else:
                found = maas.send(action.method, path, fields, **query)
            assert found.status_code < 500, (action.method, path, fields, found.text)
            assert found.status_code == 204 or found.text, (action.method, path, found.status_code)
            if "nonsense" in fields and action.strict:
                # It may have deleted its own user.
                assert found.status_code in (400, 401, 403), (action.method, path, found.text)


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain", "", "ä"]
)
@pytest.mark.parametrize("body", [b"\xff" * 100, b"--x\r\n" * 500, b"=&=&" * 500, b"a" * 900_000, b"\x00"])
def test_no_body_makes_it_stumble(server: Running, maas: Maas, kind: str, body: bytes) -> None:
    for method, path in (("POST", "fabrics/"), ("PUT", "subnets/1/"), ("DELETE", "zones/x/")):
        headers = {"Authorization": maas.header(), "Content-Type": kind.encode("latin-1")}
        found = HTTP.request(method, f"{server.url}{ROOT}{path}", content=body, headers=headers)
        assert found.status_code < 500, (method, path, found.text)
