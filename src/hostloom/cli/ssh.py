"""`hostloom machine ssh`: a session on a deployed machine, whose host key is known from its deployment."""

import os
import shlex
import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.lifecycle import Key
from hostloom.cli.session import open_client
from hostloom.client import answers

#: How long an address has to accept a connection before the next one is tried.
CONNECT_S = 2.0
MAX_ADDRESSES = 16


def ssh(
    context: typer.Context,
    key: Key,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[-- COMMAND]", help="Command to run; default: a shell.")
    ] = None,
    identity: Annotated[
        Path | None, typer.Option("-i", "--identity", metavar="FILE", help="Private key to log in with.")
    ] = None,
    print_: Annotated[bool, typer.Option("--print", help="Only print the ssh command.")] = False,
) -> None:
    """Open an SSH session on a deployed machine.

    Only the host keys that the machine reported when it was deployed are accepted.

    Examples:

    - `hostloom machine ssh web1`
    - `hostloom machine ssh web1 -- uptime`
    """
    with open_client(context) as client:
        machine = client.machines.get(key)
    argv = ssh_command(machine, _known_hosts_path(machine), identity, command or [])
    if print_:
        typer.echo(shlex.join(argv))
        return
    try:
        os.execvp(argv[0], argv)  # noqa: S606  (ssh itself, without a shell between)
    except FileNotFoundError:
        raise fail("ssh is not installed", "install OpenSSH's client", Exit.FAILED) from None


def ssh_command(
    machine: answers.MachineDetail, known_hosts: Path, identity: Path | None, command: list[str]
) -> list[str]:
    """The command; writes the machine's host keys to the file. Exits for a machine that cannot be reached."""
    name, deployment = machine["hostname"], machine["deployment"]
    if deployment is None:
        hint = f"`hostloom machine deploy {name}` gives it one"
        raise fail(f"machine {name} has no system that hostloom deployed", hint, Exit.REFUSED)
    if not deployment["host_keys"]:
        text = f"machine {name} has not reported its SSH host keys (its state is {machine['state']})"
        raise fail(text, f"`hostloom machine show {name}` shows its deployment", Exit.REFUSED)
    addresses = addresses_of(machine)
    if not addresses:
        raise fail(f"no address of machine {name} is known", "its NICs take leases", Exit.REFUSED)
    alias = f"hostloom-{machine['system_id']}"
    known_hosts.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    known_hosts.write_text("".join(f"{alias} {host_key}\n" for host_key in deployment["host_keys"]))
    options = [
        *("-o", f"UserKnownHostsFile={known_hosts}"),
        *("-o", f"HostKeyAlias={alias}", "-o", "StrictHostKeyChecking=yes"),
        *(("-i", str(identity)) if identity is not None else ()),
        *(("-l", deployment["user"]) if deployment["user"] else ()),
    ]
    return ["ssh", *options, "--", _reachable(addresses), *command]


def addresses_of(machine: answers.MachineDetail) -> list[str]:
    """The machine's addresses, those of the boot NIC first."""
    nics = sorted(machine["interfaces"], key=lambda nic: not nic["boot"])
    return [ip for nic in nics for ip in nic["ips"]][:MAX_ADDRESSES]


def _reachable(addresses: list[str]) -> str:
    """The first address that accepts connections; the first one if none does."""
    if len(addresses) > 1:
        for address in addresses:
            with suppress(OSError), socket.create_connection((address, 22), CONNECT_S):
                return address
    return addresses[0]


def _known_hosts_path(machine: answers.MachineDetail) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "hostloom" / "known-hosts" / machine["system_id"]
