"""Shows the outcomes of cases in full: every NIC, then the reasons."""

import json
from typing import Any

import typer

from hostloom.cli.exit_codes import Exit, exit_of_refusal
from hostloom.cli.output import Format, show_data
from hostloom.cli.world_files import WorldFile
from hostloom.decide.explain import explain
from hostloom.decide.snapshot import Snapshot
from hostloom.decide.suggest.suggest import advised_batch
from hostloom.model.plan import JointDecision, Plan
from hostloom.model.request import ParsedBatch
from hostloom.serialization import to_json
from hostloom.simulation import cases
from hostloom.simulation.outcomes import host_counts, outcome, outcome_differences
from hostloom.simulation.world_file import Case


def show_outcomes(worlds: list[WorldFile], *, with_reasons: bool, output: Format) -> Exit:
    """Plan the cases of world files; programs get one document, or a list for several files."""
    code, answers = Exit.OK, []
    for file in worlds:
        snapshot = file.world.snapshot
        for case in file.world.cases:
            batch = case.batch or ParsedBatch((case.request,))
            joint_decision = advised_batch(snapshot, batch, outcome(snapshot, case))
            if output is Format.TABLE:
                if len(worlds) > 1:
                    typer.echo(f"{file.path}:")
                _show(snapshot, joint_decision, with_reasons=with_reasons)
            else:
                file_field = {"file": str(file.path)} if len(worlds) > 1 else {}
                answers.append(file_field | _answer(snapshot, case, joint_decision))
            wrong = outcome_differences(snapshot, case, joint_decision) if case.expect else []
            for line in wrong:
                typer.echo(f"FAIL {line}", err=True)
            code = max(code, _code(case, joint_decision, wrong))
    if output is not Format.TABLE:
        plain = json.loads(json.dumps(answers))  # in YAML, codes are plain text too
        show_data(plain if len(worlds) > 1 else plain[0], output)
    return code


def _code(case: Case, decision: JointDecision, wrong: list[str]) -> Exit:
    """The exit code: a case must match its expectation, and a request must fit."""
    refusal = decision.explanations[0].refusal
    if case.expect or decision.plans or refusal is None:
        return Exit.FAILED if wrong else Exit.OK
    return exit_of_refusal(refusal.code)


def _answer(snapshot: Snapshot, case: Case, decision: JointDecision) -> dict[str, Any]:
    """One machine as its plan; several as a list with the number per host."""
    first = decision.explanations[0]
    document = {
        "error": first.refusal.code if first.refusal and not decision.plans else None,
        "explanation": to_json(first),
    }
    machines = [{"host": plan.host_name, "interfaces": _nics(snapshot, plan)} for plan in decision.plans]
    if case.batch is not None:
        return {"hosts": host_counts(decision.plans), "machines": machines, **document}
    return {**(machines[0] if machines else {"host": None, "interfaces": []}), **document}


def _nics(snapshot: Snapshot, plan: Plan) -> list[dict[str, Any]]:
    return [cases.as_data(snapshot, nic) for nic in plan.interfaces]


def _show(snapshot: Snapshot, decision: JointDecision, *, with_reasons: bool) -> None:
    if len(decision.plans) > 1:
        counts = host_counts(decision.plans)
        typer.echo(f"hosts: {', '.join(f'{host} ×{count}' for host, count in counts.items())}")
    for index, plan in enumerate(decision.plans):
        if len(decision.plans) > 1:
            typer.echo(f"machine {index + 1} on {plan.host_name}")
        for nic in _nics(snapshot, plan):
            typer.echo(f"{'  ' * (len(decision.plans) > 1)}{_nic(nic)}")
    lines = explain.render(decision.explanations[0])
    for line in lines if with_reasons or not decision.plans else lines[: len(decision.plans) == 1]:
        typer.echo(line)


def _nic(nic: dict[str, Any]) -> str:
    mode = f" ({nic['mode']})" if nic["mode"] else ""
    boot = ", boots" if nic["boot"] else ""
    attachment = f"{nic['attach']} {nic['source']}{mode}, VLAN {nic['vlan'] or 'unknown'}"
    ip = nic["ip"] if isinstance(nic["ip"], str) else ", ".join(nic["ip"] or ["no address"])
    return f"{nic['name']}: {attachment}, {ip}{boot}"
