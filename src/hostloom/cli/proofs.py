"""`hostloom machine verify`, and tables of its results."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import Part, given
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.follow import Wait, finish
from hostloom.cli.output import Format, Output, say, show, show_data, table, when
from hostloom.cli.session import open_client
from hostloom.client import Client, answers, keys
from hostloom.model.machine import Verdict

#: From best to worst.
_ORDER = (Verdict.NOT_APPLICABLE, Verdict.PASSED, Verdict.UNKNOWN, Verdict.FAILED)
_SHORT = {
    Verdict.PASSED: "ok",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.UNKNOWN: "?",
    Verdict.FAILED: "BAD",
}


class Row(answers.Evidence):
    """One check with its machine and NIC."""

    machine: str
    nic: str


RowKey = keys.EvidenceKey | Literal["machine", "nic"]
EVIDENCE: Columns[Row, RowKey] = (
    Column("NIC", "nic"),
    Column("CHECK", "check"),
    Column("VERDICT", "verdict"),
    Column("WANTED", "wanted", text=True, rank=1),
    Column("FOUND", "text", text=True),
    Column("HOW", "how", rank=2),
)


def badge(nic: answers.Nic) -> str | None:
    """The worst result of a NIC."""
    return nic["proof"]["verdict"] if nic["proof"] else None


def worst(machine: answers.Machine) -> str | None:
    """The worst badge of a machine's NICs in one short word, for lists."""
    badges = [Verdict(verdict) for nic in machine["interfaces"] if (verdict := badge(nic))]
    verdict = max(badges, key=_ORDER.index, default=None)
    return None if verdict is None else _SHORT[verdict]


def parts_of(machine: answers.Machine) -> list[Part]:
    """The results for a machine's NICs with their times; nothing if it was never verified."""
    proofs = [nic["proof"] for nic in machine["interfaces"] if nic["proof"]]
    if not proofs:
        return []
    oldest = min(proof["at"] for proof in proofs)
    return [(f"on the wire ({when(oldest)})", table(_rows([machine]), EVIDENCE))]


def verify(
    context: typer.Context,
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="MACHINE", help="Machines, by hostname or system id.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Verify every machine that is on a host.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="Verify every machine on this host.")] = None,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Verify machines on the network: attachment, carrier, address, duplicates, gateway, MTU.

    A temporary probe next to the machine checks what the machine cannot answer. The exit code is 1 if a
    check failed, and 4 if none failed but a host could not be reached.

    Examples:

    - `hostloom machine verify web1 web2`
    - `hostloom machine verify --host kvm1`
    - `hostloom machine verify --all`
    """
    if sum((bool(keys), everything, host is not None)) != 1:
        raise fail("no machine is named", "use names, `--host HOST` or `--all`", Exit.USAGE)
    with open_client(context) as client:
        operation = client.verify(given(machines=keys or None, host=host))
        finish(client, operation, output, wait=wait)
        proofs = _verified(client, keys or [], host)
    if output is not Format.TABLE:
        show_data(proofs, output)
    else:
        _show(proofs)
    raise typer.Exit(_exit_of(proofs))


def _verified(client: Client, names: Sequence[str], host: str | None) -> list[answers.Machine]:
    if names:
        return [client.machines.get(name) for name in dict.fromkeys(names)]
    machines = client.machines.list(**given(host=host))
    return [machine for machine in machines if worst(machine) is not None]


def _show(machines: Sequence[answers.Machine]) -> None:
    machine: Column[Row, RowKey] = Column("MACHINE", "machine")
    columns = (machine, *EVIDENCE) if len(machines) > 1 else EVIDENCE
    rows = _rows(machines)
    show(table(rows, columns))
    for verdict, words in ((Verdict.FAILED, "failed"), (Verdict.UNKNOWN, "not known")):
        for row in rows:
            if row["verdict"] == verdict.value:
                say(f"{words}: {row['machine']} {row['nic']}: {row['check']}: {row['text']}")


def _rows(machines: Sequence[answers.Machine]) -> list[Row]:
    return [
        {"machine": machine["hostname"], "nic": nic["name"], **evidence}
        for machine in machines
        for nic in machine["interfaces"]
        for evidence in (nic["proof"]["evidence"] if nic["proof"] else [])
    ]


def _exit_of(machines: Sequence[answers.Machine]) -> Exit:
    rows = _rows(machines)
    if any(row["verdict"] == Verdict.FAILED.value for row in rows):
        return Exit.FAILED
    return Exit.UNREACHABLE if any(row["found"].startswith("host-unreachable") for row in rows) else Exit.OK
