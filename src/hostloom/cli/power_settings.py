"""`hostloom machine power-config` and `power-check`: how bare machines are switched."""

import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import Yes, confirm, given
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.lifecycle import Key
from hostloom.cli.output import Format, Output, say, show_done, show_one
from hostloom.cli.session import open_client
from hostloom.cli.text_files import STDIN, read_text
from hostloom.client import Client, answers
from hostloom.client.errors import Problem
from hostloom.model.disk_image import BootMode
from hostloom.model.power import IpmiPrivilege, PowerKind

#: A file with more is no password.
MAX_CHARACTERS = 4096
_NOT_FOUND = 404


_COLUMNS: Columns[answers.PowerSettings, str] = (
    Column("KIND", "kind"),
    Column("ADDRESS", "address"),
    Column("PORT", "port", right=True),
    Column("USER", "user"),
    Column("PASSWORD", lambda item: "stored" if item["has_password"] else "none", field="has_password"),
    Column("POWER ID", "power_id"),
    Column("PRIVILEGE", lambda item: item["privilege"] if item["kind"] == "ipmi" else None),
    Column("CIPHER SUITE", "cipher_suite"),
    Column("VERIFY TLS", lambda item: item["verify_tls"] if item["kind"] == "redfish" else None),
    Column("BOOT MODE", "boot_mode"),
)


Kind = Annotated[
    PowerKind | None,
    typer.Option(
        metavar="KIND",
        help=f"What switches the machine: {', '.join(PowerKind)}. Without it, the settings are shown.",
    ),
]
Address = Annotated[
    str | None, typer.Option(help="ipmi: host name or IP address. redfish: URL. libvirt: URI.")
]
Port = Annotated[int | None, typer.Option(help="UDP port of IPMI; 623 by default.")]
User = Annotated[str | None, typer.Option(help="User of the BMC.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(help="File with the password of the BMC; - asks for it, or reads standard input."),
]
PowerId = Annotated[str | None, typer.Option(help="redfish: id of the system. libvirt: name of the domain.")]
Privilege = Annotated[
    IpmiPrivilege | None,
    typer.Option(metavar="LEVEL", help=f"IPMI privilege level: {', '.join(IpmiPrivilege)}."),
]
CipherSuite = Annotated[
    int | None, typer.Option(help="IPMI cipher suite; by default the best that the BMC offers.")
]
VerifyTls = Annotated[
    bool, typer.Option("--verify-tls/--no-verify-tls", help="Verify the certificate of a Redfish BMC.")
]
BootModeOption = Annotated[
    BootMode | None, typer.Option(help="Firmware mode to request from the BMC for a boot.")
]
Remove = Annotated[
    bool, typer.Option("--remove", help="Delete the settings: hostloom no longer switches the machine.")
]


def configure(
    context: typer.Context,
    key: Key,
    kind: Kind = None,
    address: Address = None,
    port: Port = None,
    user: User = None,
    password_file: PasswordFile = None,
    power_id: PowerId = None,
    privilege: Privilege = None,
    cipher_suite: CipherSuite = None,
    verify_tls: VerifyTls = True,
    boot_mode: BootModeOption = None,
    remove: Remove = False,
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Set how a bare machine is switched, or show or delete these settings.

    All settings are replaced. Without --password-file, the stored password is kept if the kind, address,
    port, user and power id stay the same. The server encrypts it and never shows it.

    Examples:

    - `hostloom machine power-config rack7-u12 --kind ipmi --address 10.9.0.12 --user admin --password-file -`
    - `hostloom machine power-config rack7-u12 --kind manual`
    """
    body = given(address=address, port=port, user=user, power_id=power_id, cipher_suite=cipher_suite)
    body |= given(privilege=privilege, boot_mode=boot_mode, verify_tls=None if verify_tls else False)
    if kind is None:
        if body or password_file is not None:
            raise fail("--kind is missing", "all settings are replaced, so give --kind too", Exit.USAGE)
        _show_or_remove(context, key, output, remove=remove, yes=yes)
        return
    if remove:
        raise fail("--kind and --remove exclude each other", "give one of them", Exit.USAGE)
    _set(context, key, {"kind": kind, **body}, password_file, output)


def _set(
    context: typer.Context, key: str, body: dict[str, Any], password_file: Path | None, output: Format
) -> None:
    if password_file is not None:
        body["password"] = read_password(password_file)
    with open_client(context) as client:
        settings = client.machines.set_power_settings(key, body)
    place = f" at {settings['address']}" if settings["address"] else ""
    show_done(f"machine {key}: power by {settings['kind']}{place}", settings, output)
    if output is not Format.TABLE or settings["kind"] == "manual":
        return
    if settings["user"] and not settings["has_password"]:
        say("warning: no password is stored; add --password-file to set one")
    say(f"`hostloom machine power-check {key}` checks the settings")


def check(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Ask the BMC of a bare machine for its power state, to check the power settings. Nothing is changed.

    Example: `hostloom machine power-check rack7-u12`
    """
    with open_client(context) as client:
        answer = cast("answers.PowerCheck", client.machines.act(key, "power-settings/check"))
    state = "switched by hand, so not known" if answer["power"] == "unknown" else answer["power"]
    show_done(f"machine {key}: power {state}", answer, output)


def is_switched_by_hand(client: Client, key: str) -> bool:
    """Whether a bare machine has no power settings, or manual ones."""
    try:
        return client.machines.get_power_settings(key)["kind"] == "manual"
    except Problem as error:
        if error.status != _NOT_FOUND:
            raise
        return True


def read_password(file: Path) -> str:
    """The first line of a file or of standard input; asked for at a terminal."""
    if file == STDIN and sys.stdin.isatty():
        text = getpass("password of the BMC: ")
    else:
        text = read_text(file, "give a file with the password", MAX_CHARACTERS)
    lines = text.splitlines()
    if len(lines) != 1 or not lines[0]:
        raise fail("the password is not one line", "give a file with the password alone", Exit.USAGE)
    return lines[0]


def _show_or_remove(context: typer.Context, key: str, output: Format, *, remove: bool, yes: bool) -> None:
    if remove:
        confirm(f"Delete the power settings of machine {key}?", yes=yes)
        with open_client(context) as client:
            client.machines.cancel_power_settings(key)
        show_done(f"hostloom no longer switches machine {key}", {"removed": key}, output)
        return
    with open_client(context) as client:
        settings = client.machines.get_power_settings(key)
    show_one(settings, _COLUMNS, output)
