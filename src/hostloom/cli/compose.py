"""`hostloom machine plan` and `hostloom machine compose`."""

from collections.abc import Mapping
from typing import Annotated, Any, cast

import typer

from hostloom.cli.compose_request import ComposeOptions, named, takes_compose_options
from hostloom.cli.deploy import tell_systems, wait_for_system
from hostloom.cli.exit_codes import Exit, exit_of_refusal, fail, tell
from hostloom.cli.follow import Wait, finish
from hostloom.cli.nics import addresses, attached
from hostloom.cli.output import Format, Output, say, show_data
from hostloom.cli.plans import PlanDocument, Why, show_plan
from hostloom.cli.session import open_client
from hostloom.client import Client, answers

PlanId = Annotated[
    str | None,
    typer.Option("--plan", metavar="ID", help="Create exactly what `machine plan` showed under this id."),
]


@takes_compose_options
def plan(
    context: typer.Context, options: ComposeOptions, explain: Why = False, output: Output = Format.TABLE
) -> None:
    """Show the result and warnings of a compose in advance.

    The plan is stored for 15 minutes and reserves nothing.

    Examples:

    - `hostloom machine plan --interfaces 'eth0:space=dmz'`
    - `hostloom machine plan --interfaces 'eth0:space=dmz;eth1:vid=20,macvlan_mode=private' --explain`
    - `hostloom machine plan --name web --count 3 --anti-affinity --interfaces 'eth0:space=dmz'`
    """
    with open_client(context) as client:
        if options.is_batch:
            kept = client.plans.create(options.batch())
            plan_document, document = cast("PlanDocument", kept), cast("Mapping[str, Any]", kept)
        else:
            decision = client.plan(options.machine())
            _leave_if_refused(decision, output, explain=explain)
            plan_document, document = _decided(decision), cast("Mapping[str, Any]", decision)
    if output is Format.TABLE:
        show_plan(plan_document, explain=explain)
    else:
        show_data(document, output)


@takes_compose_options
def compose(
    context: typer.Context,
    options: ComposeOptions,
    plan_id: PlanId = None,
    explain: Why = False,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Compose machines, all or none: choose hosts, attach NICs, reserve addresses, create and start them.

    Examples:

    - `hostloom machine compose --name web1 --interfaces 'eth0:space=dmz' --cores 2 --memory 4G`
    - `hostloom machine compose --host kvm1 --interfaces 'eth0:vid=20,ip=10.0.20.9' --storage root:20`
    - `hostloom machine compose --name web --count 3 --strategy spread`
    - `hostloom machine compose --plan ID`
    """
    others = named(context)
    if plan_id is not None and others:
        raise fail(
            f"--plan and {', '.join(others)} exclude each other", "the plan already contains them", Exit.USAGE
        )
    with open_client(context) as client:
        operation = _begin(client, options, plan_id)
        finish(client, operation, output, wait=wait)
        machines = [wait_for_system(client, name) for name in operation["machines"]]
        reasons = [client.machines.get_why(machine["hostname"]) for machine in machines if explain]
    if output is not Format.TABLE:
        show_data(machines[0] if plan_id is None and not options.is_batch else machines, output)
        return
    typer.echo("\n".join(map(_composed, machines)))
    for machine, reason in zip(machines, reasons, strict=False):
        title = [f"\nwhy {machine['hostname']}"] if len(machines) > 1 else []
        typer.echo("\n".join([*title, *reason["text"]]))
    tell_systems(machines)


def _begin(client: Client, options: ComposeOptions, plan_id: str | None) -> answers.Composing:
    if plan_id is not None:
        return client.plans.compose(plan_id)
    if options.is_batch:
        return client.compose_batch(options.batch())
    return client.machines.create(options.machine())


def _decided(decision: answers.Decision) -> PlanDocument:
    """A decision about one machine in the form of a plan."""
    plan = cast("answers.Plan", decision["plan"])  # the command ends at a refusal
    machine: answers.Planned = {**plan, "text": decision["text"], "explanation": decision["explanation"]}
    return {
        "id": decision["id"],
        "created_at": decision["created_at"],
        "expires_at": decision["expires_at"],
        "hosts": [machine["host"]],
        "machines": [machine],
        "dhcp": decision["dhcp"],
    }


def _composed(machine: answers.Machine) -> str:
    nics = "; ".join(f"{nic['name']} {addresses(nic)} by {attached(nic)}" for nic in machine["interfaces"])
    return f"machine {machine['hostname']} is {machine['state']} on host {machine['host']}: {nics}"


def _leave_if_refused(decision: answers.Decision, output: Format, *, explain: bool) -> None:
    if decision["plan"] is not None:
        return
    if output is Format.TABLE:
        lines = decision["text"]
        hint = decision["hint"] or ("--explain shows why" if len(lines) > 1 else "")
        tell(lines[0].removeprefix("refused: ") if explain else decision["summary"], "" if explain else hint)
        for line in lines[1:] if explain else []:
            say(line)
    else:
        show_data(decision, output)
    raise typer.Exit(exit_of_refusal(decision["explanation"]["refusal"]["code"]))
