"""The command `hostloom-lab`."""

import os
import sys
import time
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from hostloom_lab import guest
from hostloom_lab.commands import inside
from hostloom_lab.disk_image import built_image
from hostloom_lab.errors import LabError
from hostloom_lab.lab import Lab, Status, as_json
from hostloom_lab.plan import HOST_NICS

T = TypeVar("T")
FAILED, USAGE = 1, 2

app = typer.Typer(
    no_args_is_help=True,
    help="Real KVM hosts, a switch and a rack in network namespaces on this machine.\n\n"
    "Example: hostloom-lab up --hosts 2; hostloom-lab status; hostloom-lab down",
)
guest_app = typer.Typer(no_args_is_help=True, help="The tiny guest's kernel and initramfs.")
app.add_typer(guest_app, name="guest")
image_app = typer.Typer(no_args_is_help=True, help="Disk images for machines of the lab.")
app.add_typer(image_app, name="image")
console = Console()

Name = Annotated[str, typer.Option("--name", help="Name of the lab; several labs can run side by side.")]
Host = Annotated[str, typer.Argument(help="kvm1, kvm2 …")]


@app.command()
def up(
    hosts: Annotated[int, typer.Option(help="Number of KVM hosts.")] = 2,
    subnet: Annotated[str | None, typer.Option(help="A free /16; without it, one is chosen.")] = None,
    name: Name = "lab",
) -> None:
    """Create the lab, or repair it.

    Example: hostloom-lab up --hosts 3
    """
    started = time.monotonic()
    network = _subnet(subnet) if subnet is not None else None
    with console.status(f"lab {name}: switch, rack, {hosts} KVM hosts …"):
        _try(lambda: Lab(name).up(hosts, network))
    console.print(
        f"lab {name} is up after {time.monotonic() - started:.1f} s; `hostloom-lab status` shows it"
    )


@app.command()
def down(name: Name = "lab") -> None:
    """Remove every trace of the lab, whatever state it is in."""
    with console.status(f"lab {name}: taking it down …"):
        _try(lambda: Lab(name).down())
    console.print(f"lab {name} is removed")


@app.command()
def status(
    name: Name = "lab",
    output: Annotated[str, typer.Option("-o", "--output", help="table or json.")] = "table",
) -> None:
    """Show which parts of the lab run; exit code 1 if one does not."""
    if output not in ("table", "json"):
        raise typer.BadParameter(f"{output!r} is not table or json", param_hint="--output")
    status = _try(lambda: Lab(name).status())
    if output == "json":
        print(as_json(status))
    elif not status.exists:
        console.print(f"lab {name} is not up. Start it with `hostloom-lab up`")
    else:
        _show(status)
    if not status.is_whole:
        raise typer.Exit(FAILED)


@app.command()
def shell(
    where: Annotated[str, typer.Argument(help="rack, switch, kvm1 …")] = "rack", name: Name = "lab"
) -> None:
    """Open a shell in the network of the rack, the switch or a host."""
    netns = _try(lambda: Lab(name).netns(where))
    command = inside(netns, [os.environ.get("SHELL", "/bin/sh")])
    os.execvp(command[0], command)  # noqa: S606


@app.command(name="exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def execute(
    where: Annotated[str, typer.Argument(help="rack, switch, kvm1 …")],
    command: Annotated[list[str], typer.Argument(help="Program and arguments.")],
    name: Name = "lab",
) -> None:
    """Run a program in the network of the rack, the switch or a host; --name may come before or after it.

    Example: hostloom-lab exec rack ping -c1 198.18.10.11
    """
    if command[0].startswith("--name="):
        name, command = command[0].removeprefix("--name="), command[1:]
    elif command[0] == "--name" and len(command) > 1:
        name, command = command[1], command[2:]
    if not command:
        raise _fail("say which program to run", USAGE)
    netns = _try(lambda: Lab(name).netns(where))
    argv = inside(netns, command)
    os.execvp(argv[0], argv)  # noqa: S606


