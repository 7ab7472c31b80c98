"""Redraws an operation's steps on a terminal at every change."""

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from hostloom.cli.follow import WORDS, bytes_done
from hostloom.cli.output import console
from hostloom.client import Client, answers

_MARKS = {
    "pending": ("·", "dim"),
    "done": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "undone": ("↶", "yellow"),
    "undo-failed": ("✗", "bold red"),
}


def follow_live(client: Client, operation: answers.Operation) -> answers.Operation:
    """Show the steps until the operation is finished or stuck, and return its last state."""
    spinner = Spinner("dots")
    with Live(_picture(operation, spinner), console=console(stderr=True), refresh_per_second=10) as live:
        for current in client.follow(operation["id"]):
            operation = current
            live.update(_picture(operation, spinner))
    return operation


def _picture(operation: answers.Operation, spinner: Spinner) -> Group:
    rows = Table.grid(padding=(0, 1))
    for step in operation["steps"]:
        sign, style = _MARKS.get(step["state"], ("", ""))
        mark = Text(sign, style=style) if sign else spinner
        note = step["error"] or WORDS.get(step["state"], "") or bytes_done(step)
        rows.add_row(mark, Text(step["name"], style="dim" if step["state"] == "pending" else ""), Text(note))
    return Group(Text(f"{operation['saga']} {operation['subject']}", style="bold"), rows)
