"""`hostloom simulate --what-if`: the effects of a change on machines and requests."""

from dataclasses import dataclass, replace
from typing import Any

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.output import Format, say, show, show_data, table
from hostloom.cli.world_files import WorldFile
from hostloom.client import Document
from hostloom.decide.changes.apply import apply
from hostloom.decide.changes.request import apply_to_request
from hostloom.decide.changes.text import FORMS, format_change, parse_change
from hostloom.decide.explain import explain
from hostloom.decide.request.resolve import parse_request
from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.values import InvalidValue
from hostloom.model.hypothetical import HypotheticalChange
from hostloom.model.request import ComposeRequest
from hostloom.simulation.comparison import OutcomeChange
from hostloom.simulation.explain import render_changed, render_headline, render_headroom
from hostloom.simulation.headroom import Headroom, headroom
from hostloom.simulation.what_if import Consequences, consequences
from hostloom.simulation.what_if_document import consequences_data, room_data
from hostloom.simulation.world_file import Case

#: Maximum number of rows in a table; `-o json` contains all.
MOST_ROWS = 50

IMPACTS: Columns[Document, str] = (
    Column("MACHINE", "machine"),
    Column("HOST", "host"),
    Column("IMPACT", lambda item: "; ".join(harm["text"] for harm in item["harms"]), text=True),
    Column("NEW PLACE", "text", text=True),
)
CHANGED: Columns[Document, str] = (Column("REQUEST", "name"), Column("OUTCOME", "text", text=True))


@dataclass(frozen=True)
class Supposing:
    """The assumed changes, and how to show the answer."""

    changes: tuple[str, ...]
    #: The number of additional machines whose room is reported; None: room is not reported.
    add: int | None
    #: The request that each additional machine has; None: a request without constraints.
    case: Case | None
    fail_if_hurt: bool
    with_reasons: bool


@dataclass(frozen=True)
class WhatIfAnswer:
    """The answer for one world file."""

    file: WorldFile
    changes: tuple[HypotheticalChange, ...]
    after: Snapshot
    consequences: Consequences
    #: Headroom for additional machines before and after the change.
    rooms: tuple[Headroom, Headroom] | None

    @property
    def is_hurt(self) -> bool:
        """Whether the change affects a machine, or a request no longer fits."""
        return bool(self.consequences.harms) or any(
            compared_case.turn is OutcomeChange.NO_LONGER_FITS for compared_case in self.consequences.changed
        )


def complete_change(incomplete: str) -> list[str]:
    """Complete kinds of changes for the shell."""
    return [f"{kind}:" for kind in FORMS if f"{kind}:".startswith(incomplete)]


def suppose(worlds: list[WorldFile], supposing: Supposing, output: Format) -> Exit:
    """Answer for every world file; exit code 3 if it is requested and the change affects something."""
    changes = tuple(_parse(text) for text in supposing.changes)
    answers = [_answer(world, changes, supposing) for world in worlds]
    if output is Format.TABLE:
        for answer in answers:
            _show(answer, with_file=len(answers) > 1, with_reasons=supposing.with_reasons)
    else:
        documents = [_document(answer) for answer in answers]
        show_data(documents if len(documents) > 1 else documents[0], output)
    hurt = supposing.fail_if_hurt and any(answer.is_hurt for answer in answers)
    return Exit.REFUSED if hurt else Exit.OK


def _parse(text: str) -> HypotheticalChange:
    kind = text.partition(":")[0]
    form = next((f"{change_kind}:{form}" for change_kind, form in FORMS.items() if change_kind == kind), None)
    if form is None:
        kinds = "\n".join(f"  {change_kind}:{form}" for change_kind, form in FORMS.items())
        raise fail(f"--what-if {text!r}: unknown change {kind!r}; expected one of\n{kinds}", code=Exit.USAGE)
    try:
        return parse_change(text)
    except InvalidValue as error:
        raise fail(f"--what-if {text!r}: expected {form}", code=Exit.USAGE) from error


def _answer(file: WorldFile, changes: tuple[HypotheticalChange, ...], supposing: Supposing) -> WhatIfAnswer:
    before = file.world.snapshot
    cases = file.world.cases if changes else ()
    request = parse_request(ComposeRequest()) if supposing.case is None else supposing.case.request
    after, later, like = before, cases, request
    for change in changes:
        try:
            after = apply(after, change)
            like = apply_to_request(like, change)
            later = tuple(replace(case, request=apply_to_request(case.request, change)) for case in later)
        except InvalidValue as error:
            raise fail(f"{file.path}: --what-if {format_change(change)}: {error}", code=Exit.USAGE) from error
    rooms = None
    if supposing.add is not None:
        then = headroom(after, like, supposing.add)
        rooms = (headroom(before, request, supposing.add) if changes else then, then)
    return WhatIfAnswer(file, changes, after, consequences(before, after, cases, later), rooms)


# -- output ------------------------------------------------------------------------------------------------


def _document(answer: WhatIfAnswer) -> dict[str, Any]:
    before = answer.file.world.snapshot
    document: dict[str, Any] = {"file": str(answer.file.path)}
    if answer.changes:
        document["changes"] = [format_change(change) for change in answer.changes]
        document |= consequences_data(before, answer.after, answer.consequences)
    if answer.rooms is not None:
        was, now = answer.rooms
        document["room"] = room_data(now) | ({"fit_before": was.fit} if answer.changes else {})
    return document


def _show(answer: WhatIfAnswer, *, with_file: bool, with_reasons: bool) -> None:
    if with_file:
        typer.echo(f"{answer.file.path}:")
    if answer.changes:
        typer.echo(render_headline((format_change(change) for change in answer.changes), answer.consequences))
        data = consequences_data(answer.file.world.snapshot, answer.after, answer.consequences)
        _rows(data["hurt"], IMPACTS)
        _rows(data["changed"], CHANGED)
        if len(answer.consequences.cases) == 1 and not answer.consequences.changed:
            typer.echo(
                f"{answer.consequences.cases[0].name} is {render_changed(answer.consequences.cases[0])}"
            )
    if with_reasons:
        _show_reasons(answer)
    if answer.rooms is not None:
        was, now = answer.rooms
        typer.echo(render_headroom(now, was if answer.changes else None))
        if with_reasons and now.stop is not None:
            _lines(explain.render(now.stop))


def _rows(rows: list[Document], columns: Columns[Document, str]) -> None:
    if rows:
        show("", table(rows[:MOST_ROWS], columns))
    if len(rows) > MOST_ROWS:
        say(f"and {len(rows) - MOST_ROWS} more: -o json has them all")


def _show_reasons(answer: WhatIfAnswer) -> None:
    for fate in answer.consequences.fates:
        if fate.to is None:
            typer.echo(f"\n{fate.machine} of {fate.host}:")
            _lines(explain.render(fate.explanation))
    for compared_case in answer.consequences.changed:
        typer.echo(f"\n{compared_case.name}:")
        _lines(explain.render(compared_case.after.explanations[0]))


def _lines(lines: list[str]) -> None:
    for line in lines:
        typer.echo(f"  {line}")
