"""Plans that were kept: what exactly was shown, to be applied as it is for a quarter of an hour."""

from dataclasses import dataclass

from hostloom.model.ids import MacAddress
from hostloom.model.network import Address
from hostloom.model.plan import Explanation, Plan
from hostloom.model.reasons import Refusal
from hostloom.model.request import Identities, ParsedBatch

#: A plan holds nothing, so it is soon out of date: after this it is forgotten.
PLAN_LIFETIME_S = 15 * 60.0
#: At most this many plans that were not applied are kept, the newest ones.
MAX_PLANS = 1000


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """What lists show of a plan; its content is read apart."""

    id: str
    #: `machine web`, `machines web-1 … web-3`.
    subject: str
    #: The hosts that it puts machines on, by natural name.
    hosts: tuple[str, ...]
    created_at: float
    expires_at: float
    #: User who asked.
    requested_by: str
    #: Revision of the world that it rests on.
    revision: int
    #: The operation that applied it last.
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rendering:
    """The domain XML of a planned machine, or why there is none."""

    xml: str | None
    #: Why the host could not say; empty when there is XML.
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
    """A plan in full: what was asked, what is random about it, and what was decided, in the batch's order."""

    batch: ParsedBatch
    identities: tuple[Identities, ...]
    plans: tuple[Plan, ...]
    #: Of each machine, shortened.
    explanations: tuple[Explanation, ...]
    renderings: tuple[Rendering, ...]
    dhcp: tuple[DhcpAddition, ...]
    #: When the facts of each machine's host were read.
    facts_at: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """One thing in which a plan is no longer what would be decided."""

    machine: str
    #: `host`, `eth0 ip`, `disk root pool` …
    field: str
    planned: str
    now: str
    #: Who has the address that was planned.
    taken_by: str = ""
    #: Why the machine finds no place on its host any more.
    refusal: Refusal | None = None
