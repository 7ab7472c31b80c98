"""`hostloom machine release`, `lock`, `unlock`, `mark-broken` and `mark-fixed`."""

from typing import Annotated

import typer

from hostloom.cli.crud_commands import Yes, confirm
from hostloom.cli.follow import Wait, finish
from hostloom.cli.output import Format, Output, show_done
from hostloom.cli.session import open_client

Key = Annotated[str, typer.Argument(metavar="MACHINE", help="Machine, by hostname or system id.")]
Comment = Annotated[str, typer.Option(help="Reason, recorded in the event.")]


def release(
    context: typer.Context,
    key: Key,
    erase: Annotated[
        bool,
        typer.Option("--erase", help="Replace its disks by empty ones; a bare machine overwrites its disk."),
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="With --erase: overwrite only where data begins on a bare disk.")
    ] = False,
    yes: Yes = False,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Release an allocated or deployed machine: switch it off and make it available.

    A machine that was composed on demand is decomposed. The disks of other machines keep their content
    without --erase.

    Examples:

    - `hostloom machine release web1 --yes`
    - `hostloom machine release web1 --erase --yes`
    - `hostloom machine release node7 --erase --quick`
    """
    erasing = "erase its disks and " if erase else ""
    confirm(f"Switch machine {key} off, {erasing}release it?", yes=yes)
    with open_client(context) as client:
        machine = client.machines.release(key, {"erase": erase, "quick": quick})
        if machine["operation"] is None:
            show_done(f"machine {machine['machine']['hostname']} is released", machine["machine"], output)
            return
        ended = finish(client, machine["operation"], output, wait=wait)
    name = machine["machine"]["hostname"]
    texts = {
        "decompose": "was composed on demand and is decomposed",
        "erase-bare": "erases its disk when it boots from the network, and is released then",
    }
    show_done(f"machine {name} {texts.get(machine['operation']['saga'], 'is released')}", ended, output)


def lock(context: typer.Context, key: Key, comment: Comment = "", output: Output = Format.TABLE) -> None:
    """Protect a machine from being changed, switched off or decomposed.

    Example: `hostloom machine lock db1 --comment "until the migration is over"`
    """
    with open_client(context) as client:
        changed = client.machines.lock(key, {"comment": comment})
    show_done(f"machine {changed['hostname']} is locked", changed, output)


def unlock(context: typer.Context, key: Key, comment: Comment = "", output: Output = Format.TABLE) -> None:
    """Allow changes of a locked machine again.

    Example: `hostloom machine unlock db1`
    """
    with open_client(context) as client:
        changed = client.machines.unlock(key, {"comment": comment})
    show_done(f"machine {changed['hostname']} is unlocked", changed, output)


def mark_broken(
    context: typer.Context, key: Key, comment: Comment = "", output: Output = Format.TABLE
) -> None:
    """Mark a machine as broken, so that it is not used.

    Example: `hostloom machine mark-broken db1 --comment "memory errors"`
    """
    with open_client(context) as client:
        changed = client.machines.mark_broken(key, {"comment": comment})
    show_done(f"machine {changed['hostname']} is broken", changed, output)


def mark_fixed(
    context: typer.Context, key: Key, comment: Comment = "", output: Output = Format.TABLE
) -> None:
    """Mark a broken machine as ready.

    Example: `hostloom machine mark-fixed db1`
    """
    with open_client(context) as client:
        changed = client.machines.mark_fixed(key, {"comment": comment})
    show_done(f"machine {changed['hostname']} is ready", changed, output)
