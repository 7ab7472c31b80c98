"""Plans, refusals and explanations: what the decision engine answers, as data."""

from dataclasses import dataclass, replace

from hostloom.model.hypothetical import Suggestion
from hostloom.model.ids import HostId, SubnetId
from hostloom.model.machine import Disk, MachineInterface, MachineSpec
from hostloom.model.reasons import PlanWarning, Refusal, Rejection, RequestCode

#: Names that a stored explanation keeps of a group of hosts.
STORED_NAMES = 20


@dataclass(frozen=True, slots=True)
class LabelExplanation:
    """How one NIC's attachment was chosen."""

    label: str
    #: Host interface or libvirt network taken; empty when none was.
    winner: str
    #: Why the winner won over the runner-up: words of a closed set, most important first
    #: ("bridge", "bootable-vlan", "unused", "name-order", "only-candidate", …).
    reasons: tuple[str, ...] = ()
    #: Those that could serve, in order of preference, the winner left out.
    runners_up: tuple[str, ...] = ()
    #: Everything else that the host has, each with its reason.
    rejections: tuple[Rejection, ...] = ()
    #: What the NIC gets by the winner; all empty where the host is refused.
    attach: str = ""
    macvlan_mode: str = ""
    #: FABRIC/VID with its space; empty where it is not known.
    vlan: str = ""
    addresses: tuple[str, ...] = ()
    boot: bool = False


@dataclass(frozen=True, slots=True)
class HostExplanation:
    """How one host fared."""

    host: str
    #: None = it could take the machine.
    refusal: Refusal | None = None
    labels: tuple[LabelExplanation, ...] = ()
    #: Score, best first, as (name, value) pairs for the reader; empty when refused.
    score: tuple[tuple[str, str], ...] = ()
    #: Seconds since the epoch at which the host's facts were read.
    facts_at: float | None = None
    #: Storage pools that a disk would have gone to, and why they cannot hold it.
    pools: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class HostGroup:
    """Hosts that fared alike, where there are too many to explain each."""

    #: Why they were refused; None = they could take the machine too.
    code: RequestCode | None
    count: int
    #: By natural name; a stored explanation keeps the first few only.
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All the reasons of a decision: the chosen host in full, every other with its code."""

    #: Chosen host, or None when refused.
    chosen: str | None
    #: Set when the request was refused.
    refusal: Refusal | None = None
    #: Hosts in full: the chosen one first; the others too, where they are few.
    hosts: tuple[HostExplanation, ...] = ()
    warnings: tuple[PlanWarning, ...] = ()
    #: Counts of the hosts that are not in `hosts`, by code.
    others: tuple[HostGroup, ...] = ()
    #: Why the chosen host came before the runner-up: the criterion of its score, or `name-order`.
    host_reason: str = ""
    host_runner_up: str = ""
    #: Of a refused request: what would make it fit, the least first.
    suggestions: tuple[Suggestion, ...] = ()

    def shortened(self) -> "Explanation":
        """The explanation as it is stored: its size does not grow with the number of hosts."""
        groups = (replace(group, hosts=group.hosts[:STORED_NAMES]) for group in self.others)
        return replace(self, others=tuple(groups))


@dataclass(frozen=True, slots=True)
class Plan:
    """A machine on a host, down to the last address: nothing is decided after this."""

    host_id: HostId
    host_name: str
    #: The machine with its NICs and disks, as it is rendered to the hypervisor.
    spec: MachineSpec
    #: Of each NIC, the subnet of each of its addresses.
    subnet_ids: tuple[tuple[SubnetId, ...], ...]
    warnings: tuple[PlanWarning, ...]
    #: Host generation that the decision rests on.
    host_generation: int
    #: Snapshot revision that the decision rests on.
    revision: int
    start: bool = True

    @property
    def interfaces(self) -> tuple[MachineInterface, ...]:
        """Its NICs."""
        return self.spec.interfaces

    @property
    def disks(self) -> tuple[Disk, ...]:
        """Its disks."""
        return self.spec.disks


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request: a plan, or a refusal in the explanation; never both."""

    plan: Plan | None
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class JointDecision:
    """The answer to a batch: a plan for every machine of it, or for none."""

    #: In the order of the batch; empty when one machine of it found no place.
    plans: tuple[Plan, ...]
    #: Of the machines in the order of the batch; when refused, of the one that found no place alone.
    explanations: tuple[Explanation, ...]
    #: Position in the batch of the machine that found no place.
    refused_at: int | None = None
