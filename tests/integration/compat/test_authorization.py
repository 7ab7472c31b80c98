"""Every action of MAAS's API with each parameter: no anonymous request, and no user changes others' records.

What counts is the database: a request of an ordinary user leaves it as it is, whatever is answered. That the
parameters mean something is seen by an administrator's requests, which do change it.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hostloom.compat.maas2.catalogue import Action, Resource
from hostloom.compat.maas2.handlers.resources import CATALOGUE
from hostloom.server.secret import FileSecrets
from support.little_world import little_world
from support.maas import HTTP, ROOT, Maas, make_key
from support.server import CountedIds, serving

#: What an ordinary user may do: with their own keys, and with machines that are free.
MAY = {
    ("account/", "create_authorisation_token"),
    ("account/", "delete_authorisation_token"),
    ("account/", "update_token_name"),
    ("machines/", "allocate"),
}
#: Tables that say what happened, not what is.
ASIDE = {"alembic_version", "nonces", "events", "sqlite_sequence", "revisions", "operations", "steps"}

VALUES = {
    "mac_address": "52:54:00:77:00:01", "mac_addresses": "52:54:00:77:00:02", "mac": "52:54:00:77:00:03",
    "cidr": "10.99.0.0/24", "gateway_ip": "10.0.0.254", "start_ip": "10.0.0.200", "end_ip": "10.0.0.210",
    "ip": "10.0.0.77", "ip_address": "10.0.0.77", "ip_addresses": "10.0.0.77", "type": "reserved",
    "dns_servers": "10.0.0.9", "vid": "77", "mtu": "1400", "subnet": "1", "source": "1",
    "destination": "2", "space": "mgmt", "fabric": "f", "vlan": "2", "tag": "zz", "tags": "zz",
    "name": "other", "hostname": "other", "description": "other", "comment": "other", "username": "eve",
    "email": "e@example.org", "zone": "z", "pool": "p", "domain": "d.example",
    "power_address": "qemu+ssh://root@10.0.0.12/system", "architecture": "amd64/generic",
    "default_macvlan_mode": "vepa", "cpu_over_commit_ratio": "2.5", "memory_over_commit_ratio": "2.5",
    "mode": "AUTO", "disabled_boot_architectures": "pxe", "rdns_mode": "1", "class_type": "10g",
    "ttl": "77", "address_ttl": "77", "token": "x", "token_key": "x", "fqdn": "a.d.example",
    "default_storage_pool": "default", "parent": "M2", "value": "x", "*": "other", "host": "10.0.0.12",
    "power_type": "manual", "system_id": "M2", "machines": "M2", "add": "M2", "link_id": "1",
}  # fmt: skip
KINDS = {"Boolean": "true", "Int": "1", "Float": "1", "String": "x"}


@dataclass
class Estate:
    """A server, its database, its clients, and what the places of paths stand for."""

    database: Path
    admin: Maas
    bob: Maas
    #: A machine of the administrator's, and one that is free.
    places: dict[str, str] = field(default_factory=dict)

    def rows(self) -> dict[str, set[str]]:
        """All that is."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            names = [
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            ]
            return {
                name: {repr(row) for row in connection.execute(f"SELECT * FROM {name}")}  # noqa: S608
                for name in names
                if name not in ASIDE
            }

    def path(self, resource: Resource) -> str:
        path = resource.path
        for place in resource.params:
            path = path.replace(f"{{{place}}}", self.places[f"{resource.path}{place}"])
        return path

    def send(self, who: Maas, resource: Resource, action: Action, fields: dict[str, str]) -> Any:
        query = {"op": action.op} if action.op else {}
        path = self.path(resource)
        if action.method in ("GET", "DELETE"):
            return who.send(action.method, path, **query, **fields)
        return who.send(action.method, path, fields, **query)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    directory = tmp_path_factory.mktemp("authorization")
    world = little_world(directory, hosts_there=1)
    ports = replace(world.ports, secrets=FileSecrets(directory / "secret"), ids=CountedIds())
    with serving(directory, ports, worker=True) as url:
        now = world.clock.now()
        admin = Maas(url, make_key(ports, "adm"), now)
        found = Estate(directory / "hostloom.db", admin, Maas(url, make_key(ports, "bob", admin=False), now))
        _furnish(found)
        yield found


