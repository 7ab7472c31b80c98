"""DHCP servers on a VLAN, over HTTP."""

from typing import Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import Out
from hostloom.api.names import Names
from hostloom.model.dhcp_exchange import ForeignDhcp
from hostloom.model.network import vlan_name
from hostloom.services import vlan_probes
from hostloom.services.vlan_probes import Probed

router = APIRouter(prefix="/vlans", tags=["vlans"])


class ForeignOut(Out):
    """A foreign DHCP server, with the lowest and highest address that it offered."""

    server: str
    mac: str
    first_offered: str | None
    last_offered: str | None
    seen_from: str
    first_seen_at: float
    last_seen_at: float

    @classmethod
    def of(cls, item: ForeignDhcp) -> Self:
        """Of the model."""
        first, last = item.first_offered, item.last_offered
        return cls(
            server=str(item.server),
            mac=str(item.mac),
            first_offered=None if first is None else str(first),
            last_offered=None if last is None else str(last),
            seen_from=item.seen_from,
            first_seen_at=item.first_seen_at,
            last_seen_at=item.last_seen_at,
        )


class ProbeOut(Out):
    """A VLAN's last probe.

    `at` is null before the first. `ours_answered` is null if our DHCP would not answer an unknown client.
    `trouble` says why no probe could run.
    """

    vlan: str
    at: float | None
    seen_from: str
    ours_answered: bool | None
    trouble: str
    foreign: list[ForeignOut]

    @classmethod
    def of(cls, item: Probed, names: Names) -> Self:
        """Of the model."""
        last = item.probe
        return cls(
            vlan=vlan_name(names.fabric(item.vlan.fabric_id), item.vlan.vid),
            at=None if last is None else last.at,
            seen_from="" if last is None else last.seen_from,
            ours_answered=None if last is None else last.ours_answered,
            trouble="" if last is None else last.trouble,
            foreign=[ForeignOut.of(foreign_dhcp) for foreign_dhcp in item.foreign],
        )


@router.get("/{key:path}/probe", response_model=ProbeOut)
def get_vlan_probe(call: Reading, key: str) -> Response:
    """Show the DHCP servers that the last probe of a VLAN found."""
    with call.begin() as uow:
        return call.one(ProbeOut.of(vlan_probes.get(uow, call.principal, key), Names(uow)))


@router.post("/{key:path}/probe", response_model=ProbeOut)
def probe_vlan(call: Changing, key: str) -> Response:
    """Probe a VLAN for DHCP servers; this takes about ten seconds."""

    def do() -> ProbeOut:
        probed = vlan_probes.probe(call.ports, call.principal, key)
        with call.begin() as uow:
            return ProbeOut.of(probed, Names(uow))

    return call.perform(200, do)
