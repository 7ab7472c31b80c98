"""Events for people and monitors."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from hostloom.model.event_kind import EventKind, Severity


class EventSubjectKind(StrEnum):
    """The kind of thing that an event is about."""

    HOST = "host"
    MACHINE = "machine"
    NODE = "node"
    RACK = "rack"
    VLAN = "vlan"
    SUBNET = "subnet"
    ADDRESS = "address"
    LEASE = "lease"
    IMAGE = "image"
    USER = "user"
    WORLD = "world"


@dataclass(frozen=True, slots=True)
class EventSubject:
    """What an event is about."""

    kind: EventSubjectKind
    #: What a rename does not change: the system id of a machine or a node, the id of a host, rack, VLAN or
    #: subnet; of everything else its name. Empty for the world, and for what is not recorded.
    key: str = ""
    #: The name at the time of the event: `kvm1`, `fabric-0/20`, `10.0.0.0/24`.
    name: str = ""

    def __str__(self) -> str:
        """The form that people read: `machine web1`."""
        return f"{self.kind} {self.name}".rstrip()


class _System(Protocol):
    @property
    def system_id(self) -> str: ...
    @property
    def hostname(self) -> str: ...


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


def machine_subject(machine: _System) -> EventSubject:
    """A machine as the subject of an event."""
    return EventSubject(EventSubjectKind.MACHINE, machine.system_id, machine.hostname)


def node_subject(node: _System) -> EventSubject:
    """A node as the subject of an event."""
    return EventSubject(EventSubjectKind.NODE, node.system_id, node.hostname)


def host_subject(host: _Numbered) -> EventSubject:
    """A host as the subject of an event."""
    return EventSubject(EventSubjectKind.HOST, str(host.id) if host.id else "", host.name)


def named_subject(kind: EventSubjectKind, name: str) -> EventSubject:
    """A subject whose name is its key, such as an address or a user."""
    return EventSubject(kind, name, name)


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    kind: EventKind
    subject: EventSubject
    message: str
    #: Seconds since the epoch.
    at: float
    id: int = 0
    details: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def severity(self) -> Severity:
        """The severity of its kind."""
        return self.kind.severity
