"""`hostloom machine boot`, `commission` and `forget`, and tables of the reported hardware."""

from enum import StrEnum
from typing import Annotated, Any, cast

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import Part, Yes, confirm
from hostloom.cli.follow import Wait, finish
from hostloom.cli.lifecycle import Key
from hostloom.cli.output import Format, Output, memory, say, show_done, size, table, when
from hostloom.cli.power_settings import is_switched_by_hand
from hostloom.cli.session import open_client
from hostloom.client import answers, keys


class NextBootChoice(StrEnum):
    """Network boot targets."""

    DEFAULT = "default"
    COMMISSION = "commission"
    LOCAL = "local"
    RESCUE = "rescue"


def boot(
    context: typer.Context,
    key: Key,
    next_: Annotated[
        NextBootChoice,
        typer.Option(
            "--next",
            metavar="SYSTEM",
            help="`default` (depends on its state), `commission`, `local` (its disk), or `rescue` (a shell "
            "on the console, once).",
        ),
    ],
    output: Output = Format.TABLE,
) -> None:
    """Set what a machine boots from the network next.

    Example: `hostloom machine boot web1 --next rescue`
    """
    with open_client(context) as client:
        changed = client.machines.set_next_boot(key, {"next": next_.value})
    text = f"machine {changed['hostname']}: next network boot: {changed['network_boot']['text']}"
    show_done(text, changed, output)


def commission(
    context: typer.Context,
    key: Key,
    wait: Wait = True,
    abort: Annotated[bool, typer.Option("--abort", help="Stop waiting for the machine's report.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Let a machine boot the commissioning environment and report its hardware.

    A composed machine, and a bare one with power settings, is restarted; others must be switched on by hand.

    Example: `hostloom machine commission web1`
    """
    if abort:
        with open_client(context) as client:
            changed = client.machines.cancel_commission(key)
        show_done(f"machine {changed['hostname']}: {changed['state']}", changed, output)
        return
    with open_client(context) as client:
        is_manual = client.machines.get(key)["host"] is None and is_switched_by_hand(client, key)
        machine = finish(client, client.machines.commission(key), output, wait=wait)
    if is_manual:
        say(f"switch {key} on or restart it now, and let it boot from the network: no BMC switches it")
    show_done(
        f"machine {key} is being commissioned; `hostloom machine show {key}` shows the result",
        machine,
        output,
    )


def forget(context: typer.Context, key: Key, yes: Yes = False, output: Output = Format.TABLE) -> None:
    """Remove the record of an enlisted machine, or of an adopted one that is gone from its host.

    If the machine boots from the network again, or appears on a host again, it is recorded as new.

    Example: `hostloom machine forget m-525400aabbcc --yes`
    """
    confirm(f"Remove the record of machine {key}?", yes=yes)
    with open_client(context) as client:
        client.machines.forget(key)
    show_done(f"the record of machine {key} is removed", {"forgotten": key}, output)


#: Lines of a machine.
LINES: Columns[answers.Machine, keys.MachineKey] = (
    Column("NEXT NETWORK BOOT", lambda item: item["network_boot"]["text"]),
    Column("COMMISSIONED", lambda item: when(item["commissioned_at"])),
)
_HARDWARE: Columns[answers.Commissioning, keys.CommissioningKey] = (
    Column("CPU", "cpu_model", text=True),
    Column("CORES", "cores", right=True),
    Column("MEMORY", lambda item: memory(item["memory_mib"]), right=True),
    Column("ARCHITECTURE", "architecture", rank=4),
    Column("FIRMWARE", "firmware", rank=3),
    Column(
        "MADE BY", lambda item: " ".join(filter(None, (item["vendor"], item["product"]))), text=True, rank=1
    ),
    Column("SERIAL", "serial", rank=2),
)
_DISKS: Columns[answers.FoundDisk, keys.FoundDiskKey] = (
    Column("NAME", "name"),
    Column("SIZE", lambda item: size(item["size_bytes"]), right=True),
    Column("MODEL", "model"),
    Column("SERIAL", "serial", rank=2),
    Column("ROTATES", "rotational"),
)
_NICS: Columns[answers.FoundNic, keys.FoundNicKey] = (
    Column("NAME", "name"),
    Column("MAC", "mac"),
    Column("CARRIER", "carrier"),
    Column("SPEED", lambda item: f"{item['link_speed']} Mbit/s" if item["link_speed"] else None, right=True),
    Column("DRIVER", "driver", rank=2),
    Column("DHCP", lambda item: _lease(item["dhcp"])),
    Column("SWITCH PORT", lambda item: _neighbour(item["neighbour"])),
)


def parts_of(item: answers.Machine) -> list[Part]:
    """Tables of the reported hardware and of differences from the plan; none without a report."""
    report: answers.Commissioning | None = cast("dict[str, Any]", item).get("commissioning")
    if report is None:
        return []
    parts: list[Part] = [("found by commissioning", table([report], _HARDWARE))]
    if report["disks"]:
        parts.append(("disks found", table(report["disks"], _DISKS)))
    parts.append(("interfaces found", table(report["nics"], _NICS)))
    if report["differences"]:
        words = "\n".join(f"! {difference['text']}" for difference in report["differences"])
        parts.append(("not as planned", words))
    return parts


def _lease(dhcp: answers.DhcpFacts | None) -> str | None:
    """`10.0.0.9 from 10.0.0.2`."""
    if dhcp is None:
        return None
    return f"{dhcp['ip']} from {dhcp['server']}" if dhcp["server"] else str(dhcp["ip"])


def _neighbour(neighbour: answers.Neighbour | None) -> str | None:
    """`leaf-3 Ethernet1/7, VLAN 20`."""
    if neighbour is None:
        return None
    port = f"{neighbour['system_name'] or neighbour['chassis']} {neighbour['port']}"
    return f"{port}, VLAN {neighbour['vid']}" if neighbour["vid"] else port
