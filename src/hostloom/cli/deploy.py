"""`hostloom machine deploy` and the display of a machine's system."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, cast

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import Part, Yes, confirm
from hostloom.cli.deploy_request import Account, SshKeys, UserData, deploy_request
from hostloom.cli.exit_codes import Exit, tell
from hostloom.cli.follow import Wait, finish
from hostloom.cli.lifecycle import Key
from hostloom.cli.output import Format, Output, lines, say, show_data, show_one, size, when
from hostloom.cli.session import open_client
from hostloom.client import Client, answers, keys
from hostloom.client.documents import document_of

LOOK_EVERY_S = 2.0
_DEPLOYING = "deploying"


def _wiped(disk: answers.WipedDisk) -> str:
    """The disk with the details by which a person recognizes it."""
    text = f"disk {disk['name']}, {size(disk['size_bytes'])}"
    if disk["volume"]:
        return f"{text}: volume {disk['volume']} in storage pool {disk['pool']}"
    return f"{text}: model {disk['model'] or 'unknown'}, serial {disk['serial'] or 'unknown'}"


PLAN: Columns[answers.DeployPlan, keys.DeployPlanKey] = (
    Column("MACHINE", "machine"),
    Column("HOST", "host"),
    Column("STATE", "state"),
    Column("IMAGE", lambda item: f"{item['image']} {item['title'] and '(' + item['title'] + ')'}".rstrip()),
    Column("USER", "user"),
    Column("SSH KEYS", "ssh_keys"),
    Column("WIPES", lambda item: _wiped(item["wiped"])),
    Column(
        "COPIES",
        lambda item: (
            "the image to the disk, over the network"
            if not item["host"]
            else f"nothing: storage pool {item['copy_pool']} has the image"
            if item["is_copied"]
            else f"{size(item['image_size_bytes'])} to storage pool {item['copy_pool']}"
        ),
    ),
)
_LINES: Columns[answers.Deployment, keys.DeploymentKey] = (
    Column("IMAGE", "image"),
    Column("USER", "user"),
    Column("STEP", "step"),
    Column("STARTED", lambda item: when(item["started_at"])),
    Column("FINISHED", lambda item: when(item["finished_at"]) if item["finished_at"] else None),
    Column("SSH KEYS", lambda item: len(item["ssh_keys"])),
    Column("HOST KEYS", lambda item: len(item["host_keys"])),
    Column("FAILURE", "failure"),
)


def deploy(
    context: typer.Context,
    key: Key,
    image: Annotated[str, typer.Option(help="Disk image to install.")],
    ssh_key: SshKeys = None,
    user: Account = "",
    user_data: UserData = None,
    disk: Annotated[
        str, typer.Option(help="Disk of a bare machine, by name or serial; default: the smallest that fits.")
    ] = "",
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be done.")] = False,
    yes: Yes = False,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Install a disk image on an existing machine. The previous content of the disk is lost.

    The plan is shown first. The command ends when the machine reports that its system runs.

    Examples:

    - `hostloom machine deploy web1 --image debian-12 --plan`
    - `hostloom machine deploy web1 --image debian-12 --ssh-key ~/.ssh/id_ed25519.pub --yes`
    """
    request = deploy_request(image, ssh_key, user, user_data)
    body = document_of(cast("Any", request and replace(request, disk=disk)))
    with open_client(context) as client:
        planned = client.machines.plan_deploy(key, body)
        if plan or output is Format.TABLE:
            show_one(planned, PLAN, output)
        if plan:
            return
        if not planned["reports"]:
            say("warning: the machine cannot report that its system runs; it is deployed once it starts")
        confirm(f"Wipe {_wiped(planned['wiped'])}, of machine {planned['machine']}?", yes=yes)
        finish(client, client.machines.deploy(key, body), output, wait=wait)
        machine = wait_for_system(client, planned["machine"])
    if output is not Format.TABLE:
        show_data(machine, output)
    tell_system(machine)


def wait_for_system(client: Client, name: str) -> answers.MachineDetail:
    """Wait until a machine that is deploying has reported or failed; Ctrl-C does not stop the deployment."""
    try:
        while True:
            machine = client.machines.get(name)
            if machine["state"] != _DEPLOYING:
                return machine
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        say(f"\nthe deployment continues: `hostloom machine show {name}` shows its progress")
        raise typer.Exit(Exit.INTERRUPTED) from None


def tell_system(machine: answers.MachineDetail) -> None:
    """Say how the deployment ended; exit with an error if it failed."""
    name, deployment = machine["hostname"], machine["deployment"]
    if deployment is None:
        return
    if machine["state"] == "failed-deployment":
        tell(
            f"machine {name} failed: {deployment['failure']}",
            f"`hostloom machine show {name}` shows its console; `hostloom machine deploy {name}` tries again",
        )
        raise typer.Exit(Exit.FAILED)
    say(f"machine {name} runs {deployment['image']}: `hostloom machine ssh {name}` opens a session")


def tell_systems(machines: Sequence[answers.MachineDetail]) -> None:
    """Say how the deployments of composed machines ended; exit with an error if one failed."""
    failed = [machine for machine in machines if machine["state"] == "failed-deployment"]
    for machine in [*(machine for machine in machines if machine not in failed), *failed]:
        tell_system(machine)


def parts_of(item: answers.Machine) -> list[Part]:
    """The machine's system, and the end of its console if it failed."""
    deployment: answers.Deployment | None = cast("dict[str, Any]", item).get("deployment")
    if deployment is None:
        return []
    parts: list[Part] = [("system", lines(deployment, _LINES))]
    if deployment["boot_output"]:
        parts.append(("end of the console", deployment["boot_output"]))
    return parts
