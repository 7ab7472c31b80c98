"""The common verbs of nouns: list, show and delete, generated from a description of the noun."""

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
    """A noun of the command line, with the type of its answer and the answer's field names."""

    name: str
    #: The metavar of its key in help texts.
    key: str
    collection: Callable[[Client], Collection[T, Any, Any, Any]]
    columns: Columns[T, K]
    #: Lines of `show`; by default the columns.
    lines: Columns[T, K] = ()
    parts: Callable[[T], Sequence[Part]] = lambda _: ()
    #: Advice for an empty list.
    empty: str = ""
    example: str = "NAME"
    #: The title of the column with the name; by default the first column that is not an ID.
    by: str = ""

    def listing(self, *, is_ordered: bool = False, **empty_with: str) -> Listing[T, K]:
        """The description of its lists; `empty_with` explains an empty list by option."""
        titles = [column.title for column in self.columns]
        by = self.by or next(title for title in titles if title != "ID")
        more = [line for line in self.lines if line.title not in titles]
        return Listing(self.columns, self.empty, by, more, is_ordered, empty_with)

    def show(self, item: T, output: Format) -> None:
        """Show one item."""
        show_one(item, self.lines or self.columns, output, self.parts(item))


def make_app(noun: NounCommands[Any, Any]) -> typer.Typer:
    """Make the Typer app of a noun; its module adds further commands."""
    return typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", name=noun.name)


def add_list(app: typer.Typer, noun: NounCommands[T, K]) -> None:
    """Add the command `list`."""

    @app.command("list", help=f"List all {noun.name}s.\n\nExample: `hostloom {noun.name} list -o json`")
    @lists(noun.listing())
    def list_(context: typer.Context) -> list[T]:
        with open_client(context) as client:
            return noun.collection(client).list()


def add_show(app: typer.Typer, noun: NounCommands[Any, Any]) -> None:
    """Add the command `show`."""

    @app.command("show", help=f"Show one {noun.name}.\n\nExample: `hostloom {noun.name} show {noun.example}`")
    def show(
        context: typer.Context,
        key: Annotated[str, typer.Argument(metavar="NAME", help=noun.key)],
        output: Output = Format.TABLE,
    ) -> None:
        with open_client(context) as client:
            noun.show(noun.collection(client).get(key), output)


def add_delete(app: typer.Typer, noun: NounCommands[Any, Any], warning: str = "") -> None:
    """Add the command `delete`; the server refuses it for an item in use."""

    @app.command(
        "delete",
        help=f"Delete one {noun.name}. If it is in use, the command is refused and lists its users.\n\n"
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
    """Ask for confirmation of a destructive action; without a terminal, `--yes` is required."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise fail(
            f"nothing was changed, because this was not confirmed: {question}",
            "`--yes` confirms it",
            Exit.USAGE,
        )
    typer.confirm(question, abort=True, err=True)


def given(**values: object) -> Document:
    """The options with a value: None is left out."""
    return {name: value for name, value in values.items() if value is not None}
