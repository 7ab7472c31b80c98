"""One reading of a host."""

from dataclasses import dataclass

from hostloom.model.network import Address
from hostloom.model.observed import ObservedHost, ObservedNetwork


@dataclass(frozen=True)
class Observation:
    """A host as it was seen at one moment, by everything that can see it."""

    host: ObservedHost
    #: None where the URI gives no way to read the host's links.
    network: ObservedNetwork | None
    #: What the host part of the URI resolves to now.
    addresses: tuple[Address, ...]
    at: float
