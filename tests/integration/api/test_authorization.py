"""Every route of the native API: anonymous requests are refused, users change nothing and see no host URI."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from hostloom.api.v1 import create_api
from hostloom.model.access import LOCAL_ADMIN
from hostloom.ports.context import Ports
from hostloom.server.secret import FileSecrets
from hostloom.services import access
from support.little_world import little_world
from support.server import CountedIds, serving

VALUES: dict[str, Any] = {
    "name": "other", "hostname": "other", "uri": "qemu+ssh://root@10.0.0.12/system", "cidr": "10.99.0.0/24",
    "vlan": "f/10", "subnet": "10.0.0.0/24", "start": "10.0.0.200", "end": "10.0.0.210", "ip": "10.0.0.77",
    "kind": "reserved", "user": "adm", "control": "unix:/run/kea/x", "node": "kvm1",
    "mac": "52:54:00:77:00:01", "macs": ["52:54:00:77:00:01"],
    "fabric": "f", "architecture": "amd64", "network": "maas", "vid": 77,
}  # fmt: skip
#: Of a route's path.
PLACES = {
    "hosts": "kvm1", "nodes": "kvm1", "fabrics": "f", "vlans": "f/10", "spaces": "mgmt", "subnets": "1",
    "zones": "1", "resource-pools": "1", "domains": "1", "users": "adm", "racks": "1", "machines": "mine",
}  # fmt: skip
OPEN = {"/healthz", "/metrics"}
#: An ordinary user's own business, or a question that is only answered.
MAY = {"/api/v1/apikeys", "/api/v1/plans", "/api/v1/machines/plan"}
ASIDE = {"alembic_version", "events", "sqlite_sequence", "revisions", "answers", "plans"}


@dataclass(frozen=True)
class Estate:
    database: Path
    document: dict[str, Any]
    admin: httpx.Client
    bob: httpx.Client
    anonymous: httpx.Client

    def rows(self) -> dict[str, set[str]]:
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            query = "SELECT name FROM sqlite_master WHERE type='table'"
            names = [row[0] for row in connection.execute(query)]
            return {
                name: {repr(row) for row in connection.execute(f"SELECT * FROM {name}")}  # noqa: S608
                for name in names
                if name not in ASIDE
            }

    def calls(self) -> Iterator[tuple[str, str, str, Any]]:
        """Method, route, path and body."""
        for route, operations in self.document["paths"].items():
            noun = route.removeprefix("/api/v1/").partition("/")[0]
            path = "/".join(
                PLACES.get(noun, "1") if part.startswith("{") else part for part in route.split("/")
            )
            for method, operation in operations.items():
                content = operation.get("requestBody", {}).get("content", {}).get("application/json")
                yield method.upper(), route, path, self._value("", content["schema"]) if content else None

    def _value(self, name: str, schema: dict[str, Any]) -> Any:
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if name in VALUES:
            return VALUES[name]
        if "properties" in schema:
            wanted = schema.get("required") or list(schema["properties"])[:1]
            return {each: self._value(each, schema["properties"][each]) for each in wanted}
        if "anyOf" in schema:
            return self._value(name, schema["anyOf"][0])
        if "enum" in schema:
            return schema["enum"][0]
        kinds = {"integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}
        return kinds.get(schema.get("type", ""), "x")


def _token(ports: Ports, name: str, *, admin: bool) -> str:
    with ports.store.begin() as uow:
        access.create_user(uow, LOCAL_ADMIN, name, admin=admin)
        _, text = access.create_token(uow, LOCAL_ADMIN, ports.clock, ports.ids, name, "test")
        uow.commit()
    return text


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    directory = tmp_path_factory.mktemp("routes")
    world = little_world(directory, hosts_there=1)
    ports = replace(world.ports, secrets=FileSecrets(directory / "secret"), ids=CountedIds())
    with serving(directory, ports, worker=True) as url:
        clients = [httpx.Client(base_url=url, timeout=30)]
        for name in ("adm", "bob"):
            header = {"Authorization": f"Bearer {_token(ports, name, admin=name == 'adm')}"}
            clients.append(httpx.Client(base_url=url, timeout=30, headers=header))
        anonymous, admin, bob = clients
        begun = admin.post("/api/v1/machines", json={"hostname": "mine", "host": "kvm1"}).json()
        while not (found := admin.get(f"/api/v1/operations/{begun['id']}").json())["finished"]:
            pass
        assert found["state"] == "succeeded", found
        document = json.loads(json.dumps(create_api(ports).openapi()))
        yield Estate(directory / "hostloom.db", document, admin, bob, anonymous)
        for client in clients:
            client.close()


def test_without_a_token_no_route_is_answered(estate: Estate) -> None:
    before, count = estate.rows(), 0
    for method, route, path, body in estate.calls():
        if route in OPEN:
            continue
        for headers in ({}, {"Authorization": "Bearer x.y"}, {"Authorization": "Bearer"}):
            found = estate.anonymous.request(method, path, json=body, headers=headers)
            assert found.status_code == 401, (method, path, found.status_code)
            count += 1
    assert estate.rows() == before
    assert count > 300


def test_an_ordinary_user_changes_nothing(estate: Estate) -> None:
    before, wrong, refused = estate.rows(), [], 0
    for method, route, path, body in estate.calls():
        if method == "GET" or route in MAY:
            continue
        found = estate.bob.request(method, path, json=body)
        after = estate.rows()
        if after != before or found.status_code >= 500:
            tables = [table for table in after if after[table] != before.get(table)]
            wrong.append((method, route, found.status_code, tables, found.text[:200]))
            before = after
        refused += found.status_code == 403
    assert wrong == []
    assert refused > 60, refused


def test_an_ordinary_user_does_not_see_how_hosts_are_reached(estate: Estate) -> None:
    for method, _, path, _ in estate.calls():
        if method != "GET" or path.endswith("/events"):
            continue
        found = estate.bob.get(path)
        assert found.status_code < 500, path
        assert "qemu+ssh" not in found.text, path
        assert "SHA256:" not in found.text, path
    assert "qemu+ssh" in estate.admin.get("/api/v1/hosts/kvm1").text
