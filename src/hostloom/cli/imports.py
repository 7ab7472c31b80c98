"""`hostloom import`: takes over the inventory of another system."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.exit_codes import Exit, exit_of_operation, exit_of_problem, fail, tell
from hostloom.cli.follow import follow, tell_end
from hostloom.cli.output import Format, Output, say, show, show_data, table
from hostloom.cli.session import open_client
from hostloom.cli.ssh_keys import create_trusting
from hostloom.client import Client, Document, Problem, answers, keys
from hostloom.client.documents import document_of
from hostloom.migration.maas import (
    MaasSession,
    SourceError,
    SourceMisnamed,
    SourceUnreachable,
    read_dump,
    read_server,
)
from hostloom.model.source_inventory import SourceInventory

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

KEY_VARIABLE = "HOSTLOOM_MAAS_KEY"
STDIN = "-"

COLUMNS: Columns[answers.ImportChange, keys.ImportChangeKey] = (
    Column("DO", "action"),
    Column("WHAT", "noun"),
    Column("NAME", "name"),
    Column("THEIR ID", "their_id", rank=2),
    Column("ID", "id", rank=1),
    Column("", "text", text=True),
)


@app.callback()
def import_() -> None:
    """Makes Typer treat the only command as part of a group."""


Url = Annotated[
    str | None, typer.Option("--url", help="URL of a running MAAS, such as http://maas:5240/MAAS.")
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="API key of MAAS. Prefer --key-file: other users can see arguments.",
    ),
]
KeyFile = Annotated[
    str | None, typer.Option("--key-file", help="File with the API key; `-` is standard input.")
]
Dump = Annotated[
    Path | None,
    typer.Option("--dump", help="Dump of MAAS's database: plain text, gzip or an archive."),
]
Theirs = Annotated[
    bool, typer.Option("--theirs", help="If settings differ, take MAAS's; by default hostloom's stay.")
]
ServeDhcp = Annotated[
    bool,
    typer.Option(
        "--dhcp", help="Serve the VLANs that MAAS serves. Use this only after MAAS's own DHCP is off."
    ),
]
AcceptedKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-key",
        metavar="HOST=FINGERPRINT",
        help="Fingerprint of an SSH key that you have verified.",
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="Also show records that are equal in both systems.")]


@app.command("maas")
def maas(
    context: typer.Context,
    url: Url = None,
    key: ApiKey = None,
    key_file: KeyFile = None,
    dump: Dump = None,
    source: Theirs = False,
    dhcp: ServeDhcp = False,
    accept_key: AcceptedKeys = None,
    everything: Everything = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Import the inventory of a MAAS; the command shows the changes and asks before it makes them.

    The import only reads MAAS, and deletes nothing in hostloom. Records that differ in hostloom keep their
    values. A repeated import makes only the remaining changes. Existing machines are found by reading their
    hosts, and are not changed.

    Examples:

    - `hostloom import maas --url http://maas:5240/MAAS --key-file maas.key`
    - `hostloom import maas --dump maas.sql.gz`
    """
    estate = _read(url, dump, key, key_file)
    fingerprints = dict(_pair(text) for text in accept_key or ())
    with open_client(context) as client:
        body = {"estate": document_of(estate), "theirs": source}
        plan = client.imports.create(body | {"dry_run": True})
        if output is Format.TABLE:
            _show(plan, everything=everything)
        if _is_wanted(plan, dhcp=dhcp) and _agreed(yes=yes):
            code = _apply(client, body, fingerprints, output, dhcp=dhcp)
            raise typer.Exit(code)
        if output is not Format.TABLE:
            show_data(plan, output)


def _apply(
    client: Client, body: Document, fingerprints: dict[str, str], output: Format, *, dhcp: bool
) -> Exit:
    """Import, add the hosts and serve the VLANs; the exit code is that of the first failure."""
    outcome = client.imports.create(body | {"dry_run": False})
    failures = _Failures()
    added = [_add_host(client, host, fingerprints, failures, output) for host in outcome["hosts"]]
    served = [_serve(client, vlan, failures) for vlan in outcome["unserved"]] if dhcp else []
    left = client.imports.create(body | {"dry_run": True})
    result: _Done = {
        **outcome,
        "hosts_added": [name for name in added if name],
        "vlans_served": [name for name in served if name],
        "next_steps": left["next_steps"],
    }
    _tell_done(result, output)
    return failures.code


# -- the source ------------------------------------------------------------------------------------------


