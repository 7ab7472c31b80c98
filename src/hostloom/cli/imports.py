"""`hostloom import`: takes over the inventory of another system."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.exit_codes import Exit, exit_of_code, fail, tell
from hostloom.cli.follow import finish, follow
from hostloom.cli.output import Format, Output, say, show, show_data, table
from hostloom.cli.session import open_client
from hostloom.cli.ssh_keys import is_verified
from hostloom.cli.text_files import read_text
from hostloom.client import Client, Document, answers, keys
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
#: A file with more is no API key.
MAX_KEY_CHARACTERS = 4096

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

    The server imports in an operation. If a step fails, everything is undone.

    Examples:

    - `hostloom import maas --url http://maas:5240/MAAS --key-file maas.key`
    - `hostloom import maas --dump maas.sql.gz`
    """
    inventory = document_of(_read(url, dump, key, key_file))
    accepted = dict(_pair(text) for text in accept_key or ())
    with open_client(context) as client:
        body = {"estate": inventory, "theirs": source}
        plan = client.plan_import(body)
        if output is Format.TABLE:
            _show(plan, everything=everything)
        if _is_wanted(plan, dhcp=dhcp) and _agreed(yes=yes):
            code = _import(client, body | {"dhcp": dhcp}, accepted, output)
            raise typer.Exit(code)
        if output is not Format.TABLE:
            show_data(plan, output)


def _import(client: Client, body: Document, accepted: dict[str, str], output: Format) -> Exit:
    """Import and follow all operations; the exit code is that of the first failure."""
    result = _run(client, body | {"accept_keys": accepted}, output)
    added = result["hosts_added"]
    if verified := _verified_keys(result, accepted):
        result = {
            **_run(client, body | {"accept_keys": accepted | verified}, output),
            "counts": result["counts"],
            "changes": result["changes"],
            "vlans_served": result["vlans_served"],
        }
    result = {**result, "hosts_added": list(dict.fromkeys([*added, *result["hosts_added"]]))}
    codes = [_tell_failure(host, accepted) for host in result["hosts"] if host["error_code"]]
    _tell_done(result, output)
    return next((code for code in codes if code is not Exit.OK), Exit.OK)


def _run(client: Client, body: Document, output: Format) -> answers.ImportResult:
    """Start an import, follow it and then the operations that add its hosts."""
    operation = finish(client, client.imports.create(body), output, wait=True)
    for host in client.imports.get(operation["id"])["hosts"]:
        if host["operation_id"] is not None:
            follow(client, client.operations.get(host["operation_id"]), output)
    return client.imports.get(operation["id"])


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
        return read_text(Path(key_file), "give a file with an API key of MAAS", MAX_KEY_CHARACTERS)
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


def _verified_keys(result: answers.ImportResult, accepted: dict[str, str]) -> dict[str, str]:
    """The fingerprints of unknown SSH keys that the user verifies now, by the name of the host."""
    unknown = {
        host["name"]: host["fingerprint"]
        for host in result["hosts"]
        if host["fingerprint"] is not None and host["name"] not in accepted
    }
    if not sys.stdin.isatty():
        return {}
    return {name: fingerprint for name, fingerprint in unknown.items() if is_verified(name, fingerprint)}


def _tell_failure(host: answers.ImportedHost, accepted: dict[str, str]) -> Exit:
    """Say why a host is not added."""
    name, fingerprint = host["name"], host["fingerprint"]
    if fingerprint is not None:
        option = f"--accept-key {name}={fingerprint}"
        compare = f"compare it with the key on the host, then add {option}"
        tell(host["error"], "it is not the key that you specified" if name in accepted else compare)
        return Exit.REFUSED
    is_stuck = host["state"] == "stuck"
    hint = f"mend what it says, then `hostloom operation retry {host['operation_id']}`" if is_stuck else ""
    tell(f"host {name} is not added: {host['error']}", hint)
    return Exit.STUCK if is_stuck else exit_of_code(host["error_code"])


def _tell_done(result: answers.ImportResult, output: Format) -> None:
    if output is not Format.TABLE:
        show_data(result, output)
        return
    counts = result["counts"]
    to_add = sum(change["noun"] == "host" and change["action"] == "create" for change in result["changes"])
    say(
        f"{counts['create'] + counts['change'] - to_add} imported, "
        f"{len(result['hosts_added'])} of {to_add} hosts added"
    )
    if result["vlans_served"]:
        say(f"our DHCP serves {', '.join(result['vlans_served'])} now")
    for step in result["next_steps"]:
        say(f"next: {step}")
