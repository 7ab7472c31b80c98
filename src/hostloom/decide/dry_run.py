"""Decides with generated identities that are not random. A dry run reserves nothing."""

from collections.abc import Mapping

from hostloom.decide.placement.compose import decide
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import HostId, MacAddress, SystemId
from hostloom.model.plan import Decision
from hostloom.model.reasons import Refusal
from hostloom.model.request import Identities, ParsedRequest

NO_HOSTS: Mapping[HostId, Refusal] = {}


def simulate(
    snapshot: Snapshot, request: ParsedRequest, barred: Mapping[HostId, Refusal] = NO_HOSTS
) -> Decision:
    """Decide with generated identities, at the time 0."""
    return decide(snapshot, request, identities_of(request, 0), barred)


def identities_of(request: ParsedRequest, number: int) -> Identities:
    """Unique names, UUID and MACs for the machine of this number."""
    first = number << 8
    macs = tuple(
        MacAddress("52:54:" + (first + index).to_bytes(4, "big").hex(":"))
        for index in range(request.nic_count)
    )
    system_id = SystemId("simula" if number == 0 else f"s{number:05}")
    name = request.hostname or ("simulated" if number == 0 else f"simulated-{number + 1}")
    return Identities(system_id, name, f"00000000-0000-4000-8000-{number:012}", macs, 0.0)
