"""`hostloom world`."""

from pathlib import Path
from typing import Annotated

import typer

from hostloom.cli.output import Format, Output, say, show_data
from hostloom.cli.session import open_client

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def world() -> None:
    """Makes Typer treat the only command as part of a group."""


@app.command("export")
def export(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="File to write; default: standard output.")] = None,
    output: Output = Format.YAML,
) -> None:
    """Write the live state as a world file, which `hostloom simulate` reads.

    Example: `hostloom world export now.yaml`
    """
    with open_client(context) as client:
        world = client.world()
    if file is None:
        show_data(world, Format.YAML if output is Format.TABLE else output)
        return
    import yaml

    file.write_text(yaml.safe_dump(world, sort_keys=False, allow_unicode=True), encoding="utf-8")
    say(f"written to {file}; `hostloom simulate {file} --request 'interfaces=…'` plans a request with it")
