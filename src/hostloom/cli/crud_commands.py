"""The verbs that every noun has: list, show and delete, made from one description of the noun."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeAlias

import typer

from hostloom.cli.columns import Columns, K, T
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.listing import Listing, lists
from hostloom.cli.output import Format, Output, show_done, show_one
from hostloom.cli.session import open_client
from hostloom.client import Client, Collection, Document

if TYPE_CHECKING:
    from rich.table import Table

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Part: TypeAlias = "tuple[str, Table | str]"


@dataclass(frozen=True)
class NounCommands(Generic[T, K]):
    """A noun of the command line: the answer that stands for it, and the names of the answer's fields."""

    name: str
    #: How its keys are written in help texts.
    key: str
    collection: Callable[[Client], Collection[T, Any, Any, Any]]
    columns: Columns[T, K]
    #: Lines of `show`; the columns where absent.
    lines: Columns[T, K] = ()
    parts: Callable[[T], Sequence[Part]] = lambda _: ()
    #: What to do when there is none yet.
    empty: str = ""
    example: str = "NAME"
    #: The title of the column that names a thing; the first one that is no ID where absent.
    by: str = ""

    def listing(self, *, is_ordered: bool = False, **empty_with: str) -> Listing[T, K]:
        """What its lists can show; `empty_with` says what an empty list means with an option."""
        titles = [column.title for column in self.columns]
        by = self.by or next(title for title in titles if title != "ID")
        more = [line for line in self.lines if line.title not in titles]
        return Listing(self.columns, self.empty, by, more, is_ordered, empty_with)

    def show(self, item: T, output: Format) -> None:
        """One of it."""
        show_one(item, self.lines or self.columns, output, self.parts(item))


def make_app(noun: NounCommands[Any, Any]) -> typer.Typer:
    """The noun's commands, to which its module adds; their help text is in main.py."""
    return typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", name=noun.name)


def add_list(app: typer.Typer, noun: NounCommands[T, K]) -> None:
    """`list`."""

    @app.command("list", help=f"List all {noun.name}s.\n\nExample: `hostloom {noun.name} list -o json`")
    @lists(noun.listing())
    def list_(context: typer.Context) -> list[T]:
        with open_client(context) as client:
            return noun.collection(client).list()


def add_show(app: typer.Typer, noun: NounCommands[Any, Any]) -> None:
    """`show`."""

    @app.command("show", help=f"Show one {noun.name}.\n\nExample: `hostloom {noun.name} show {noun.example}`")
    def show(
        context: typer.Context,
        key: Annotated[str, typer.Argument(metavar="NAME", help=noun.key)],
        output: Output = Format.TABLE,
    ) -> None:
        with open_client(context) as client:
            noun.show(noun.collection(client).get(key), output)


def add_delete(app: typer.Typer, noun: NounCommands[Any, Any], warning: str = "") -> None:
    """`delete`; refused by the server while something uses it."""

    @app.command(
        "delete",
        help=f"Delete one {noun.name}. While something uses it, this is refused and lists the users.\n\n"
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
    """Ask before something is destroyed; without a terminal, `--yes` is required."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise fail(
            f"nothing was done, because this was not confirmed: {question}", "`--yes` confirms it", Exit.USAGE
        )
    typer.confirm(question, abort=True, err=True)


def given(**values: object) -> Document:
    """The options that were given: None stays out."""
    return {name: value for name, value in values.items() if value is not None}
