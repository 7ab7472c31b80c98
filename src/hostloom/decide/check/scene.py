"""What the checker uses: a plan, its request, and the host with everything on it."""

from dataclasses import dataclass
from functools import cached_property

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.host import CorrelationState
from hostloom.model.node import Node, NodeInterface
from hostloom.model.plan import Plan
from hostloom.model.request import LabelConstraints, ParsedRequest


@dataclass(frozen=True)
class Scene:
    """A plan that is to be checked."""

    snapshot: Snapshot
    #: The host including the other machines of the batch.
    state: HostState
    request: ParsedRequest
    plan: Plan
    #: The labels of the request; none without interface constraints.
    labels: tuple[LabelConstraints, ...]

    @property
    def is_known(self) -> bool:
        """Whether the host is correlated with a node."""
        return self.state.host.correlation.state is CorrelationState.CORRELATED

    @cached_property
    def node(self) -> Node | None:
        """The node that the host is."""
        return self.snapshot.node_of(self.state.host)

    @cached_property
    def interfaces(self) -> dict[str, NodeInterface]:
        """Host interfaces by name."""
        return {interface.name: interface for interface in (self.node.interfaces if self.node else ())}
