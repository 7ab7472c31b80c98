"""A MAAS, running or as a dump: what is read of it, and what is said of what is none."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hostloom.client.documents import document_of
from hostloom.migration.maas import (
    MaasSession,
    SourceError,
    SourceUnreachable,
    read_dump,
    read_server,
    vocabulary,
)
from hostloom.model.machine import MachineState
from hostloom.model.node import BridgeKind, NodeKind
from hostloom.model.source_inventory import SourceInventory
from support.maas_dump import OTHER_SCHEMAS, as_sql, tables
from support.maas_estate import SECRET, bodies
from support.maas_server import KEY, serving_maas


def read_api(answers: dict[str, Any], key: str = KEY) -> SourceInventory:
    with serving_maas(answers) as maas, MaasSession(maas.url, key) as session:
        return read_server(session)


def dumped(path: Path, **how: bool) -> Path:
    path.write_text(as_sql(tables(**how)))
    return path


def comparable(estate: SourceInventory) -> SourceInventory:
    """Without where it is from; each kind in an order of its own."""
    nodes = sorted(estate.nodes, key=lambda one: one.system_id)
    machines = sorted(estate.machines, key=lambda one: one.system_id)
    held = sorted(estate.held, key=lambda one: int(one.ip))
    same = {"nodes": tuple(nodes), "machines": tuple(machines), "held": tuple(held)}
    links = sorted(estate.links, key=lambda link: (link.system_id, link.interface_name))
    parameters = sorted(estate.parameters, key=lambda one: (one.system_id, one.interface_name, one.name))
    return replace(estate, source="", links=tuple(links), parameters=tuple(parameters), **same)


def test_what_a_running_maas_shows() -> None:
    estate = read_api(bodies())
    assert estate.source.startswith("MAAS 3.4.2 at http://127.0.0.1:")
    assert [(each.name, each.id) for each in estate.fabrics] == [("fabric-0", 0), ("physical", 1)]
    dmz = next(each for each in estate.vlans if each.vid == 20)
    assert (dmz.id, dmz.space_id, dmz.dhcp_on, dmz.mtu) == (5003, 1, True, 9000)
    assert next(each for each in estate.vlans if each.vid == 30).relay_vlan_id == 5003
    assert [each.name for each in estate.spaces] == ["dmz"]
    kinds = {each.hostname: each.kind for each in estate.nodes}
    assert kinds["maas"] is NodeKind.REGION_AND_RACK_CONTROLLER
    assert kinds["printer"] is NodeKind.DEVICE
    kvm1 = next(each for each in estate.nodes if each.hostname == "kvm1")
    assert [(nic.name, nic.parents) for nic in kvm1.interfaces][2:] == [
        ("br0", ("eth0",)),
        ("eth1.20", ("eth1",)),
    ]
    assert (kvm1.interfaces[2].bridge_kind, kvm1.interfaces[3].tag_vid) == (BridgeKind.STANDARD, 20)
    vm1 = next(each for each in estate.machines if each.system_id == "4y3h7n")
    assert (vm1.host_id, vm1.state, vm1.owner, vm1.locked) == (1, MachineState.DEPLOYED, "ann", True)
    held = {str(each.ip): (each.system_id, each.comment) for each in estate.held}
    assert held == {
        "10.0.0.2": ("abc001", ""),
        "10.0.0.5": ("kvm001", ""),
        "10.0.20.50": ("4y3h7n", ""),
        "10.0.0.60": ("lxd00v", ""),
        "10.0.0.50": ("dev001", ""),
        "10.0.20.60": (None, "set aside by ann in MAAS"),
    }
    assert [(each.name, each.kind, each.has_password) for each in estate.hosts] == [
        ("kvm1", "virsh", False),
        ("lxd1", "lxd", False),
        ("KVM_3", "virsh", True),
    ]
    assert estate.notes == ("tags with a definition are tags like others here: gpu",)


@pytest.mark.parametrize("before_3_2", [True, False])
def test_a_dump_says_what_the_api_says(tmp_path: Path, before_3_2: bool) -> None:
    from_dump = read_dump(dumped(tmp_path / "maas.sql", before_3_2=before_3_2))
    assert from_dump.source == "MAAS, dump maas.sql"
    assert comparable(from_dump) == comparable(read_api(bodies()))


def test_a_dump_may_be_packed(tmp_path: Path) -> None:
    plain = read_dump(dumped(tmp_path / "maas.sql"))
    packed = tmp_path / "maas.sql.gz"
    packed.write_bytes(gzip.compress((tmp_path / "maas.sql").read_bytes()))
    assert comparable(read_dump(packed)) == comparable(plain)
    packed.write_bytes(packed.read_bytes()[:-200])
    with pytest.raises(SourceError, match="cut off or damaged"):
        read_dump(packed)


def test_nothing_secret_is_kept(tmp_path: Path) -> None:
    for estate in (read_api(bodies()), read_dump(dumped(tmp_path / "maas.sql"))):
        text = json.dumps(document_of(estate))
        assert SECRET not in text
        assert "pbkdf2" not in text
        assert "mySecret" not in text


def test_maas_is_only_read() -> None:
    with serving_maas(bodies()) as maas, MaasSession(f"{maas.url}/api/2.0/", KEY) as session:
        read_server(session)
        assert {method for method, _ in maas.asked} == {"GET"}
        signed = [each["Authorization"] for each in maas.headers if "Authorization" in each]
        assert len({each.partition("oauth_nonce=")[2] for each in signed}) == len(signed)


@pytest.mark.parametrize("status", [404, 410])
def test_a_maas_without_vm_hosts_is_fine(status: int) -> None:
    answers = bodies() | {"vm-hosts/": status, "pods/": status}
    estate = read_api(answers)
    assert estate.hosts == ()
    assert "--dump" in estate.notes[0]


def test_older_ones_call_them_pods() -> None:
    answers = {path.replace("vm-hosts/", "pods/"): body for path, body in bodies().items()}
    assert read_api(answers).hosts == read_api(bodies()).hosts


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"version/": 404}, "is not a MAAS"),
        ({"version/": "<html>Welcome to nginx</html>"}, "is not a MAAS"),
        ({"version/": {"version": "1"}}, "is not a MAAS"),
        ({"version/": 302}, "redirects to https://elsewhere/MAAS/"),
        ({"users/?op=whoami": {"username": "bob", "is_superuser": False}}, "bob is not an administrator"),
        ({"fabrics/": 403}, "does not show fabrics/ with this key"),
        ({"fabrics/": 500}, "answers fabrics/ with 500"),
        ({"fabrics/": {"id": 1}}, "something that is not a list"),
        ({"subnets/": [{"id": 1}]}, "does not answer as a MAAS does: no 'cidr'"),
        ({"subnets/": [{"id": 1, "cidr": "10.0.0.300/24", "vlan": {"id": 1}}]}, "10.0.0.300"),
        ({"machines/": [{"system_id": "x", "node_type": 17}]}, "does not answer as a MAAS does"),
    ],
)
def test_what_is_no_maas_or_shows_not_all(answers: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read_api(bodies() | answers)


def test_keys_and_urls() -> None:
    with pytest.raises(SourceError, match="does not accept the API key"):
        read_api(bodies(), "consumer:token:wrong")
    for key in ("", "a:b", "a:b:c:d", "a::c"):
        with pytest.raises(SourceError, match="three parts"):
            MaasSession("http://maas:5240/MAAS", key)
    for url in ("maas", "ftp://maas/", "http://", "http://maas:0x/", "http://a:b@maas/MAAS"):
        with pytest.raises(SourceError, match="URL of a MAAS"):
            MaasSession(url, KEY)
    with (
        MaasSession("http://127.0.0.1:9/MAAS", KEY) as session,
        pytest.raises(SourceUnreachable, match="cannot be reached"),
    ):
        session.version()


def test_what_is_no_dump(tmp_path: Path) -> None:
    path = tmp_path / "maas.sql"
    whole = as_sql(tables())

    def said(content: str | bytes) -> str:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(SourceError) as caught:
            read_dump(path)
        return str(caught.value)

    assert "has no tables with data" in said("")
    assert "has no tables with data" in said("Dear Ann,\nthe dump is attached.\n")
    assert "it is not text" in said(bytes(range(256)) * 40)
    place = whole.index("kvm001")
    assert "in the middle of table maasserver_node" in said(whole[:place].rpartition("\n")[0] + "\n")
    assert "cut off or damaged: a row of maasserver_node has 3 of 19 columns" in said(whole[:place])
    assert "it does not end as pg_dump ends one" in said(as_sql(tables(), end=""))
    other = {"wiki_page": ("id title", [(1, "Home")]), "wiki_user": ("id", [(1,)])}
    assert "other tables (wiki_page, wiki_user), and no maasserver_node" in said(as_sql(other))
    assert "more than one MAAS" in said(whole + whole)
    assert "--inserts" in said(whole + "INSERT INTO public.maasserver_zone VALUES (1);\n")  # noqa: S608  (no query)
    columns, rows = tables()["maasserver_node"]
    without = as_sql(tables() | {"maasserver_node": (columns.replace("hostname", "name"), rows)})
    assert "has no column 'hostname'" in said(without)
    strange = whole.replace("02:00:00:00:00:30", "02:00:00:00:00:zz")
    assert "data that a MAAS does not have" in said(strange)
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        read_dump(tmp_path / "none.sql")
    assert "cannot be read" in said(b"PGDMP" + bytes(100))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_only_the_tables_of_public_count(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """MAAS 3.5 and later have Temporal's schemas in the same database."""
    path, wanted = tmp_path / "maas.sql", tmp_path / "wanted" / "maas.sql"
    wanted.parent.mkdir()
    wanted.write_text(as_sql(tables()))
    path.write_bytes(pack(as_sql(tables(), others=OTHER_SCHEMAS).encode()))
    assert read_dump(path) == read_dump(wanted)


