"""Decides on composes: resolves the groups in requests, checks plans, and explains refusals."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hostloom.decide.batch.decide_batch import decide_all
from hostloom.decide.check.check import check_all
from hostloom.decide.deadline import limited
from hostloom.decide.explain.explain import summary_of
from hostloom.decide.explain.reason_texts import refused, render_difference
from hostloom.decide.placement.plan_difference import differences
from hostloom.decide.snapshot import Snapshot
from hostloom.model.disk_image import DiskImage
from hostloom.model.errors.refusals import DecisionTooLong
from hostloom.model.errors.resources import WrongState
from hostloom.model.errors.stale import PlanStale
from hostloom.model.grouping import COMPOSED_TAGS, Tag
from hostloom.model.host import CorrelationEvidence
from hostloom.model.ids import TagId
from hostloom.model.plan import Explanation, JointDecision, Plan
from hostloom.model.reasons import Refusal
from hostloom.model.request import Identities, ParsedBatch, ParsedRequest
from hostloom.model.stored_plan import PlanContent, PlanDifference
from hostloom.ports.repositories import Repository, find_by_key
from hostloom.ports.store import UnitOfWork

#: CPU time limit of a decision in seconds; a single machine takes milliseconds.
DECIDE_S = 10.0
DECIDE_S_EACH = 0.1


@contextmanager
def in_time(machines: int = 1) -> Iterator[None]:
    """End decisions in the block with DecisionTooLong after too much CPU time."""
    limit_s = DECIDE_S + DECIDE_S_EACH * machines
    ends_at = time.thread_time() + limit_s

    def check() -> None:
        if time.thread_time() > ends_at:
            raise DecisionTooLong(limit_s)

    with limited(check):
        yield


def decide_batch(snapshot: Snapshot, batch: ParsedBatch, identities: Sequence[Identities]) -> JointDecision:
    """Decide, and let the independent checker verify all plans together."""
    with in_time(len(batch.machines)):
        joint_decision = decide_all(snapshot, batch, tuple(identities))
    if joint_decision.refused_at is None and (wrong := check_all(snapshot, batch, joint_decision.plans)):
        raise AssertionError(f"the plans break the rules: {'; '.join(wrong)}")
    return joint_decision


def plans_or_refuse(decision: JointDecision, identities: Sequence[Identities]) -> tuple[Plan, ...]:
    """The plans, or Refused with the code, text and explanation of the machine that does not fit."""
    if decision.refused_at is None:
        return decision.plans
    explanation = decision.explanations[0]
    text = summary_of(explanation)
    if len(identities) > 1:
        text = f"machine {identities[decision.refused_at].hostname}: {text}"
    raise refused(refusal_of(explanation), text, explanation)


def on_hosts(batch: ParsedBatch, hosts: Sequence[str]) -> ParsedBatch:
    """The batch with every machine on its chosen host, in order."""
    pairs = zip(batch.machines, hosts, strict=True)
    return ParsedBatch(tuple(replace(request, host=host) for request, host in pairs))


def hosts_of(plans: Sequence[Plan]) -> tuple[str, ...]:
    """The hosts of the plans."""
    return tuple(plan.host_name for plan in plans)


def differs(before: Snapshot, after: Snapshot, name: str, size_bytes: int) -> bool:
    """Whether a host differs for a decision that puts disks of this size on it."""
    return _facts(before, name, size_bytes) != _facts(after, name, size_bytes)


def _facts(snapshot: Snapshot, name: str, size_bytes: int) -> tuple[object, ...]:
    """The facts of a host that a decision uses; of free space only whether it suffices."""
    state = next((state for state in snapshot.hosts if state.host.name == name), None)
    if state is None:
        return ()
    host, node = state.host, snapshot.node_of(state.host)
    pools = tuple(replace(pool, free_bytes=int(pool.free_bytes >= size_bytes)) for pool in host.storage_pools)
    correlation = replace(host.correlation, evidence=CorrelationEvidence.NONE, matched="")
    lasting = replace(
        host,
        correlation=correlation,
        storage_pools=pools,
        facts_at=None,
        findings=(),
        read_revision=0,
        generation=0,
    )
    return lasting, state.machines, None if node is None else (node.hostname, node.interfaces)


def decide_as_planned(snapshot: Snapshot, plan_id: str, content: PlanContent) -> tuple[Plan, ...]:
    """Decide again on the hosts of a plan; PlanStale lists all differences.

    The ages of facts are not compared, because hosts are read again meanwhile.
    """
    batch = on_hosts(content.batch, hosts_of(content.plans))
    identities = tuple(replace(identity, at=None) for identity in content.identities)
    joint_decision = decide_batch(snapshot, batch, identities)
    if joint_decision.refused_at is not None:
        refusal = refusal_of(joint_decision.explanations[0])
        planned = content.plans[joint_decision.refused_at]
        name, host = planned.spec.name, planned.host_name
        raise _stale(plan_id, (PlanDifference(name, "host", host, "refused", refusal=refusal),))
    pairs = zip(content.plans, joint_decision.plans, strict=True)
    if different := tuple(difference for pair in pairs for difference in differences(snapshot, *pair)):
        raise _stale(plan_id, different)
    return joint_decision.plans


def refusal_of(explanation: Explanation) -> Refusal:
    """The reason for a refusal."""
    if explanation.refusal is None:
        raise AssertionError("a decision without plan has a refusal")
    return explanation.refusal


def _stale(plan_id: str, differences: tuple[PlanDifference, ...]) -> PlanStale:
    return PlanStale(
        plan_id, differences, [render_difference(plan_difference) for plan_difference in differences]
    )


def resolve_groups(uow: UnitOfWork, batch: ParsedBatch) -> ParsedBatch:
    """The batch with its images and the ids of its zones, resource pools and domains; NotFound.

    A group with a known id is not looked up by name again, because it may have been renamed.
    """
    zone_id = _ids_of(lambda: uow.zones, "zone")
    pool_id = _ids_of(lambda: uow.resource_pools, "resource pool")
    domain_id = _ids_of(lambda: uow.domains, "domain")

    def resolve(request: ParsedRequest) -> ParsedRequest:
        return replace(
            request,
            image=_image_of(uow, request),
            zone_id=zone_id(request.zone, request.zone_id),
            resource_pool_id=pool_id(request.resource_pool, request.resource_pool_id),
            domain_id=domain_id(request.domain, request.domain_id),
        )

    return replace(batch, machines=tuple(resolve(request) for request in batch.machines))


def _image_of(uow: UnitOfWork, request: ParsedRequest) -> DiskImage | None:
    """The image to deploy; NotFound, WrongState."""
    if request.deploy is None:
        return None
    if request.image is None:
        return find_by_key(uow.disk_images, "disk image", request.deploy.image)
    image = uow.disk_images.find_by_content(request.image.sha256)
    if image is None:
        wanted = "it must have the content that it had when the machine was planned"
        raise WrongState("disk image", request.image.name, "replaced or deleted", wanted, "make a new plan")
    return image


def bind_groups(batch: ParsedBatch) -> ParsedBatch:
    """The batch with the choice of hosts restricted to the named zones and resource pools."""

    def bind(request: ParsedRequest) -> ParsedRequest:
        if request.host is not None:
            return request
        return replace(request, in_zone=request.zone_id, in_resource_pool=request.resource_pool_id)

    return replace(batch, machines=tuple(bind(request) for request in batch.machines))


def _ids_of(groups: Callable[[], Repository[Any, Any]], kind: str) -> Callable[[str | None, int | None], Any]:
    """The id of a group by its key or known id. Every group is looked up once; None stays None."""
    ids: dict[tuple[str | None, int | None], Any] = {(None, None): None}

    def id_of(key: str | None, group_id: int | None) -> Any:
        if (key, group_id) not in ids:
            group = find_by_key(groups(), kind, str(key)) if group_id is None else groups().get(group_id)
            ids[key, group_id] = group.id
        return ids[key, group_id]

    return id_of


def composed_tags(requested: Sequence[str], of_host: Sequence[str]) -> tuple[str, ...]:
    """The tags of a machine: requested tags, tags of all composed machines, and tags of its host."""
    return tuple(dict.fromkeys((*requested, *COMPOSED_TAGS, *of_host)))


def ensure_composed_tags(uow: UnitOfWork) -> None:
    """Create missing tags before the first machine has them; existing ones keep their kernel options."""
    for name, kernel_options in COMPOSED_TAGS.items():
        if uow.tags.find(name) is None:
            uow.tags.add(Tag(TagId(0), name, "given to composed machines", kernel_options))
