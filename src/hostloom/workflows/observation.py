"""One reading of a host."""

from dataclasses import dataclass

from hostloom.model.finding import Finding
from hostloom.model.network import Address
from hostloom.model.observed import ObservedHost, ObservedNetwork


@dataclass(frozen=True)
class Observation:
    """A host as it was seen at one moment, by everything that can see it."""

    host: ObservedHost
    #: None where the host's links cannot be read; where that is not the URI's nature, a finding says why.
    network: ObservedNetwork | None
    #: What the host part of the URI resolves to now.
    addresses: tuple[Address, ...]
    at: float
    #: What could not be read as a whole.
    findings: tuple[Finding, ...] = ()
