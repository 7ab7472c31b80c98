"""`hostloom plan`: the results of `machine plan`, stored for 15 minutes."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, TypedDict, cast

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, make_app
from hostloom.cli.nics import addresses, attached, parts_of
from hostloom.cli.output import (
    Format,
    Output,
    memory,
    say,
    show,
    show_data,
    show_one,
    size,
    table,
    when,
)
from hostloom.cli.session import open_client
from hostloom.client import answers, keys


class PlanDocument(TypedDict):
    """A plan to show, stored or just decided."""

    id: str | None
    created_at: float
    expires_at: float | None
    hosts: list[str]
    machines: list[answers.Planned]
    dhcp: list[answers.Dhcp]


def until_of(plan: answers.KeptPlan | PlanDocument) -> str:
    """The expiry as a time of day, because it is at most a quarter of an hour away."""
    return when(plan["expires_at"]).partition(" ")[2]


NOUN = NounCommands[answers.KeptPlan, keys.KeptPlanKey](
    "plan",
    "Id of the plan.",
    lambda client: client.plans,
    (
        Column("ID", "id"),
        Column("FOR", "subject"),
        Column("ON", "hosts", rank=1),
        Column("UNTIL", until_of, field="expires_at", rank=2),
        Column("APPLIED", lambda item: item["operation"] is not None, rank=3),
    ),
    empty="no plans: `hostloom machine plan` creates one, which is stored for 15 minutes",
    example="ID",
    by="ID",
)

app = make_app(NOUN)

Key = Annotated[str, typer.Argument(metavar="PLAN", help=NOUN.key)]
Xml = Annotated[bool, typer.Option("--xml", help="Show only the domain XML of every machine.")]
Why = Annotated[bool, typer.Option("--explain", help="Explain the decision for every interface.")]

add_list(app, NOUN)


@app.command("show")
def show_(
    context: typer.Context, key: Key, xml: Xml = False, explain: Why = False, output: Output = Format.TABLE
) -> None:
    """Show one plan: machines, addresses, disks and DHCP reservations.

    Examples:

    - `hostloom plan show ID --explain`
    - `hostloom plan show ID --xml`
    """
    with open_client(context) as client:
        plan = client.plans.get(key)
    if xml:
        _show_xml(plan["machines"])
    elif output is Format.TABLE:
        show_plan(cast("PlanDocument", plan), explain=explain)
    else:
        show_data(plan, output)


add_delete(app, NOUN, "A plan reserves nothing, so only the plan itself is deleted.")


def show_plan(plan: PlanDocument, *, explain: bool) -> None:
    """Show a plan: one machine in full, or several in one line each; then the command to compose it."""
    machines = plan["machines"]
    if len(machines) == 1:
        _show_machine(plan, machines[0], explain=explain)
    else:
        _show_machines(plan, machines, explain=explain)
    say(f"plan {plan['id']}, valid until {until_of(plan)}: hostloom machine compose --plan {plan['id']}")


def _show_machine(plan: PlanDocument, machine: answers.Planned, *, explain: bool) -> None:
    lines: Columns[answers.Planned, keys.PlannedKey] = (
        Column("MACHINE", "hostname"),
        Column("HOST", "host"),
        Column("FACTS OF HOST", lambda item: _age(plan, [item])),
        *((Column("IMAGE", _image),) if machine["image"] is not None else ()),
        Column("ARCHITECTURE", "architecture"),
        Column("CORES", "cores"),
        Column("MEMORY", lambda item: memory(item["memory_mib"])),
        Column("NETWORK BOOT", "netboot"),
        Column("START", "start"),
        Column("RESERVES", lambda item: _reserves([item])),
        Column("DHCP", lambda _: _dhcp(plan)),
    )
    reason = [("why", "\n".join(machine["text"]))] if explain else []
    show_one(machine, lines, Format.TABLE, [*parts_of(machine), *reason])
    for warning in [] if explain else machine["warnings"]:
        say(f"warning: {warning['text']}")
    if machine["domain_xml"] is None:
        say(f"warning: no domain XML: {machine['domain_xml_missing']}")


def _image(machine: answers.Planned) -> str:
    """The image, its account, and what is copied."""
    image = cast("answers.PlannedImage", machine["image"])
    copied = "a copy is there" if image["is_copied"] else f"{size(image['size_bytes'])} are copied first"
    number = image["ssh_keys"]
    account = f"; {number} SSH key{'' if number == 1 else 's'} for {image['user'] or 'its account'}"
    return f"{image['name']} from storage pool {image['copy_pool']} ({copied}){account}"


MACHINES: Columns[answers.Planned, keys.PlannedKey] = (
    Column("MACHINE", "hostname"),
    Column("HOST", "host"),
    Column("CORES", "cores", right=True),
    Column("MEMORY", lambda item: memory(item["memory_mib"]), right=True),
    Column("DISKS", lambda item: [f"{disk['name']} {size(disk['size_bytes'])}" for disk in item["disks"]]),
    Column(
        "NICS",
        lambda item: [f"{nic['name']} {addresses(nic)} by {attached(nic)}" for nic in item["interfaces"]],
        text=True,
    ),
)


def _show_machines(plan: PlanDocument, machines: Sequence[answers.Planned], *, explain: bool) -> None:
    lines: Columns[PlanDocument, str] = (
        Column("MACHINES", lambda item: len(item["machines"])),
        Column("HOSTS", _per_host),
        Column("FACTS OF HOSTS", lambda item: _age(item, item["machines"])),
        Column("RESERVES", lambda item: _reserves(item["machines"])),
        Column("DHCP", _dhcp),
    )
    reasons = [(f"why {machine['hostname']}", "\n".join(machine["text"])) for machine in machines if explain]
    show_one(plan, lines, Format.TABLE, [("machines", table(machines, MACHINES)), *reasons])
    for text, count in Counter(_warnings(machines)).items() if not explain else ():
        say(f"warning: {text}{f' ({count} machines)' if count > 1 else ''}")


def _warnings(machines: Sequence[answers.Planned]) -> list[str]:
    missing = [
        f"no domain XML: {machine['domain_xml_missing']}"
        for machine in machines
        if machine["domain_xml"] is None
    ]
    return [warning["text"] for machine in machines for warning in machine["warnings"]] + missing


def _per_host(plan: PlanDocument) -> str:
    counts = Counter(machine["host"] for machine in plan["machines"])
    return ", ".join(f"{host} ({counts[host]})" for host in plan["hosts"])


def _reserves(machines: Sequence[answers.Planned]) -> str:
    nics = [nic for machine in machines for nic in machine["interfaces"]]
    ips = [ip for nic in nics for ip in nic["ips"]]
    parts = [_count(len(ips), "address", "addresses"), _count(len(nics), "MAC", "MACs")]
    parts.append(_count(sum(machine["cores"] for machine in machines), "core", "cores"))
    parts.append(memory(sum(machine["memory_mib"] for machine in machines)))
    pools: Counter[str] = Counter()
    for machine in machines:
        for disk in machine["disks"]:
            pools[disk["pool"]] += disk["size_bytes"]
    return ", ".join([*parts, *(f"{size(total)} of {pool}" for pool, total in sorted(pools.items()))])


def _dhcp(plan: PlanDocument) -> str:
    added = plan["dhcp"]
    if not added:
        return "no change"
    if len(added) <= 2:
        return ", ".join(f"{entry['ip']} for {entry['mac']} in {entry['subnet']}" for entry in added)
    counts = Counter(entry["subnet"] for entry in added)
    return ", ".join(
        f"{_count(count, 'reservation', 'reservations')} in {subnet}" for subnet, count in counts.items()
    )


def _age(plan: PlanDocument, machines: Sequence[answers.Planned]) -> str:
    """The age of the oldest facts at the time of planning."""
    times = [machine["facts_at"] for machine in machines if machine["facts_at"] is not None]
    if not times:
        return "never read"
    seconds = max(0, round(plan["created_at"] - min(times)))
    for unit, factor in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * factor:
            return f"read {seconds // factor} {unit} before the plan"
    return f"read {seconds} s before the plan"


def _count(number: int, one: str, many: str) -> str:
    return f"{number or 'no'} {one if number == 1 else many}"


def _show_xml(machines: Sequence[answers.Planned]) -> None:
    """Print the domains one after another, in the format of `virsh define`."""
    from rich.text import Text

    for machine in machines:
        if machine["domain_xml"] is None:
            say(f"no domain XML of {machine['hostname']}: {machine['domain_xml_missing']}")
        else:
            show(Text(machine["domain_xml"]))