@app.command()
def logs(
    which: Annotated[
        str | None, typer.Argument(help="Name of a log; without it, the names of all logs are listed.")
    ] = None,
    name: Name = "lab",
) -> None:
    """Show a log of the lab: Kea, the rack, a host, its libvirtd or its sshd."""
    files = _try(lambda: Lab(name).logs())
    if which is None:
        for name, path in files.items():
            console.print(f"{name:16} {path}")
        return
    if which not in files:
        raise _fail(f"there is no log {which!r}; there are {', '.join(files)}", USAGE)
    path = files[which]
    sys.stdout.write(path.read_text(errors="replace") if path.exists() else "")


@app.command()
def unplug(host: Host, nic: Annotated[str | None, typer.Argument()] = None, name: Name = "lab") -> None:
    """Cut the power of a host, or disconnect the cable of one NIC.

    Example: hostloom-lab unplug kvm1 eth1
    """
    _try(lambda: Lab(name).unplug(host, nic))
    console.print(f"{host}{' ' + nic if nic else ''} is unplugged; `hostloom-lab plug {host}` reverses this")


@app.command()
def plug(host: Host, nic: Annotated[str | None, typer.Argument()] = None, name: Name = "lab") -> None:
    """Power a host on again, or reconnect a cable."""
    _try(lambda: Lab(name).plug(host, nic))
    console.print(f"{host}{' ' + nic if nic else ''} is plugged in")


@app.command()
def reflect(host: Host, nic: str, on: Annotated[bool, typer.Argument()], name: Name = "lab") -> None:
    """Make the switch reflect frames on a host's port, like a VEPA switch.

    Example: hostloom-lab reflect kvm1 eth1 true
    """
    _try(lambda: Lab(name).reflect(host, nic, on=on))
    console.print(f"{host} {nic}: the switch {'reflects' if on else 'does not reflect'}")


@guest_app.command("build")
def build_guest(again: Annotated[bool, typer.Option(help="Build it even if it exists.")] = False) -> None:
    """Download a kernel package and pack the initramfs; nothing is installed."""
    with console.status("the guest's kernel and initramfs …"):
        built = _try(lambda: guest.build(again=again))
    console.print(f"{built.kernel}\n{built.initrd}")


@image_app.command("build")
def build_image() -> None:
    """Build the disk image of Debian 12 unless it is in the cache, and print the path of the file.

    Example: hostloom image import $(hostloom-lab image build) --name debian-12
    """
    print(_try(built_image))


def _subnet(text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except ValueError as error:
        raise _fail(f"--subnet {text!r}: {error}", USAGE) from error


def _try(action: Callable[[], T]) -> T:
    try:
        return action()
    except LabError as error:
        raise _fail(str(error), FAILED) from error


def _fail(message: str, code: int) -> typer.Exit:
    print(f"error: {message}", file=sys.stderr)
    return typer.Exit(code)


def _show(status: Status) -> None:
    console.print(
        f"lab {status.name} on {status.subnet}; the rack is at {status.rack_url.partition('//')[2]}"
    )
    segments = Table("segment", "subnet", "NIC of each host", box=None)
    for name, subnet in status.segments.items():
        nic = next(nic for nic, segment in HOST_NICS.items() if segment == name)
        segments.add_row(name, subnet, f"{nic}, in bridge br0" if nic == "eth0" else nic)
    console.print(segments)
    table = Table("", "running", "answers", "address", box=None)
    table.add_row("rack", _mark(status.rack_running), f"Kea {_mark(status.kea)}", "")
    for host in status.hosts:
        table.add_row(host.name, _mark(host.running), f"libvirtd {_mark(host.libvirtd)}", host.uri_ssh)
    console.print(table)


def _mark(good: bool) -> str:
    return "[green]yes[/green]" if good else "[red]no[/red]"


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