def _furnish(estate: Estate) -> None:
    """One thing of each kind."""
    admin = estate.admin
    vm_host = admin.get("vm-hosts/")[0]["id"]
    mine = admin.post(f"vm-hosts/{vm_host}/", op="compose", hostname="mine")["system_id"]
    free = admin.post(f"vm-hosts/{vm_host}/", op="compose", hostname="free")["system_id"]
    admin.post("machines/", op="allocate", system_id=mine)
    nic = admin.get(f"nodes/{mine}/interfaces/")[0]["id"]
    disk = admin.get(f"nodes/{mine}/blockdevices/")[0]["id"]
    fabric = admin.post("fabrics/", name="spare")["id"]
    vlan = admin.post(f"fabrics/{fabric}/vlans/", vid=20)
    admin.post("subnets/", cidr="10.20.0.0/24", vlan=vlan["id"])
    device = admin.post("devices/", mac_addresses="52:54:00:66:00:01", hostname="dev")["system_id"]
    admin.post("ipaddresses/", op="reserve", ip="10.0.0.66")
    zone, pool = admin.post("zones/", name="z"), admin.post("resourcepools/", name="p")
    domain, tag = admin.post("domains/", name="d.example"), admin.post("tags/", name="t")
    space = admin.post("spaces/", name="s")
    reserved = admin.post("ipranges/", type="reserved", start_ip="10.0.0.150", end_ip="10.0.0.160")
    route = admin.post("static-routes/", source=1, destination=2, gateway_ip="10.0.0.9")
    rack = admin.get("rackcontrollers/")[0]["system_id"]
    VALUES.update(parent=free, system_id=free, machines=mine, add=free)
    known = {
        "users/{username}/username": "adm", "fabrics/{id}/id": fabric,
        "fabrics/{fabric_id}/vlans/fabric_id": fabric, "fabrics/{fabric_id}/vlans/{vid}/fabric_id": fabric,
        "fabrics/{fabric_id}/vlans/{vid}/vid": 20, "spaces/{id}/id": space["id"], "subnets/{id}/id": 1,
        "ipranges/{id}/id": reserved["id"], "zones/{name}/name": zone["name"],
        "resourcepool/{id}/id": pool["id"], "domains/{id}/id": domain["id"],
        "tags/{name}/name": tag["name"], "vm-hosts/{id}/id": vm_host, "pods/{id}/id": vm_host,
        "static-routes/{id}/id": route["id"], "nodes/{system_id}/interfaces/{id}/id": nic,
        "nodes/{system_id}/blockdevices/{id}/id": disk, "devices/{system_id}/system_id": device,
        "rackcontrollers/{system_id}/system_id": rack,
    }  # fmt: skip
    for resource in CATALOGUE.resources:
        for place in resource.params:
            other = mine if place == "system_id" else 1
            key = f"{resource.path}{place}"
            estate.places[key] = str(known.get(key, other))


def value_of(name: str, kind: str) -> str:
    return VALUES.get(name, KINDS[kind])


def cases(*, writes: bool) -> Iterator[tuple[Resource, Action, str, dict[str, str]]]:
    """Each action with its required parameters, and with each of the others beside these."""
    for resource in CATALOGUE.resources:
        for action in resource.actions.values():
            if resource.anonymous or (action.method == "GET") is writes:
                continue
            needed = {each.name: value_of(each.name, each.kind) for each in action.params if each.required}
            yield resource, action, "", needed
            for each in action.params:
                if not each.required:
                    yield resource, action, each.name, {**needed, each.name: value_of(each.name, each.kind)}


def test_without_a_key_no_action_is_answered(estate: Estate) -> None:
    """Also what reads."""
    before, count = estate.rows(), 0
    for writes in (True, False):
        for resource, action, name, fields in cases(writes=writes):
            if name:
                continue
            query = {"op": action.op} if action.op else {}
            url = f"{estate.admin.url}{ROOT}{estate.path(resource)}"
            for headers in ({}, {"Authorization": "Bearer x.y"}, {"Authorization": "OAuth x=y"}):
                found = HTTP.request(action.method, url, params={**query, **fields}, headers=headers)
                assert found.status_code == 401, (action.method, url, found.status_code, found.text)
                count += 1
    assert estate.rows() == before
    assert count > 400


def test_an_ordinary_user_changes_nothing_of_others(estate: Estate) -> None:
    before, wrong, count = estate.rows(), [], 0
    for resource, action, name, fields in cases(writes=True):
        if (resource.path, action.op) in MAY:
            continue
        found = estate.send(estate.bob, resource, action, fields)
        count += 1
        after = estate.rows()
        if after != before or found.status_code >= 500:
            tables = [table for table in after if after[table] != before.get(table)]
            wrong.append((action.method, resource.path, action.op, name, found.status_code, tables))
            before = after
    assert wrong == []
    assert count > 400


def test_an_ordinary_user_may_look_but_not_at_how_hosts_are_reached(estate: Estate) -> None:
    refused = set()
    for resource, action, name, fields in cases(writes=False):
        found = estate.send(estate.bob, resource, action, fields)
        assert found.status_code < 500, (resource.path, action.op, name)
        assert "qemu+ssh://" not in found.text, (resource.path, action.op)
        if found.status_code == 403:
            refused.add((resource.path, action.op))
    assert refused == {
        ("machines/", "power_parameters"),
        ("machines/{system_id}/", "power_parameters"),
        ("pods/{id}/", "parameters"),
        ("users/", None),
        ("users/{username}/", None),
        ("vm-hosts/{id}/", "parameters"),
    }


def test_the_parameters_mean_something(estate: Estate) -> None:
    """With the same fields an administrator may do most of it: bob was not refused for the values."""
    done, changed = set(), 0
    before = estate.rows()
    destroying = (
        "DELETE",
        "release",
        "deploy",
        "abort",
        "power_off",
        "mark_broken",
        "lock",
        "refresh",
        "compose",
    )
    for resource, action, name, fields in cases(writes=True):
        if action.method in destroying or (action.op or action.name) in destroying:
            continue
        found = estate.send(estate.admin, resource, action, fields)
        assert found.status_code < 500 or found.status_code == 503, (resource.path, action.op, found.text)
        after = estate.rows()
        changed += after != before
        before = after
        if found.status_code < 300:
            done.add((resource.path, action.op, action.method, name))
    assert len(done) > 120, len(done)
    assert changed > 100, changed
