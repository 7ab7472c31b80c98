"""`hostloom simulate`: plan the cases of world files with no database and no hypervisor."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from hostloom.decide import cases, explain, explain_data
from hostloom.decide.snapshot import Snapshot
from hostloom.decide.world import Case, World, read_request, read_world
from hostloom.decide.world_read import Path as KeyPath
from hostloom.decide.world_read import Section, WorldError
from hostloom.model.plan import Decision

OK, FAILED, USAGE, REFUSED = 0, 1, 2, 3


@dataclass(frozen=True)
class WorldFile:
    """A file, and the line of every key in it."""

    path: Path
    world: World


def simulate(
    files: Annotated[list[Path], typer.Argument(help="World files (YAML).", show_default=False)],
    case: Annotated[str | None, typer.Option(help="Show the plan of one case in full.")] = None,
    request: Annotated[
        list[str] | None,
        typer.Option(
            help="Plan a request instead of the cases: KEY=VALUE, e.g. 'interfaces=eth0:space=dmz'."
        ),
    ] = None,
    with_reasons: Annotated[bool, typer.Option("--explain", help="Show the reasons too.")] = False,
    output: Annotated[str, typer.Option("-o", "--output", help="table or json.")] = "table",
) -> None:
    """Plan the cases of world files, and compare with what they expect.

    Nothing is reserved and nothing is touched: no database, no hypervisor.

    Examples:

      hostloom simulate worlds/*.yaml

      hostloom simulate world.yaml --case two-labels-by-space --explain

      hostloom simulate world.yaml --request 'interfaces=eth0:space=dmz' --request cores=4
    """
    if output not in ("table", "json"):
        raise typer.BadParameter(f"{output!r} is not table or json", param_hint="--output")
    worlds = [_load(path) for path in files]
    if request:
        raise typer.Exit(_plan_request(worlds, request, with_reasons=with_reasons, output=output))
    if case is not None:
        raise typer.Exit(_show_case(worlds, case, with_reasons=with_reasons, output=output))
    raise typer.Exit(_run_cases(worlds, with_reasons=with_reasons, output=output))


# -- reading -------------------------------------------------------------------------------------------


def _load(path: Path) -> WorldFile:
    lines: dict[KeyPath, int] = {}
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        data = _construct(node, (), lines) if node is not None else None
        return WorldFile(path, read_world(data))
    except OSError as error:
        raise _usage(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _usage(f"{path}: this is not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _usage(f"{path}:{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise _usage(f"{path}: {error}") from error
    except WorldError as error:
        raise _usage(f"{path}:{_line(error.path, lines)}: {error}") from error


def _construct(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int]) -> Any:
    """Plain data, with the line of every key and item on the way; a key that is there twice is an error."""
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = yaml.SafeLoader("").construct_object(key_node, deep=True)
            here = (*path, key if isinstance(key, str | int) else str(key))
            lines[here] = key_node.start_mark.line + 1
            if key in found:
                raise WorldError(here, f"the key {key!r} is there twice")
            found[key] = _construct(value_node, here, lines)
            lines[here] = key_node.start_mark.line + 1
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_construct(each, (*path, at), lines) for at, each in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    value = loader.construct_object(node, deep=True)
    is_plain = value is None or isinstance(value, str | int | float | bool)
    return value if is_plain else node.value


def _line(path: KeyPath, lines: dict[KeyPath, int]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _usage(message: str) -> typer.Exit:
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(USAGE)


# -- planning ------------------------------------------------------------------------------------------


def _run_cases(worlds: list[WorldFile], *, with_reasons: bool, output: str) -> int:
    results: list[dict[str, Any]] = []
    for file in worlds:
        for case in file.world.cases:
            decision = cases.simulate(file.world.snapshot, case.request)
            wrong = cases.differences(file.world.snapshot, case, decision)
            results.append({"file": str(file.path), "case": case.name, "ok": not wrong, "differences": wrong})
            if output == "table":
                _print_result(file, case, decision, wrong, with_reasons=with_reasons)
    failed = sum(not each["ok"] for each in results)
    if output == "json":
        typer.echo(
            json.dumps({"passed": len(results) - failed, "failed": failed, "cases": results}, indent=2)
        )
    else:
        typer.echo(f"{len(results) - failed} passed, {failed} failed")
    return FAILED if failed else OK


def _print_result(
    file: WorldFile, case: Case, decision: Decision, wrong: list[str], *, with_reasons: bool
) -> None:
    typer.echo(f"{'FAIL' if wrong else 'ok  '} {file.path.name}: {case.name}")
    for line in wrong:
        typer.echo(f"       {line}")
    if with_reasons:
        for line in explain.render(decision.explanation):
            typer.echo(f"       {line}")


def _show_case(worlds: list[WorldFile], name: str, *, with_reasons: bool, output: str) -> int:
    found = [(file, case) for file in worlds for case in file.world.cases if case.name == name]
    if not found:
        known = ", ".join(case.name for file in worlds for case in file.world.cases) or "none"
        raise _usage(f"there is no case {name!r}; cases here: {known}")
    file, case = found[0]
    decision = cases.simulate(file.world.snapshot, case.request)
    _show(file.world.snapshot, decision, with_reasons=with_reasons, output=output)
    wrong = cases.differences(file.world.snapshot, case, decision)
    for line in wrong:
        typer.echo(f"FAIL {line}", err=True)
    return FAILED if wrong else OK


def _plan_request(worlds: list[WorldFile], pairs: list[str], *, with_reasons: bool, output: str) -> int:
    data: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or key in data:
            raise _usage(f"--request {pair!r}: expected KEY=VALUE, each key once")
        text_keys = ("interfaces", "storage", "host", "architecture")
        data[key] = value if key in text_keys else yaml.safe_load(value)
    try:
        wanted = read_request(Section(data, ("request",)))
    except WorldError as error:
        raise _usage(f"--request: {error}") from error
    code = OK
    for file in worlds:
        decision = cases.simulate(file.world.snapshot, wanted)
        _show(file.world.snapshot, decision, with_reasons=with_reasons, output=output)
        code = code if decision.plan else REFUSED
    return code


def _show(snapshot: Snapshot, decision: Decision, *, with_reasons: bool, output: str) -> None:
    nics = [cases.as_data(snapshot, nic) for nic in decision.plan.interfaces] if decision.plan else []
    if output == "json":
        answer = {
            "host": decision.plan.host_name if decision.plan else None,
            "interfaces": nics,
            "error": decision.explanation.refusal.code if decision.explanation.refusal else None,
            "explanation": explain_data.as_data(decision.explanation),
        }
        typer.echo(json.dumps(answer, indent=2))
        return
    for nic in nics:
        mode = f" ({nic['mode']})" if nic["mode"] else ""
        boot = ", boots" if nic["boot"] else ""
        where = f"{nic['attach']} {nic['source']}{mode}, VLAN {nic['vlan'] or 'not known'}"
        ip = nic["ip"] if isinstance(nic["ip"], str) else ", ".join(nic["ip"] or ["no address"])
        typer.echo(f"{nic['name']}: {where}, {ip}{boot}")
    lines = explain.render(decision.explanation)
    for line in lines if with_reasons or not decision.plan else lines[:1]:
        typer.echo(line)
