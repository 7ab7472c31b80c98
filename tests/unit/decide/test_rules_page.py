"""docs/explanation/rules.md and the code are kept in step: states, sources, modes, keys, codes, order."""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import pytest

from hostloom.decide.dry_run import simulate
from hostloom.decide.hosts.origin import OriginCase
from hostloom.decide.request.constraints import (
    KEYS,
    MAX_LABELS,
    MAX_LENGTH,
    MAX_TERMS,
    NEGATABLE,
    POSITIVE,
    SETTING,
    nic_name,
    parse,
)
from hostloom.decide.request.storage import DEFAULT
from hostloom.model.attachment import MacvlanMode
from hostloom.model.errors.values import ConstraintError
from hostloom.model.host import CorrelationState, InstalledBy
from hostloom.model.machine import TRANSITIONS, MachineState
from hostloom.model.node import VlanSource
from hostloom.model.reasons import RejectionCode
from hostloom.model.request import AddressMode
from support.a_request import a_request
from support.worlds import ACCEPTANCE, load

PAGE = (Path(__file__).parents[3] / "docs/explanation/rules.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below a heading, up to the next one."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the tables of a section, their headings left out."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row, after in zip(cells, [*lines[1:], ""], strict=True) if not _is_heading(row, after)]


def _is_heading(row: list[str], next_line: str) -> bool:
    return next_line.startswith("|---") or row[0].startswith("---")


def codes(text: str) -> list[str]:
    """The words in back-ticks."""
    return re.findall(r"`([^`]+)`", text)


def first_cells(title: str) -> list[str]:
    return [code for row in rows(title) for code in codes(row[0])]


def texts(members: Iterable[StrEnum]) -> list[str]:
    return [str(member) for member in members]


def test_the_life_of_a_machine_is_the_transition_table() -> None:
    written = {codes(state)[0]: set(codes(following)) for state, following in rows("Life of a machine")}
    assert written == {str(state): set(texts(TRANSITIONS[state])) for state in MachineState}


@pytest.mark.parametrize(
    ("title", "members"),
    [
        ("Which node a host is", CorrelationState),
        ("How KVM was installed", InstalledBy),
        ("How a host came to hostloom", OriginCase),
        ("The VLAN of a host interface", VlanSource),
        ("Attaching a NIC", MacvlanMode),
        ("Choosing addresses", AddressMode),
    ],
)
def test_every_value_has_its_row_in_the_order_of_the_code(title: str, members: type[StrEnum]) -> None:
    assert first_cells(title) == texts(members)


def test_every_reason_that_bars_an_interface_from_any_machine_is_listed() -> None:
    barring = list(RejectionCode)[: list(RejectionCode).index(RejectionCode.PASSTHRU_IN_USE) + 1]
    assert sorted(first_cells("Interfaces that can carry a machine")) == sorted(texts(barring))


def test_the_tables_of_keys_are_those_of_the_parser() -> None:
    keys = {codes(row[0])[0]: row for row in rows("Interface constraints") if codes(row[0])[0] in KEYS}
    assert set(keys) == KEYS
    selecting = {key: row[1] for key, row in keys.items() if len(row) == 4}
    assert selecting == dict.fromkeys(NEGATABLE, "yes") | dict.fromkeys(POSITIVE, "no")
    assert {key for key, row in keys.items() if len(row) == 3} == SETTING


@pytest.mark.parametrize(
    "term", [codes(row[-1])[0] for row in rows("Interface constraints") if "=" in row[-1]]
)
def test_every_example_of_a_key_parses_and_garbage_does_not(term: str) -> None:
    (label,) = parse(f" eth0 : {term} ")
    assert label.terms[0].key == term.partition("=")[0]
    with pytest.raises(ConstraintError) as caught:
        parse(f"eth0:{term};")
    assert caught.value.column > 0


def test_the_names_of_nics() -> None:
    names = {codes(row[0])[0]: codes(row[1])[0] for row in rows("Interface constraints") if len(row) == 2}
    assert len(names) == 3
    assert names == {label: nic_name(label) for label in names}


def test_the_limits_and_the_default_disk() -> None:
    for limit in (f"{MAX_LENGTH} characters", f"{MAX_LABELS} labels", f"{MAX_TERMS} terms"):
        assert limit in section("Interface constraints")
    assert f"`{DEFAULT}`" in section("Storage constraints")


def test_hosts_are_ordered_by_the_criteria_in_the_order_of_the_page() -> None:
    world = load(ACCEPTANCE / "own/deciding.yaml")
    decision = simulate(world.snapshot, a_request(interfaces="eth0:space=dmz"))
    score = next(host.score for host in decision.explanation.hosts if host.score)
    assert [name for name, _ in score] == first_cells("Choosing a host")
