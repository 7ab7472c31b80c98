"""A group that imports its commands when they are used, so that help and completion start quickly."""

from importlib import import_module
from typing import Any, cast

import typer
from typer._click import Command, Context  # typer has no public names for these
from typer.core import TyperCommand, TyperGroup

from hostloom.cli.completion import prepare_completion
from hostloom.cli.entries import ENTRIES, Entry


class LazyGroup(TyperGroup):
    """Lists its entries without importing them, and imports the one that a command line names."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._entries = {entry.name: entry for entry in ENTRIES}
        for entry in ENTRIES:
            self.add_command(TyperCommand(entry.name, help=entry.help, rich_help_panel=entry.panel))

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse the options before the name of a command."""
        if ctx.resilient_parsing:  # during completion
            prepare_completion(self, ctx)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Find the command that the arguments name, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is None:
            return name, None, rest
        command = self.load(str(name))
        if ctx.resilient_parsing:
            prepare_completion(command, ctx)
        return name, command, rest

    def load(self, name: str) -> Command:
        """Import a command; a second call returns the same object."""
        if name in self._entries:
            self.commands[name] = load_entry(self._entries.pop(name))
        return self.commands[name]

    def load_all(self) -> "LazyGroup":
        """Import every command, for code that walks the whole tree."""
        for name in list(self._entries):
            self.load(name)
        return self


def load_entry(entry: Entry) -> Command:
    """Import an entry's code and build its commands."""
    module, _, attribute = entry.target.partition(":")
    target = getattr(import_module(f"hostloom.cli.{module}"), attribute)
    parent = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
    parent.callback()(lambda: None)  # which makes a group even for a single command
    if isinstance(target, typer.Typer):
        parent.add_typer(target, name=entry.name, help=entry.help, rich_help_panel=entry.panel)
    else:
        parent.command(entry.name, rich_help_panel=entry.panel)(target)
    group = cast("TyperGroup", typer.main.get_command(parent))
    return group.commands[entry.name]
