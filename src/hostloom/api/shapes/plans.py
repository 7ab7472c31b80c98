"""Documents of plans."""

from typing import Any, Self

from hostloom.api.forms import Mac, Out
from hostloom.api.names import Names
from hostloom.api.shapes.machines import DiskOut, NicOut
from hostloom.decide.explain.explain import hint_of, render, summary_of
from hostloom.decide.explain.reason_texts import render_warning
from hostloom.model.plan import Plan
from hostloom.model.request import ParsedRequest
from hostloom.model.stored_plan import DhcpAddition, PlanContent, Rendering, StoredPlan
from hostloom.serialization import to_json
from hostloom.services.plans import Planned


class WarningOut(Out):
    """A warning, as code and text."""

    code: str
    subject: str
    found: str
    text: str


class DhcpOut(Out):
    """A reservation that hostloom publishes to DHCP."""

    subnet: str
    mac: Mac
    ip: str
    hostname: str

    @classmethod
    def of(cls, item: DhcpAddition) -> Self:
        """Of the model."""
        return cls(subnet=item.subnet, mac=item.mac, ip=str(item.ip), hostname=item.hostname)


class PlannedImageOut(Out):
    """The image of a planned machine, and the account that its SSH keys open.

    `is_copied` says whether the storage pool `copy_pool` of the host has a copy of the image. Otherwise
    `size_bytes` are copied there first.
    """

    name: str
    user: str
    ssh_keys: int
    size_bytes: int
    copy_pool: str
    is_copied: bool

    @classmethod
    def of(cls, item: Plan, request: ParsedRequest, names: Names) -> "PlannedImageOut | None":
        """Of a planned machine and its request."""
        image, deploy = request.image, request.deploy
        if image is None or deploy is None:
            return None
        pool, is_copied = names.image_copy(item.host_id, item.disks[0].pool, image.sha256)
        return cls(
            name=image.name,
            user=deploy.user or image.default_user,
            ssh_keys=len(deploy.ssh_keys),
            size_bytes=image.size_bytes,
            copy_pool=pool,
            is_copied=is_copied,
        )


class PlanOut(Out):
    """A planned machine with all details that are reserved and created when the plan is applied.

    `domain_xml` is the XML for the hypervisor, or null with the reason in `domain_xml_missing`.
    `host_generation` and `facts_at` (seconds since the epoch) identify the facts of the host that were used.
    """

    host: str
    hostname: str
    #: The disk image that the first disk is made from; null: the disks stay empty.
    image: PlannedImageOut | None
    system_id: str
    uuid: str
    architecture: str
    cores: int
    memory_mib: int
    interfaces: list[NicOut]
    disks: list[DiskOut]
    netboot: bool
    start: bool
    warnings: list[WarningOut]
    domain_xml: str | None
    domain_xml_missing: str
    host_generation: int
    facts_at: float | None

    @classmethod
    def of(
        cls,
        item: Plan,
        request: ParsedRequest,
        rendering: Rendering,
        facts_at: float | None,
        names: Names,
    ) -> Self:
        """Of the model."""
        return cls(**_fields(item, request, rendering, facts_at, names))


class PlannedOut(PlanOut):
    """A machine of a plan with its explanation, as data and as text."""

    explanation: dict[str, Any]
    text: list[str]


class KeptPlanOut(Out):
    """A plan in a list; times in seconds since the epoch; `operation` is the last one that applied it."""

    id: str
    subject: str
    hosts: list[str]
    created_at: float
    expires_at: float
    requested_by: str
    revision: int
    operation: str | None

    @classmethod
    def of(cls, item: StoredPlan) -> Self:
        """Of the model."""
        return cls(**_kept(item))


class PlanDetailOut(KeptPlanOut):
    """A complete plan: its machines in the order of the request, and the reservations for DHCP."""

    machines: list[PlannedOut]
    dhcp: list[DhcpOut]

    @classmethod
    def of_content(cls, item: StoredPlan, content: PlanContent, names: Names) -> Self:
        """Convert the content of a plan; ages in explanations refer to the time of the plan."""
        parts = zip(
            content.plans,
            content.batch.machines,
            content.renderings,
            content.facts_at,
            content.explanations,
            strict=True,
        )
        machines = [
            PlannedOut(
                **_fields(plan, request, rendering, facts_at, names),
                explanation=to_json(explanation),
                text=render(explanation, item.created_at),
            )
            for plan, request, rendering, facts_at, explanation in parts
        ]
        return cls(
            **_kept(item),
            machines=machines,
            dhcp=[DhcpOut.of(dhcp_addition) for dhcp_addition in content.dhcp],
        )


class DecisionOut(Out):
    """The decision about one machine: a plan, or null with the refusal in the explanation.

    The plan is stored under `id` and can be applied unchanged until `expires_at`.
    """

    id: str | None
    created_at: float
    expires_at: float | None
    revision: int | None
    plan: PlanOut | None
    dhcp: list[DhcpOut]
    explanation: dict[str, Any]
    text: list[str]
    #: The reason for a refusal in one line; if no host fits, with the first hosts' reasons. Empty for a plan.
    summary: str
    #: The smallest change that makes a refused request fit; empty if none is known.
    hint: str

    @classmethod
    def of(cls, item: Planned, names: Names, now: float) -> Self:
        """Convert a decision; ages in its explanation refer to this time."""
        explanation = item.decision.explanations[0]
        stored, content = item.stored, item.content
        plan = None
        if content is not None:
            plan = PlanOut.of(
                content.plans[0],
                content.batch.machines[0],
                content.renderings[0],
                content.facts_at[0],
                names,
            )
        return cls(
            id=None if stored is None else stored.id,
            created_at=now if stored is None else stored.created_at,
            expires_at=None if stored is None else stored.expires_at,
            revision=None if stored is None else stored.revision,
            plan=plan,
            dhcp=[] if content is None else [DhcpOut.of(dhcp_addition) for dhcp_addition in content.dhcp],
            explanation=to_json(explanation),
            text=render(explanation, now),
            summary=summary_of(explanation),
            hint=hint_of(explanation),
        )


def _kept(item: StoredPlan) -> dict[str, Any]:
    plain = "id subject created_at expires_at requested_by revision"
    values = {name: getattr(item, name) for name in plain.split()}
    return values | {"hosts": list(item.hosts), "operation": item.operation_id}


def _fields(
    item: Plan, request: ParsedRequest, rendering: Rendering, facts_at: float | None, names: Names
) -> dict[str, Any]:
    return {
        "image": PlannedImageOut.of(item, request, names),
        "host": item.host_name,
        "hostname": item.spec.name,
        "system_id": item.spec.system_id,
        "uuid": item.spec.uuid,
        "architecture": item.spec.emulation.architecture,
        "cores": item.spec.cores,
        "memory_mib": item.spec.memory_mib,
        "interfaces": [NicOut.of(interface, names) for interface in item.interfaces],
        "disks": [DiskOut.made(disk) for disk in item.disks],
        "netboot": item.spec.netboot,
        "start": item.start,
        "warnings": [
            WarningOut(
                code=warning.code, subject=warning.subject, found=warning.found, text=render_warning(warning)
            )
            for warning in item.warnings
        ],
        "domain_xml": rendering.xml,
        "domain_xml_missing": rendering.missing,
        "host_generation": item.host_generation,
        "facts_at": facts_at,
    }