def _read(url: str | None, dump: Path | None, key: str | None, key_file: str | None) -> SourceInventory:
    if (url is None) is (dump is None):
        raise fail("use either --url (a running MAAS) or --dump (a dump of its database)", code=Exit.USAGE)
    if url is None and (key is not None or key_file is not None):
        raise fail("--key and --key-file need --url", code=Exit.USAGE)
    try:
        if dump is not None:
            return read_dump(dump)
        with MaasSession(url or "", _key(key, key_file)) as session:
            return read_server(session)
    except SourceError as error:
        raise fail(str(error), error.hint, _EXITS.get(type(error), Exit.FAILED)) from None


_EXITS = {SourceMisnamed: Exit.USAGE, SourceUnreachable: Exit.UNREACHABLE}


def _key(key: str | None, key_file: str | None) -> str:
    """The API key; an option on the command line takes precedence over the variable."""
    if key is not None and key_file is not None:
        raise fail("--key and --key-file exclude each other", code=Exit.USAGE)
    if key_file is not None:
        try:
            return sys.stdin.read() if key_file == STDIN else Path(key_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            text = getattr(error, "strerror", None) or "it is not text"
            raise fail(f"the key in {key_file} cannot be read: {text}", code=Exit.USAGE) from None
    api_key = key or os.environ.get(KEY_VARIABLE, "")
    if not api_key:
        hint = f"use --key-file FILE (`-` for standard input) or the variable {KEY_VARIABLE}"
        raise fail("an API key of MAAS is required", hint, Exit.USAGE)
    return api_key


def _pair(text: str) -> tuple[str, str]:
    host, sign, fingerprint = text.partition("=")
    if not sign or not host or not fingerprint:
        raise fail(f"--accept-key {text!r} is not HOST=FINGERPRINT", code=Exit.USAGE)
    return host, fingerprint


# -- the changes -----------------------------------------------------------------------------------------


def _show(plan: answers.Import, *, everything: bool) -> None:
    """Show the changes, the records that cannot be imported, and the number of equal records."""
    items = [item for item in plan["changes"] if everything or item["action"] != "same" or item["text"]]
    if items:
        show(table(items, COLUMNS))
    counts = ", ".join(f"{count} {action}" for action, count in plan["counts"].items() if count)
    say(f"{plan['source']}: {counts or 'no records'}")
    for note in plan["notes"]:
        say(f"note: {note}")


def _is_wanted(plan: answers.Import, *, dhcp: bool) -> bool:
    counts = plan["counts"]
    if counts["create"] or counts["change"] or (dhcp and plan["unserved"]):
        return True
    say("nothing to do: everything that can be imported is already here")
    return False


def _agreed(*, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        say("nothing was changed; `--yes` applies the import")
        return False
    return typer.confirm("Do it?", err=True)


# -- further steps ---------------------------------------------------------------------------------------


class _Failures:
    """Collects failures; the first one determines the exit code, and none stops the command."""

    def __init__(self) -> None:
        self.code = Exit.OK

    def note(self, code: Exit) -> None:
        if self.code is Exit.OK:
            self.code = code


def _add_host(
    client: Client, host: answers.HostToAdd, fingerprints: dict[str, str], failures: _Failures, output: Format
) -> str | None:
    """Add a host; returns its name, or None after a failure."""
    name = host["name"]
    fingerprint = {"accept_key": fingerprints[name]} if name in fingerprints else {}
    try:
        operation = create_trusting(
            client.hosts.create, {**host, **fingerprint}, f"--accept-key {name}={{fingerprint}}"
        )
        operation_result = follow(client, operation, output)
    except typer.Abort:
        failures.note(Exit.REFUSED)
        return None
    except typer.Exit as error:
        failures.note(Exit(error.exit_code))
        return None
    except Problem as problem:
        tell(f"host {name} is not added: {problem}", problem.hint)
        failures.note(exit_of_problem(problem))
        return None
    if (code := exit_of_operation(operation_result)) is not Exit.OK:
        tell_end(operation_result)
        failures.note(code)
        return None
    return name


def _serve(client: Client, vlan: str, failures: _Failures) -> str | None:
    """Serve a VLAN; returns it if our DHCP serves it now."""
    try:
        client.vlans.set_dhcp(vlan, {"mode": "on"})
    except Problem as problem:
        tell(f"VLAN {vlan} is not served: {problem}", problem.hint)
        failures.note(exit_of_problem(problem))
        return None
    return vlan


class _Done(answers.Import):
    """The import and the further steps of the command."""

    hosts_added: list[str]
    vlans_served: list[str]


def _tell_done(result: _Done, output: Format) -> None:
    if output is not Format.TABLE:
        show_data(result, output)
        return
    counts = result["counts"]
    written = counts["create"] + counts["change"] - len(result["hosts"])
    say(f"{written} imported, {len(result['hosts_added'])} of {len(result['hosts'])} hosts added")
    if result["vlans_served"]:
        say(f"our DHCP serves {', '.join(result['vlans_served'])} now")
    for step in result["next_steps"]:
        say(f"next: {step}")
