"""Events: what happened and when, for people and monitors."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth telling; `kind` is a stable code such as `host-match-gained`."""

    kind: str
    #: `host kvm1`, `machine vm7`, `vlan fabric-0/20`.
    subject: str
    message: str
    at: float
    id: int = 0
    details: dict[str, Any] = field(default_factory=dict, hash=False)
