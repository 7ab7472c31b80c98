"""`hostloom simulate`: what it takes, what it gives to programs, how it ends."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from hostloom.cli import simulate as simulate_module
from hostloom.cli.main import app
from hostloom.cli.what_if import MOST_ROWS, complete_change
from hostloom.decide.changes.text import FORMS
from hostloom.simulation.dump_world import dump_world
from support.worlds import ACCEPTANCE, load

OWN = ACCEPTANCE / "own"
THREE = OWN / "what-if-three-hosts.yaml"


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(
        app, ["simulate", str(THREE), *arguments], env={"COLUMNS": "120", "NO_COLOR": "1"}
    )


def answer(*arguments: str) -> dict[str, Any]:
    result = simulate(*arguments, "-o", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


#: Changes; the machines that are hurt, each with where it could go; the requests that fare otherwise.
SCENARIOS = [
    (["lose-interface:kvm1/eth0"], {}, {}),
    (
        ["lose-interface:kvm1/eth2"],
        {"lab1": "kvm3"},
        {"lab-without-boot": "moves"},
    ),
    (
        ["lose-host:kvm2"],
        {"db1": None, "db2": "kvm1"},
        {"dmz-on-kvm2": "no-longer-fits", "three-spread": "moves"},
    ),
    (
        ["lose-vlan:lan/20"],
        {"web1": None, "web2": None, "db1": None},
        {"a-web-machine": "no-longer-fits", "dmz-on-kvm2": "no-longer-fits"},
    ),
    (
        ["stop-serving-vlan:lan/20"],
        {"web1": "kvm1", "web2": "kvm1", "db1": None},
        {"dmz-on-kvm2": "no-longer-fits"},
    ),
    (["serve-vlan:lan/30"], {}, {"lab-booted": "fits-now"}),
    (["set-macvlan-mode:kvm2=private"], {}, {"dmz-on-kvm2": "moves", "three-spread": "moves"}),
    (["move-interface:kvm2/eth1=lan/30"], {"db1": "kvm2"}, {}),
    (["raise-memory-ratio:kvm2=0.25"], {"db1": None, "db2": "kvm1"}, None),
    (["lose-interface:kvm3/br0"], {"ci1": "kvm3"}, None),
    (["change-request:cores=100"], {}, None),
]


@pytest.mark.parametrize(("changes", "hurt", "turns"), SCENARIOS, ids=[each[0][0] for each in SCENARIOS])
def test_what_a_change_would_do(
    changes: list[str], hurt: dict[str, str | None], turns: dict[str, str] | None
) -> None:
    found = answer(*(word for change in changes for word in ("--what-if", change)))
    assert {each["machine"]: each["goes_to"] for each in found["hurt"]} == hurt
    assert (found["machines"], found["requests"]) == (6, 8)
    if turns is not None:
        assert {each["name"]: each["turn"] for each in found["changed"]} == turns


def test_a_bond_outlives_one_of_its_members_and_not_both() -> None:
    both = ["--what-if", "lose-interface:kvm1/eth0", "--what-if", "lose-interface:kvm1/eth1"]
    found = answer(*both)
    assert {each["machine"] for each in found["hurt"]} == {"web1", "web2"}
    assert [each["goes_to"] for each in found["hurt"]] == ["kvm2", None]


def test_a_request_may_be_changed_too() -> None:
    found = answer("--what-if", "change-request:cores=100")
    turns = {each["turn"] for each in found["changed"]}
    assert turns == {"no-longer-fits", "refused-otherwise"}


def test_damage_is_no_failure_unless_asked() -> None:
    lose = ("--what-if", "lose-host:kvm1")
    assert simulate(*lose).exit_code == 0
    assert simulate(*lose, "--fail-if-hurt").exit_code == 3
    assert simulate("--what-if", "serve-vlan:lan/30", "--fail-if-hurt").exit_code == 0
    only = ("--case", "dmz-on-kvm2", "--what-if", "link-up:kvm2/eth1", "--fail-if-hurt")
    assert simulate(*only).exit_code == 0


def test_room_before_and_after() -> None:
    found = answer("--what-if", "lose-host:kvm1", "--add", "500", "--request", "memory_mib=4096")
    assert found["room"]["fit"] < found["room"]["fit_before"]
    assert found["room"]["refusal"]["code"] == "no-host-fits"
    assert sum(found["room"]["hosts"].values()) == found["room"]["fit"]
    alone = answer("--add", "2")
    assert alone == {
        "file": str(THREE),
        "room": {"wanted": 2, "fit": 2, "hosts": {"kvm1": 1, "kvm3": 1}, "refusal": None},
    }


def test_machines_that_keep_apart_have_room_once_a_host() -> None:
    found = answer("--add", "10", "--request", "anti_affinity=web")
    assert found["room"]["hosts"] == {"kvm1": 1, "kvm2": 1, "kvm3": 1}


def test_several_worlds_are_a_list_for_programs() -> None:
    other = str(OWN.parent / "shared" / "preference.yaml")
    found = json.loads(simulate(other, "--add", "1", "-o", "json").stdout)
    assert [each["file"] for each in found] == [str(THREE), other]
    plans = yaml.safe_load(simulate(other, "--request", "cores=1", "-o", "yaml").stdout)
    assert [each["file"] for each in plans] == [str(THREE), other]


def test_a_request_is_one_document() -> None:
    found = answer("--request", "interfaces=eth0:space=dmz")
    assert (found["host"], found["error"]) == ("kvm1", None)
    assert found["interfaces"][0]["vlan"] == "lan/20"
    several = answer(
        "--request", "interfaces=eth0:space=mgmt", "--request", "count=3", "--request", "strategy=spread"
    )
    assert several["hosts"] == {"kvm1": 1, "kvm2": 1, "kvm3": 1}
    assert len(several["machines"]) == 3


def test_cases_for_programs() -> None:
    found = answer()
    assert (found["passed"], found["failed"]) == (8, 0)
    assert found["cases"][0] == {"file": str(THREE), "case": "a-web-machine", "ok": True, "differences": []}


def test_a_case_that_fails_tells_the_difference(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    text = THREE.read_text().replace("hosts: {kvm1: 1, kvm2: 1, kvm3: 1}", "hosts: {kvm1: 3}")
    path.write_text(text)
    result = CliRunner().invoke(app, ["simulate", str(path)])
    assert result.exit_code == 1
    assert "       hosts: expected kvm1: 3, found kvm1: 1, kvm2: 1, kvm3: 1" in result.stdout
    assert result.stdout.endswith("7 passed, 1 failed\n")
    shown = CliRunner().invoke(app, ["simulate", str(path), "--case", "three-spread"])
    assert shown.exit_code == 1
    assert "FAIL hosts: expected" in shown.stderr


def test_every_kind_of_change_is_in_the_help_and_completed() -> None:
    told = re.sub(r"\s+", " ", simulate_module.simulate.__doc__ or "")
    for kind, form in FORMS.items():
        assert f"{kind}:{form}" in told
    assert complete_change("lose-") == ["lose-interface:", "lose-vlan:", "lose-host:"]
    assert set(complete_change("")) == {f"{kind}:" for kind in FORMS}


@pytest.mark.parametrize("kind", sorted(FORMS))
def test_a_change_of_the_wrong_form_is_told_the_right_one(kind: str) -> None:
    for text in (kind, f"{kind}:"):
        result = simulate("--what-if", text)
        assert result.exit_code == 2
        assert f"expected {kind}:{FORMS[kind]}" in result.stderr  # type: ignore[index]


def test_an_exported_world_is_asked_the_same(tmp_path: Path) -> None:
    path = tmp_path / "now.yaml"
    path.write_text(yaml.safe_dump(dump_world(load(THREE).snapshot), sort_keys=False))
    lose = ["--what-if", "lose-host:kvm1", "-o", "json"]
    exported = json.loads(CliRunner().invoke(app, ["simulate", str(path), *lose]).stdout)
    assert exported["hurt"] == json.loads(simulate(*lose).stdout)["hurt"]
    assert (exported["machines"], exported["requests"], exported["changed"]) == (6, 0, [])


def test_of_many_rows_people_see_the_first(tmp_path: Path) -> None:
    document = yaml.safe_load(THREE.read_text())
    document["hosts"][0]["machines"] = [{"name": f"m{n}", "memory_mib": 1} for n in range(MOST_ROWS + 5)]
    document["hosts"][0]["cores"] = 100
    document["cases"] = []
    path = tmp_path / "many.yaml"
    path.write_text(yaml.safe_dump(document))
    result = CliRunner().invoke(app, ["simulate", str(path), "--what-if", "lose-host:kvm1"])
    assert "and 5 more: -o json has them all" in result.stderr
    assert result.stdout.count("\nm") == MOST_ROWS


def test_it_runs_as_a_program_too() -> None:
    words = shlex.split(f"{sys.executable} -m hostloom.cli simulate {THREE} --what-if lose-host:kvm1")
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"}
    )
    assert done.returncode == 0
    assert done.stdout.startswith("with lose-host:kvm1: 3 of 6 machines affected, ")
