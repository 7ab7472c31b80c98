"""`hostloom simulate`: plan the cases of world files with no database and no hypervisor."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from hostloom.cli.decisions import show_outcomes
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.output import Format, Output, say, show_data
from hostloom.cli.sizes import parse_memory
from hostloom.cli.what_if import Supposing, complete_change, suppose
from hostloom.cli.world_files import WorldFile, load_all
from hostloom.decide.explain import explain
from hostloom.simulation.outcomes import outcome, outcome_differences
from hostloom.simulation.sections import Section
from hostloom.simulation.world_file import Case, WorldError, read_asking

#: Keys of a request with text values, even if they look like numbers.
_TEXTS = frozenset({"interfaces", "storage", "host", "architecture", "anti_affinity", "strategy"})

Files = Annotated[
    list[Path], typer.Argument(help="World files (YAML); `-` reads standard input.", show_default=False)
]
CaseName = Annotated[
    str | None,
    typer.Option(help="Show the complete plan of one case; with --what-if, consider only this case."),
]
Request = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help="Plan this request, such as cores=4; repeatable, once per key.",
    ),
]
WhatIf = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CHANGE",
        help="Assume a change, e.g. lose-interface:kvm1/eth1; repeatable, in order.",
        autocompletion=complete_change,
    ),
]
Add = Annotated[
    int | None,
    typer.Option(min=1, max=100_000, help="Report how many of NUMBER additional machines would fit."),
]
FailIfHurt = Annotated[
    bool,
    typer.Option("--fail-if-hurt", help="Exit with 3 if a machine is affected or a request no longer fits."),
]
WithReasons = Annotated[bool, typer.Option("--explain", help="Also show the reasons.")]


def simulate(
    files: Files,
    case: CaseName = None,
    request: Request = None,
    what_if: WhatIf = None,
    add: Add = None,
    fail_if_hurt: FailIfHurt = False,
    with_reasons: WithReasons = False,
    output: Output = Format.TABLE,
) -> None:
    """Plan the cases of world files and check the results, or show what a change would do.

    This reserves nothing and needs neither a database nor a hypervisor.

    Examples:

    - `hostloom simulate worlds/*.yaml`
    - `hostloom simulate world.yaml --case two-labels-by-space --explain`
    - `hostloom simulate world.yaml --request 'interfaces=eth0:space=dmz' --request cores=4`
    - `hostloom simulate world.yaml --what-if lose-interface:kvm1/eth1 --what-if lose-host:kvm3`
    - `hostloom simulate world.yaml --request memory_mib=4096 --add 500`
    - `hostloom world export | hostloom simulate - --what-if lose-vlan:lan/20`

    Changes for --what-if:

    - lose-interface:HOST/INTERFACE, lose-vlan:FABRIC/VID, lose-host:HOST, serve-vlan:FABRIC/VID
    - stop-serving-vlan:FABRIC/VID, libvirt-dhcp-off:HOST/NETWORK, start-network:HOST/NETWORK
    - move-interface:HOST/INTERFACE=FABRIC/VID, add-vlan-interface:HOST/INTERFACE=FABRIC/VID
    - set-interface-vlan:HOST/INTERFACE=FABRIC/VID, set-bridge-ports:HOST/BRIDGE=INTERFACE,…
    - enable-interface:HOST/INTERFACE, link-up:HOST/INTERFACE, reach-host:HOST, choose-node:HOST=SYSTEM-ID
    - raise-cpu-ratio:HOST=RATIO, raise-memory-ratio:HOST=RATIO, set-macvlan-mode:HOST=MODE
    - grow-pool:HOST/POOL=BYTES, free-address:CIDR=ADDRESS, change-request:OPTION=VALUE
    """
    question = _asked(case, request, what_if, fail_if_hurt=fail_if_hurt)
    worlds = _pick(load_all(files), case, question)
    if what_if or add is not None:
        supposing = Supposing(tuple(what_if or ()), add, question, fail_if_hurt, with_reasons)
        raise typer.Exit(suppose(worlds, supposing, output))
    show = _run_cases if question is None and case is None else show_outcomes
    raise typer.Exit(show(worlds, with_reasons=with_reasons, output=output))


def _asked(
    case: str | None, request: list[str] | None, what_if: list[str] | None, *, fail_if_hurt: bool
) -> Case | None:
    """The request in the options; a usage error if options exclude each other."""
    if case is not None and request:
        raise fail("--case and --request exclude each other", code=Exit.USAGE)
    if fail_if_hurt and not what_if:
        raise fail("--fail-if-hurt needs --what-if", code=Exit.USAGE)
    return _read_request(request) if request else None


def _read_request(pairs: list[str]) -> Case:
    data: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or key in data:
            raise fail(f"--request {pair!r}: expected KEY=VALUE, each key once", code=Exit.USAGE)
        if key in ("memory", "memory_mib"):
            data["memory_mib"] = parse_memory(value, f"--request {key}")
        else:
            data[key] = value if key in _TEXTS else _value(pair, value)
    try:
        asking = read_asking(Section(data, ("request",)))
    except WorldError as error:
        raise fail(f"--request: {error}", code=Exit.USAGE) from error
    return Case("request", asking.request, {}, asking.count, asking.strategy)


def _value(pair: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise fail(f"--request {pair!r}: {text!r} is not a value", code=Exit.USAGE) from error


def _pick(worlds: list[WorldFile], name: str | None, asked: Case | None) -> list[WorldFile]:
    """The world files with the selected cases: all, the case with this name, or the request."""
    if asked is not None:
        return [world.with_cases((asked,)) for world in worlds]
    if name is None:
        return worlds
    narrowed = [world.with_cases(_cases_named(world, name)) for world in worlds]
    with_case = [world for world in narrowed if world.world.cases]
    if not with_case:
        names = ", ".join(case.name for world in worlds for case in world.world.cases) or "none"
        raise fail(f"there is no case {name!r}; cases here: {names}", code=Exit.USAGE)
    return with_case


def _cases_named(world: WorldFile, name: str) -> tuple[Case, ...]:
    return tuple(case for case in world.world.cases if case.name == name)


def _run_cases(worlds: list[WorldFile], *, with_reasons: bool, output: Format) -> Exit:
    results: list[dict[str, Any]] = []
    for file in worlds:
        for case in file.world.cases:
            joint_decision = outcome(file.world.snapshot, case)
            wrong = outcome_differences(file.world.snapshot, case, joint_decision)
            results.append({"file": str(file.path), "case": case.name, "ok": not wrong, "differences": wrong})
            if output is Format.TABLE:
                reasons = explain.render(joint_decision.explanations[0]) if with_reasons else []
                typer.echo(f"{'FAIL' if wrong else 'ok  '} {file.path.name}: {case.name}")
                for line in (*wrong, *reasons):
                    typer.echo(f"       {line}")
    failed = sum(not result["ok"] for result in results)
    if output is Format.TABLE and not results:
        say("these files have no cases: `--request 'interfaces=eth0:space=dmz'` plans a request")
    elif output is Format.TABLE:
        typer.echo(f"{len(results) - failed} passed, {failed} failed")
    else:
        show_data({"passed": len(results) - failed, "failed": failed, "cases": results}, output)
    return Exit.FAILED if failed else Exit.OK
