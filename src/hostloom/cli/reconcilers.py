"""`hostloom reconciler`: the periodic tasks of the server."""

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import NounCommands, add_list, make_app
from hostloom.cli.output import when
from hostloom.client import answers, keys


def _duration(item: answers.Reconciler) -> str:
    return "-" if item["duration_s"] is None else f"{item['duration_s']:.2f} s"


def _result(item: answers.Reconciler) -> str:
    if item["error"]:
        return f"failed {item['failures']} times: {item['error']}"
    return "ok" if item["runs"] else "-"


COLUMNS: Columns[answers.Reconciler, keys.ReconcilerKey] = (
    Column("NAME", "name"),
    Column("EVERY", lambda item: f"{item['every_s']:g} s", right=True, rank=2),
    Column("LAST RUN", lambda item: when(item["started_at"]), field="started_at", rank=1),
    Column("TOOK", _duration, right=True, rank=3),
    Column("RUNS", "runs", right=True, rank=4),
    Column("RESULT", _result, text=True),
)
NOUN = NounCommands[answers.Reconciler, keys.ReconcilerKey](
    "reconciler",
    "A reconciler by name.",
    lambda client: client.reconcilers,
    COLUMNS,
    empty="no reconcilers run on this server",
    example="host-refresh",
)

app = make_app(NOUN)
add_list(app, NOUN)
