"""Plans: results of a compose, stored for a quarter of an hour so that they can be applied unchanged."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from hostloom.decide.dhcp.intent import dhcp_additions
from hostloom.decide.request.resolve import parse_batch
from hostloom.decide.snapshot import Snapshot
from hostloom.decide.suggest.suggest import advised_batch
from hostloom.model.access import Principal
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.resources import WrongState
from hostloom.model.errors.stale import Stale
from hostloom.model.ids import natural_key
from hostloom.model.operation import Operation, OperationState
from hostloom.model.plan import JointDecision, Plan
from hostloom.model.request import ComposeBatch, Identities
from hostloom.model.stored_plan import (
    PLAN_LIFETIME_S,
    PlanContent,
    Rendering,
    StoredPlan,
)
from hostloom.ports.context import Ports
from hostloom.ports.hypervisor import Hypervisors
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.compose_with_image import saga_of
from hostloom.sagas.decisions import (
    bind_groups,
    decide_as_planned,
    decide_batch,
    in_time,
    plans_or_refuse,
    resolve_groups,
)
from hostloom.sagas.placement import ComposeInput, read_content
from hostloom.sagas.saga import HOSTS_AT_ONCE, start_saga
from hostloom.serialization import to_json
from hostloom.services.access import require_admin, require_user
from hostloom.services.deployments import complete_batch
from hostloom.services.machines import batch_subject, check_hostnames, draw_identities

_UNDONE = (OperationState.FAILED, OperationState.CANCELLED)


@dataclass(frozen=True)
class Planned:
    """The decision and the stored plan; None if the request was refused."""

    decision: JointDecision
    identities: tuple[Identities, ...]
    stored: StoredPlan | None = None
    content: PlanContent | None = None


def make(ports: Ports, principal: Principal, batch: ComposeBatch) -> Planned:
    """Decide, and store the plan with everything that users can see; nothing is reserved."""
    require_admin(principal, "plan machines")
    with ports.store.begin() as uow:
        parsed = parse_batch(complete_batch(uow, principal, batch))
        identities = draw_identities(ports, parsed)
        snapshot = uow.snapshot()
        parsed = bind_groups(resolve_groups(uow, parsed))
        check_hostnames(snapshot, identities)
        racks = uow.racks.list()
    with in_time(len(parsed.machines)):
        decision = advised_batch(snapshot, parsed, decide_batch(snapshot, parsed, identities))
    if decision.refused_at is not None:
        return Planned(decision, identities)
    content = PlanContent(
        parsed,
        identities,
        decision.plans,
        tuple(explanation.shortened() for explanation in decision.explanations),
        _render(ports, snapshot, decision.plans),
        # Without a rack there are no reservations, because hostloom has no DHCP server.
        dhcp_additions(snapshot, decision.plans) if racks else (),
        tuple(snapshot.host_by_id[plan.host_id].host.facts_at for plan in decision.plans),
    )
    stored = _describe(ports, principal, content, snapshot.revision)
    with ports.store.begin() as uow:
        uow.plans.add(stored, to_json(content))
        uow.commit()
    return Planned(decision, identities, stored, content)


def make_or_refuse(ports: Ports, principal: Principal, batch: ComposeBatch) -> tuple[StoredPlan, PlanContent]:
    """Like `make`, but raises Refused, which names the machine that does not fit, if there is no plan."""
    planned = make(ports, principal, batch)
    plans_or_refuse(planned.decision, planned.identities)
    if planned.stored is None or planned.content is None:
        raise AssertionError("what was not refused is kept")
    return planned.stored, planned.content


def list_(
    uow: UnitOfWork, principal: Principal, now: float, after: str | None = None, limit: int | None = None
) -> list[StoredPlan]:
    """Those that have not expired, newest first."""
    require_user(principal, "see plans")
    return uow.plans.list(now, after, limit)


def get(uow: UnitOfWork, principal: Principal, now: float, plan_id: str) -> tuple[StoredPlan, PlanContent]:
    """A plan in full; PlanGone."""
    require_user(principal, "see plans")
    return uow.plans.get(plan_id, now), read_content(uow, plan_id)


def delete(uow: UnitOfWork, principal: Principal, now: float, plan_id: str) -> None:
    """Delete a plan; InUse while an operation applies it."""
    require_admin(principal, "delete plans")
    uow.plans.delete(plan_id, now)


def compose(ports: Ports, principal: Principal, plan_id: str) -> Operation:
    """Record an operation that creates exactly what was planned; PlanStale lists the differences.

    A second call returns the same operation, or a new one after a failed or cancelled operation.
    """
    require_admin(principal, "compose machines")
    try:
        return _compose(ports, principal, plan_id)
    except Stale:  # a parallel request for the same plan was faster: use its operation
        return _compose(ports, principal, plan_id)


def _compose(ports: Ports, principal: Principal, plan_id: str) -> Operation:
    with ports.store.begin() as uow:
        stored, content = get(uow, principal, ports.clock.now(), plan_id)
        before = None if stored.operation_id is None else uow.operations.get(stored.operation_id)
        if before is not None and before.state not in _UNDONE:
            _refuse_used(uow, stored, content, before)
            return before
        snapshot = uow.snapshot()
        batch = resolve_groups(uow, content.batch)
        check_hostnames(snapshot, content.identities)
        decide_as_planned(snapshot, plan_id, content)
        compose_input = ComposeInput(batch, content.identities, plan_id)
        operation = start_saga(uow, ports, principal, saga_of(compose_input), compose_input, stored.subject)
        uow.plans.use(stored, operation.id)
        uow.commit()
    return operation


def _refuse_used(uow: UnitOfWork, stored: StoredPlan, content: PlanContent, before: Operation) -> None:
    """Refuse a used plan: it creates its machines once, and not again after they were decomposed."""
    if before.state is OperationState.SUCCEEDED:
        keys = [identity.system_id for identity in content.identities]
        if len(uow.machines.some(keys)) < len(keys):
            raise WrongState("plan", stored.id, f"used up: it made {stored.subject}", "make a new plan")


def _describe(ports: Ports, principal: Principal, content: PlanContent, revision: int) -> StoredPlan:
    now = ports.clock.now()
    return StoredPlan(
        id=ports.ids.uuid(),
        subject=batch_subject(content.identities),
        hosts=tuple(sorted({plan.host_name for plan in content.plans}, key=natural_key)),
        created_at=now,
        expires_at=now + PLAN_LIFETIME_S,
        requested_by=principal.name,
        revision=revision,
    )


def _render(ports: Ports, snapshot: Snapshot, plans: Sequence[Plan]) -> tuple[Rendering, ...]:
    """Render the domain XML of all machines; hosts in parallel, and a dead host only once."""
    places: dict[str, list[int]] = {}
    for index, plan in enumerate(plans):
        places.setdefault(plan.host_name, []).append(index)

    def on_host(indexes: list[int]) -> list[Rendering]:
        renderings: list[Rendering] = []
        for index in indexes:
            is_dead = renderings and renderings[-1].xml is None
            renderings.append(
                renderings[-1] if is_dead else _render_one(ports.hypervisors, snapshot, plans[index])
            )
        return renderings

    with ThreadPoolExecutor(min(HOSTS_AT_ONCE, len(places)), "render") as pool:
        rendered = pool.map(on_host, places.values())
        by_place = dict(zip(chain(*places.values()), chain.from_iterable(rendered), strict=True))
    return tuple(by_place[index] for index in range(len(plans)))


def _render_one(hypervisors: Hypervisors, snapshot: Snapshot, plan: Plan) -> Rendering:
    host = snapshot.host_by_id[plan.host_id].host
    try:
        return Rendering(hypervisors.of(host.name, host.uri).render(plan.spec))
    except DriverError as error:
        return Rendering(None, str(error))
