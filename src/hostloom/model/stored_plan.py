"""Stored plans, which users can apply unchanged for a quarter of an hour."""

from dataclasses import dataclass

from hostloom.model.ids import MacAddress
from hostloom.model.network import Address
from hostloom.model.plan import Explanation, Plan
from hostloom.model.reasons import Refusal
from hostloom.model.request import Identities, ParsedBatch

#: Plans are deleted after this time, because they reserve nothing and soon become outdated.
PLAN_LIFETIME_S = 15 * 60.0
#: The maximum number of plans that were not applied; the newest are kept.
MAX_PLANS = 1000


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """The summary of a plan for lists, without its content."""

    id: str
    #: `machine web`, `machines web-1 … web-3`.
    subject: str
    #: The hosts of its machines, by natural name.
    hosts: tuple[str, ...]
    created_at: float
    expires_at: float
    #: The user who requested it.
    requested_by: str
    #: The revision of the world that it was made from.
    revision: int
    #: The last operation that applied it.
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rendering:
    """The domain XML of a planned machine, or why there is none."""

    xml: str | None
    #: Why the host could not render it; empty if there is XML.
    missing: str = ""


@dataclass(frozen=True, slots=True)
class DhcpAddition:
    """A reservation that our DHCP will have once the plan is applied."""

    #: CIDR.
    subnet: str
    mac: MacAddress
    ip: Address
    hostname: str


@dataclass(frozen=True, slots=True)
class PlanContent:
    """The content of a plan: requests, identities and decisions, in the order of the batch."""

    batch: ParsedBatch
    identities: tuple[Identities, ...]
    plans: tuple[Plan, ...]
    #: The shortened explanation of each machine.
    explanations: tuple[Explanation, ...]
    renderings: tuple[Rendering, ...]
    dhcp: tuple[DhcpAddition, ...]
    #: When the facts of each machine's host were read.
    facts_at: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """A difference between a plan and the present decision."""

    machine: str
    #: `host`, `eth0 ip`, `disk root pool` …
    field: str
    planned: str
    now: str
    #: The holder of the planned address.
    taken_by: str = ""
    #: Why the machine no longer fits on its host.
    refusal: Refusal | None = None
