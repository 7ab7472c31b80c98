"""`hostloom machine verify`, and the tables of what it finds."""

from collections.abc import Sequence
from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.exits import Exit, fail
from hostloom.cli.follow import finish
from hostloom.cli.hosts import Wait
from hostloom.cli.nouns import Part, given
from hostloom.cli.output import Format, Output, say, show, show_data, table, when
from hostloom.cli.session import open_client
from hostloom.client import Client, Document
from hostloom.model.proof import Verdict

#: From best to worst.
_ORDER = (Verdict.NOT_APPLICABLE, Verdict.PASSED, Verdict.UNKNOWN, Verdict.FAILED)
_SHORT = {
    Verdict.PASSED: "ok",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.UNKNOWN: "?",
    Verdict.FAILED: "BAD",
}
EVIDENCE = (
    Column("NIC", "nic"),
    Column("CHECK", "check"),
    Column("VERDICT", "verdict"),
    Column("WANTED", "wanted", text=True, rank=1),
    Column("FOUND", "text", text=True),
    Column("HOW", "how", rank=2),
)


def badge(nic: Document) -> str | None:
    """The worst that is known of a NIC."""
    return nic["proof"]["verdict"] if nic.get("proof") else None


def worst(machine: Document) -> str | None:
    """The worst badge of a machine's NICs, in a word that is short: a list has little room."""
    badges = [Verdict(found) for nic in machine["interfaces"] if (found := badge(nic))]
    found = max(badges, key=_ORDER.index, default=None)
    return None if found is None else _SHORT[found]


def parts_of(machine: Document) -> list[Part]:
    """What was proven of its NICs, and when; nothing where it was never verified."""
    proofs = [nic["proof"] for nic in machine["interfaces"] if nic.get("proof")]
    if not proofs:
        return []
    return [(f"on the wire ({when(min(each['at'] for each in proofs))})", table(_rows([machine]), EVIDENCE))]


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
        raise fail("say which machines", "their names, or `--host HOST`, or `--all`", Exit.USAGE)
    with open_client(context) as client:
        begun = client.verify(given(machines=keys or None, host=host))
        finish(client, begun, output, wait=wait)
        found = _verified(client, keys or [], host)
    if output is not Format.TABLE:
        show_data(found, output)
    else:
        _show(found)
    raise typer.Exit(_exit_of(found))


def _verified(client: Client, keys: Sequence[str], host: str | None) -> list[Document]:
    if keys:
        return [client.machines.get(key) for key in dict.fromkeys(keys)]
    there = client.machines.list(**given(host=host))
    return [each for each in there if worst(each) is not None]


def _show(machines: Sequence[Document]) -> None:
    named = (Column("MACHINE", "machine"), *EVIDENCE) if len(machines) > 1 else EVIDENCE
    rows = _rows(machines)
    show(table(rows, named))
    for verdict, words in ((Verdict.FAILED, "failed"), (Verdict.UNKNOWN, "not known")):
        for row in rows:
            if row["verdict"] == verdict:
                say(f"{words}: {row['machine']} {row['nic']}: {row['check']}: {row['text']}")


def _rows(machines: Sequence[Document]) -> list[Document]:
    return [
        {"machine": machine["hostname"], "nic": nic["name"], **each}
        for machine in machines
        for nic in machine["interfaces"]
        for each in (nic["proof"]["evidence"] if nic.get("proof") else [])
    ]


def _exit_of(machines: Sequence[Document]) -> Exit:
    rows = _rows(machines)
    if any(row["verdict"] == Verdict.FAILED for row in rows):
        return Exit.FAILED
    return Exit.UNREACHABLE if any(row["found"].startswith("host-unreachable") for row in rows) else Exit.OK
