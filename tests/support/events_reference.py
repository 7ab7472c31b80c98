"""Write docs/reference/events.md anew: `PYTHONPATH=tests python -m support.events_reference`."""

from pathlib import Path

from hostloom.model.event import EventSubjectKind
from hostloom.model.event_kind import EventKind, Severity

FILE = Path(__file__).parents[2] / "docs" / "reference" / "events.md"
HEAD = """# Events

An event records what happened, when, and to what. `hostloom event list` shows the newest ones, and
`GET /api/v1/events` returns them to programs. This page is generated from the code
(`PYTHONPATH=tests python -m support.events_reference`).

| Field | What it holds |
|---|---|
| `id` | a number that grows with each event |
| `kind` | one of the kinds below; monitors can rely on these names |
| `severity` | `info`, `warning` or `error` (something does not work); each kind has one |
| `subject` | what the event is about, as text: `machine web1` |
| `subject_kind` | SUBJECTS |
| `subject_key` | what a rename does not change: a system id, an id, or the name of what has neither |
| `subject_name` | the name at the time of the event: `web1`, `fabric-0/20`, `10.0.0.0/24` |
| `message` | what happened, for people |
| `at` | when, in seconds since the epoch |
| `details` | more data, depending on the kind |

The key is the system id of a machine or a node, the id of a host, a rack, a VLAN or a subnet, and the
name of everything else. It is empty for what is not recorded, such as a machine that was refused.

`event list --severity warning` lists warnings and errors, `--kind host-lost` one kind of event, and
`--subject web1` the events of one thing. MAAS's API shows the severity as the `level`: `INFO`, `WARNING` or
`ERROR`.

"""


def render() -> str:
    """The page."""
    subjects = ", ".join(f"`{kind}`" for kind in EventSubjectKind)
    return HEAD.replace("SUBJECTS", subjects) + "\n".join(_table(severity) for severity in reversed(Severity))


def _table(severity: Severity) -> str:
    rows = [f"| `{kind}` | {kind.description} |" for kind in sorted(EventKind) if kind.severity is severity]
    return "\n".join([f"## {severity.title()}", "", "| Kind | What happened |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
