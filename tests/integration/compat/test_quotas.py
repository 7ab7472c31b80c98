"""What an ordinary user can have made by asking for machines."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.server.secret import FileSecrets
from support.little_world import little_world
from support.maas import Maas, make_key
from support.server import CountedIds, serving


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[tuple[Maas, Maas]]:
    """An administrator and a user; each may have one machine composed on demand."""
    world = little_world(tmp_path, hosts_there=1)
    settings = replace(world.ports.settings, max_on_demand_per_user=1)
    secrets = FileSecrets(tmp_path / "secret")
    ports = replace(world.ports, secrets=secrets, ids=CountedIds(), settings=settings)
    with serving(tmp_path, ports, worker=True) as url:
        now = world.clock.now()
        yield Maas(url, make_key(ports, "adm"), now), Maas(url, make_key(ports, "bob", admin=False), now)


def test_machines_on_demand_have_a_limit(clients: tuple[Maas, Maas]) -> None:
    admin, bob = clients
    first = bob.post("machines/", op="allocate", mem=256, agent_name="bobs")
    assert first["agent_name"] == "bobs"
    refused = bob.send("POST", "machines/", {"mem": 256}, op="allocate")
    assert (refused.status_code, "the limit of a user is 1" in refused.text) == (409, True)
    bob.post(f"machines/{first['system_id']}/", op="release")
    assert bob.post("machines/", op="allocate", mem=256)["owner"] == "bob"
    for _ in range(2):
        admin.post("machines/", op="allocate", mem=256)


def test_a_request_with_too_many_names_is_refused(clients: tuple[Maas, Maas]) -> None:
    _, bob = clients
    for field in ("tags", "not_tags", "subnets", "fabrics"):
        refused = bob.send("POST", "machines/", {field: ",".join(f"t{n}" for n in range(100))}, op="allocate")
        assert (refused.status_code, "at most 64" in refused.text) == (400, True), refused.text


def test_a_long_text_of_constraints_is_refused_at_once(clients: tuple[Maas, Maas]) -> None:
    _, bob = clients
    for text in (";".join(f"e{n}:vid=1" for n in range(9000)), "eth0:vid=" + "9" * 5000):
        refused = bob.send("POST", "machines/", {"interfaces": text}, op="allocate")
        assert (refused.status_code, "at most" in refused.text) == (400, True), refused.text[:200]
