"""Plans and explanations: the answers of the decision engine, as data."""

from dataclasses import dataclass, replace

from hostloom.model.hypothetical import Suggestion
from hostloom.model.ids import HostId, SubnetId
from hostloom.model.machine import Disk, MachineInterface, MachineSpec
from hostloom.model.reasons import PlanWarning, Refusal, Rejection, RequestCode

#: Names that a stored explanation keeps of a group of hosts.
STORED_NAMES = 20


@dataclass(frozen=True, slots=True)
class LabelExplanation:
    """The explanation of one NIC's attachment."""

    label: str
    #: The chosen host interface or libvirt network; empty if there is none.
    winner: str
    #: Why the winner won over the runner-up: words of a closed set, most important first
    #: ("bridge", "bootable-vlan", "unused", "name-order", "only-candidate", …).
    reasons: tuple[str, ...] = ()
    #: The other usable candidates, in order of preference.
    runners_up: tuple[str, ...] = ()
    #: All other interfaces and networks of the host, with the reasons against them.
    rejections: tuple[Rejection, ...] = ()
    #: The properties of the NIC on the chosen source; all empty if the host is refused.
    attach: str = ""
    macvlan_mode: str = ""
    #: FABRIC/VID with its space; empty if unknown.
    vlan: str = ""
    addresses: tuple[str, ...] = ()
    boot: bool = False


@dataclass(frozen=True, slots=True)
class HostExplanation:
    """The explanation of one host."""

    host: str
    #: None = the machine fits on it.
    refusal: Refusal | None = None
    labels: tuple[LabelExplanation, ...] = ()
    #: The score as (name, value) pairs, the most important first; empty if the host is refused.
    score: tuple[tuple[str, str], ...] = ()
    #: When the host's facts were read, in seconds since the epoch.
    facts_at: float | None = None
    #: Storage pools that are preferred for a disk, but cannot hold it.
    pools: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class HostGroup:
    """Hosts with the same result, grouped because there are too many to explain one by one."""

    #: Why they were refused; None = the machine fits on them too.
    code: RequestCode | None
    count: int
    #: By natural name; a stored explanation keeps the first few only.
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All reasons of a decision: the chosen host in full, the others at least by code."""

    #: Chosen host, or None when refused.
    chosen: str | None
    #: Set when the request was refused.
    refusal: Refusal | None = None
    #: The chosen host in full, and the others too if they are few.
    hosts: tuple[HostExplanation, ...] = ()
    warnings: tuple[PlanWarning, ...] = ()
    #: Counts of the hosts that are not in `hosts`, by code.
    others: tuple[HostGroup, ...] = ()
    #: Why the chosen host was better than the runner-up: a criterion of its score, or `name-order`.
    host_reason: str = ""
    host_runner_up: str = ""
    #: For a refused request: the changes that would make it fit, the smallest first.
    suggestions: tuple[Suggestion, ...] = ()

    def shortened(self) -> "Explanation":
        """The explanation as it is stored: its size does not grow with the number of hosts."""
        groups = (replace(group, hosts=group.hosts[:STORED_NAMES]) for group in self.others)
        return replace(self, others=tuple(groups))


@dataclass(frozen=True, slots=True)
class Plan:
    """The complete decision for a machine, including its addresses."""

    host_id: HostId
    host_name: str
    #: The machine with its NICs and disks, as the hypervisor gets it.
    spec: MachineSpec
    #: The subnets of the addresses of each NIC.
    subnet_ids: tuple[tuple[SubnetId, ...], ...]
    warnings: tuple[PlanWarning, ...]
    #: The generation of the host when the decision was made.
    host_generation: int
    #: The revision of the snapshot that the decision used.
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

    #: In the order of the batch; empty if one machine does not fit.
    plans: tuple[Plan, ...]
    #: For all machines in the order of the batch; for a refused batch, only for the one that does not fit.
    explanations: tuple[Explanation, ...]
    #: The position of the machine that does not fit.
    refused_at: int | None = None
