"""Lists fit the terminal, and nothing that is copied is broken."""

import pytest
from rich.console import Console

from hostloom.cli.columns import Column, cell
from hostloom.cli.layout import lay_out
from hostloom.cli.machines import NOUN
from hostloom.client import Document

MACHINE: Document = {
    "hostname": "a-machine-with-a-name",
    "host": "kvm-host-12.example",
    "host_reachable": True,
    "state": "failed-commissioning",
    "power": "on",
    "cores": 128,
    "memory_mib": 512 * 1024,
    "origin": "composed",
    "image": "debian-12",
    "interfaces": [
        {"ips": ["198.18.10.200", "2001:db8:1234:5678::200"], "proof": None},
        {"ips": ["198.18.30.200"], "proof": None},
    ],
}


def lines(columns: list[Column], items: list[Document], width: int | None) -> list[str]:
    console = Console(width=width or 1000, no_color=True)
    with console.capture() as captured:
        console.print(lay_out(items, columns, width), crop=False)
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize("width", [80, 100, 132])
def test_a_list_of_machines_fits_and_breaks_no_address(width: int) -> None:
    shown = lines(list(NOUN.columns), [MACHINE] * 3, width)
    assert all(len(line) <= width for line in shown)
    for nic in MACHINE["interfaces"]:
        for ip in nic["ips"]:
            assert sum(ip in line for line in shown) == 3


def test_columns_of_the_highest_rank_go_first() -> None:
    columns = [Column("NAME", "name"), Column("MINOR", "minor", rank=2), Column("MAC", "mac", rank=1)]
    item = {"name": "n" * 40, "minor": "m" * 20, "mac": "02:48:4c:01:00:00"}
    assert lines(columns, [item], 80)[0].split() == ["NAME", "MAC"]
    assert lines(columns, [item], 50)[0].split() == ["NAME"]
    assert lines(columns, [item], None)[0].split() == ["NAME", "MINOR", "MAC"]


def test_what_has_no_rank_stays_whole_even_where_it_does_not_fit() -> None:
    columns = [Column("A", "a"), Column("B", "b")]
    (_, line) = lines(columns, [{"a": "x" * 60, "b": "y" * 60}], 80)
    assert line == f"{'x' * 60}  {'y' * 60}"


def test_texts_are_laid_over_several_lines_between_words() -> None:
    columns = [Column("KIND", "kind"), Column("MESSAGE", "message", text=True)]
    message = "the quick brown fox jumps over the lazy dog and then it goes home " * 3
    shown = lines(columns, [{"kind": "host-lost", "message": message}], 60)
    assert all(len(line) <= 60 for line in shown)
    assert " ".join(line.removeprefix("host-lost").strip() for line in shown[1:]) == message.strip()


@pytest.mark.parametrize(
    ("value", "text"), [("a\nb", "a b"), ("\x1b[31mred", " [31mred"), ([1, None], "1, -"), (True, "yes")]
)
def test_a_cell_is_one_line_without_control_characters(value: object, text: str) -> None:
    assert cell(value) == text