def test_a_table_that_only_another_schema_has_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "maas.sql"
    spaces = tables()["maasserver_space"]
    without = {name: table for name, table in tables().items() if name != "maasserver_space"}
    path.write_text(as_sql(without, others={"temporal": {"maasserver_space": spaces}}))
    assert read_dump(path).spaces == ()
    path.write_text(as_sql({}, others={"backup": tables()}))
    with pytest.raises(SourceError, match="maasserver_node is in schema backup, and MAAS's is public"):
        read_dump(path)
    path.write_text(as_sql({}, others={"temporal": OTHER_SCHEMAS["temporal"]}))
    with pytest.raises(SourceError, match="has no tables with data"):
        read_dump(path)


def test_dumps_of_old_tools_name_the_schema_before_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "maas.sql"
    wanted = as_sql(tables(), others=OTHER_SCHEMAS)
    path.write_text(wanted)
    estate = read_dump(path)
    old = wanted
    for schema in ("public", "temporal", "temporal_visibility", '"Old copy"'):
        setting = f"SET search_path = {schema}, pg_catalog;\n"
        old = old.replace(f"COPY {schema}.", f"{setting}COPY ")
    # the row that looks like a table is left as it is
    path.write_text(old)
    assert read_dump(path) == estate


def test_inserts_of_other_schemas_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "maas.sql"
    insert = "INSERT INTO temporal.maasserver_zone VALUES (1);\n"
    path.write_text(as_sql(tables()).replace("\nCREATE TABLE", insert + "\nCREATE TABLE", 1))
    assert read_dump(path).zones


def test_an_archive_takes_pg_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "maas.dump"
    path.write_bytes(b"PGDMP" + bytes(100))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="and pg_restore is needed"):
        read_dump(path)
    packed = tmp_path / "maas.dump.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(SourceError, match="compressed twice"):
        read_dump(packed)


def test_odd_parameters_of_an_interface_stop_nothing() -> None:
    """The server would refuse the whole estate for them."""
    params = {"bond_mode": "802.3ad", "mtu": 9000, "on": True, "no": None, "list": [1], "big": 2**40, "": 1}
    params |= {"long": "x" * 300, "n" * 70: 1}
    found = vocabulary.parameters("abc001", "bond0", params)
    assert {one.name: one.value for one in found} == {"bond_mode": "802.3ad", "mtu": 9000, "on": True}
    assert list(vocabulary.parameters("abc001", "eth0", "")) == []
