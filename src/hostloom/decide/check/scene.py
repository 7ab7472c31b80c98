"""What the checker looks at: a plan, the request that it is for, and its host with all that is on it."""

from dataclasses import dataclass
from functools import cached_property

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.host import CorrelationState
from hostloom.model.node import Node, NodeInterface
from hostloom.model.plan import Plan
from hostloom.model.request import LabelConstraints, ParsedRequest


@dataclass(frozen=True)
class Scene:
    """One plan to be checked."""

    snapshot: Snapshot
    #: With the other machines of the batch.
    state: HostState
    request: ParsedRequest
    plan: Plan
    #: As the request says; none without interface constraints.
    labels: tuple[LabelConstraints, ...]

    @property
    def is_known(self) -> bool:
        """Whether the host is a node that we know."""
        return self.state.host.correlation.state is CorrelationState.CORRELATED

    @cached_property
    def node(self) -> Node | None:
        """The host as a node."""
        return self.snapshot.node_of(self.state.host)

    @cached_property
    def interfaces(self) -> dict[str, NodeInterface]:
        """Host interfaces by name."""
        return {interface.name: interface for interface in (self.node.interfaces if self.node else ())}
