"""The verbs that every noun has: list, show and delete, made from one description of the noun."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.table import Table

from hostloom.cli.exits import Exit, fail
from hostloom.cli.output import Column, Format, Output, show_done, show_list, show_one
from hostloom.cli.session import open_client
from hostloom.client import Client, Collection, Document

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Part = tuple[str, Table | str]


@dataclass(frozen=True)
class Noun:
    """A noun of the command line."""

    name: str
    #: How its keys are written in help texts.
    key: str
    collection: Callable[[Client], Collection]
    columns: Sequence[Column]
    #: Lines of `show`; the columns where absent.
    lines: Sequence[Column] = ()
    parts: Callable[[Document], Sequence[Part]] = lambda _: ()
    #: What to do when there is none yet.
    empty: str = ""
    example: str = "NAME"

    def show(self, item: Document, output: Format) -> None:
        """One of it."""
        show_one(item, self.lines or self.columns, output, self.parts(item))


def make_app(noun: Noun, text: str) -> typer.Typer:
    """The noun's commands, of which the module of the noun adds its own."""
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode="markdown", name=noun.name)


def add_list(app: typer.Typer, noun: Noun) -> None:
    """`list`."""

    @app.command("list", help=f"List every {noun.name}.\n\nExample: `hostloom {noun.name} list -o json`")
    def list_(context: typer.Context, output: Output = Format.TABLE) -> None:
        with open_client(context) as client:
            show_list(noun.collection(client).list(), noun.columns, output, noun.empty)


def add_show(app: typer.Typer, noun: Noun) -> None:
    """`show`."""

    @app.command("show", help=f"Show one {noun.name}.\n\nExample: `hostloom {noun.name} show {noun.example}`")
    def show(
        context: typer.Context,
        key: Annotated[str, typer.Argument(metavar="NAME", help=noun.key)],
        output: Output = Format.TABLE,
    ) -> None:
        with open_client(context) as client:
            noun.show(noun.collection(client).get(key), output)


def add_delete(app: typer.Typer, noun: Noun, warning: str = "") -> None:
    """`delete`; refused by the server while something uses it."""

    @app.command(
        "delete",
        help=f"Delete one {noun.name}; refused, with the names, while something uses it.\n\n"
        f"Example: `hostloom {noun.name} delete {noun.example} --yes`",
    )
    def delete(
        context: typer.Context,
        key: Annotated[str, typer.Argument(metavar="NAME", help=noun.key)],
        yes: Yes = False,
        output: Output = Format.TABLE,
    ) -> None:
        confirm(f"Delete {noun.name} {key}?{' ' + warning if warning else ''}", yes=yes)
        with open_client(context) as client:
            noun.collection(client).delete(key)
        show_done(f"{noun.name} {key} deleted", {"deleted": key}, output)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is destroyed; without a terminal nobody can answer, so `--yes` it must be."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise fail(f"not done without an answer: {question}", "`--yes` answers it", Exit.USAGE)
    typer.confirm(question, abort=True, err=True)


def given(**values: object) -> Document:
    """The options that were given: None stays out."""
    return {name: value for name, value in values.items() if value is not None}
