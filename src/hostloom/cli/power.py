"""`hostloom machine start`, `stop`, `restart` and `decompose`, for one or several machines."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, cast

import typer

from hostloom.cli.crud_commands import Yes, confirm, given
from hostloom.cli.exit_codes import Exit, fail, report
from hostloom.cli.follow import Wait, finish
from hostloom.cli.listing import natural
from hostloom.cli.output import Format, Output, console, say, show_data, show_done
from hostloom.cli.session import open_client
from hostloom.client import Client, ClientError, answers

Answer = Mapping[str, Any]
#: Interval of the checks whether a machine has shut down.
LOOK_EVERY_S = 1.0

Keys = Annotated[
    list[str] | None,
    typer.Argument(metavar="MACHINE", help="Machines, by hostname or system id.", show_default=False),
]
All = Annotated[bool, typer.Option("--all", help="All machines, or with --host all machines on that host.")]
OnHost = Annotated[str | None, typer.Option("--host", help="With --all: only machines on this host.")]
Force = Annotated[bool, typer.Option("--force", help="Cut the power instead of asking for a shutdown.")]
Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", min=1, max=86400, help="Seconds to wait for the shutdown."),
]


def start(
    context: typer.Context,
    keys: Keys = None,
    all_: All = False,
    host: OnHost = None,
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Power machines on.

    Examples:

    - `hostloom machine start web1 web2`
    - `hostloom machine start --all --host kvm1`
    """
    with open_client(context) as client:
        names = _chosen(client, keys, host, all_=all_)
        if all_:
            confirm(f"Start {_listed(names)}?", yes=yes)
        _each(names, output, lambda name: _started(client, name, output))


def stop(
    context: typer.Context,
    keys: Keys = None,
    all_: All = False,
    host: OnHost = None,
    force: Force = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the machine is off.")] = False,
    timeout: Timeout = 60.0,
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Ask machines to shut down, or cut their power. The system on a machine may ignore the request.

    With --wait, the command ends when all machines are off, or with exit code 1 after --timeout.

    Examples:

    - `hostloom machine stop web1 --wait`
    - `hostloom machine stop web1 web2 --force --yes`
    """
    with open_client(context) as client:
        names = _chosen(client, keys, host, all_=all_)
        if force:
            confirm(f"Cut the power of {_listed(names)}?", yes=yes)
        elif all_:
            confirm(f"Shut down {_listed(names)}?", yes=yes)
        _each(
            names,
            output,
            lambda name: _asked(client, name, force=force, output=output, quiet=wait and not force),
            lambda name: _wait_off(client, name, timeout, output) if wait and not force else None,
        )


def restart(
    context: typer.Context,
    keys: Keys = None,
    all_: All = False,
    host: OnHost = None,
    force: Force = False,
    timeout: Timeout = 60.0,
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Shut machines down, wait until they are off, and start them again.

    A machine that is still on after --timeout stays on, and the exit code is 1. Machines that are off are
    started.

    Examples:

    - `hostloom machine restart web1`
    - `hostloom machine restart --all --host kvm1 --force --yes`
    """
    with open_client(context) as client:
        names = _chosen(client, keys, host, all_=all_)
        if force:
            confirm(f"Cut the power of {_listed(names)}, and start again?", yes=yes)
        elif all_:
            confirm(f"Restart {_listed(names)}?", yes=yes)

        def off_and_on(name: str) -> Answer:
            if not force:
                _wait_off(client, name, timeout, None)
            return _started(client, name, output)

        _each(
            names,
            output,
            lambda name: _asked(client, name, force=force, output=output, quiet=True),
            off_and_on,
        )


def decompose(
    context: typer.Context,
    keys: Keys = None,
    all_: All = False,
    host: OnHost = None,
    yes: Yes = False,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Decompose machines: delete them with their disks and NICs, and release their addresses.

    Examples:

    - `hostloom machine decompose web1 --yes`
    - `hostloom machine decompose --all --host kvm1`
    """
    with open_client(context) as client:
        names = _chosen(client, keys, host, all_=all_, origin="composed")
        confirm(f"Delete {_listed(names)} with {'its' if len(names) == 1 else 'their'} disks?", yes=yes)

        def take_apart(name: str) -> Answer:
            operation = cast("answers.Operation", client.machines.delete(name))
            if not wait and len(names) > 1:
                say(f"operation {operation['id']} decomposes machine {name}")
                return operation
            result = finish(client, operation, output, wait=wait)
            if output is Format.TABLE:
                show_done(f"machine {name} is decomposed", result, output)
            return result

        _each(names, output, take_apart)


def _chosen(
    client: Client, keys: list[str] | None, host: str | None, *, all_: bool, origin: str | None = None
) -> list[str]:
    """The selected machines, without duplicates."""
    if bool(keys) is all_:
        raise fail("name the machines, or use --all", "for example `web1 web2`", Exit.USAGE)
    if host is not None and not all_:
        raise fail("--host needs --all", "without --all, name the machines", Exit.USAGE)
    if keys:
        return list(dict.fromkeys(keys))
    machines = client.machines.list(**given(host=host))
    names = [machine["hostname"] for machine in machines if origin in (None, machine["origin"])]
    if not names:
        say("no machines match")
        raise typer.Exit(Exit.OK)
    return sorted(names, key=natural)


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return f"machine {names[0]}"
    return f"{len(names)} machines ({', '.join(names[:8])}{', …' if len(names) > 8 else ''})"


def _each(names: list[str], output: Format, *steps: Callable[[str], Answer | None]) -> None:
    """Do all steps for every machine; a failure is reported and does not stop the others."""
    codes: dict[str, int] = {}
    documents: dict[str, Answer] = {}
    for step in steps:
        for name in [name for name in names if name not in codes]:
            try:
                documents[name] = step(name) or documents[name]
            except ClientError as error:
                codes[name] = report(error)
            except typer.Exit as end:
                codes[name] = end.exit_code
    items = list(documents.values())
    if output is not Format.TABLE and items:
        show_data(items[0] if len(names) == 1 else items, output)
    if worst := max(codes.values(), default=0):
        raise typer.Exit(worst)


def _started(client: Client, name: str, output: Format) -> Answer:
    changed = client.machines.start(name)
    if output is Format.TABLE:
        show_done(f"machine {changed['hostname']}: power {changed['power']}", changed, output)
    return changed


def _asked(client: Client, name: str, *, force: bool, output: Format, quiet: bool) -> Answer:
    changed = client.machines.stop(name, {"force": force})
    if output is Format.TABLE and not quiet:
        suffix = "" if force or changed["power"] == "off" else " (asked to shut down)"
        show_done(f"machine {changed['hostname']}: power {changed['power']}{suffix}", changed, output)
    return changed


def _wait_off(client: Client, name: str, timeout_s: float, output: Format | None) -> Answer:
    """Wait until a machine is off; exit the command if the time is over."""
    with console(stderr=True).status(f"waiting until machine {name} is off"):
        is_off = any(power == "off" for power in _powers(client, name, timeout_s))
    if not is_off:
        raise fail(
            f"machine {name} is still on, {timeout_s:g} s after it was asked to shut down",
            f"`hostloom machine stop {name} --force` cuts its power",
        )
    machine = client.machines.get(name)
    if output is Format.TABLE:
        show_done(f"machine {machine['hostname']}: power off", machine, output)
    return machine


def _powers(client: Client, name: str, timeout_s: float) -> Iterator[str]:
    until = time.monotonic() + timeout_s
    while True:
        yield client.machines.get_power(name)["power"]
        if time.monotonic() >= until:
            return
        time.sleep(LOOK_EVERY_S)
