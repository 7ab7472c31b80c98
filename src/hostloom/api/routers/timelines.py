"""DHCP exchanges of a machine's NICs over HTTP."""

from typing import Annotated, Self

from fastapi import APIRouter, Query

from hostloom.api.calls import Reading
from hostloom.api.forms import Out
from hostloom.decide.explain.timeline import render_exchange
from hostloom.model.dhcp_exchange import DhcpMessage, Exchange, ExchangeEnd, MessageKind, Silence
from hostloom.services.timelines import timelines

router = APIRouter(prefix="/machines", tags=["machines"])


class DhcpMessageOut(Out):
    """A message on the wire; `server` is its sender, or the server that it names."""

    at: float
    kind: MessageKind
    ip: str | None
    server: str | None
    vendor: str
    message: str
    interface: str

    @classmethod
    def of(cls, item: DhcpMessage) -> Self:
        """Of the model."""
        return cls(
            at=item.at,
            kind=item.kind,
            ip=None if item.ip is None else str(item.ip),
            server=None if item.server is None else str(item.server),
            vendor=item.vendor,
            message=item.message,
            interface=item.interface,
        )


class ExchangeOut(Out):
    """An exchange: its result, why no server answered, and the same as text."""

    end: ExchangeEnd
    silence: Silence | None
    text: str
    ip: str | None
    reserved: str | None
    server: str | None
    messages: list[DhcpMessageOut]

    @classmethod
    def of(cls, item: Exchange) -> Self:
        """Of the model."""
        return cls(
            end=item.end,
            silence=item.silence,
            text=render_exchange(item),
            ip=None if item.ip is None else str(item.ip),
            reserved=None if item.reserved is None else str(item.reserved),
            server=None if item.server is None else str(item.server),
            messages=[DhcpMessageOut.of(message) for message in item.messages],
        )


class NicDhcpOut(Out):
    """A NIC's exchanges, oldest first."""

    nic: str
    exchanges: list[ExchangeOut]


class DhcpTimelineOut(Out):
    """A machine's NICs, in its order."""

    items: list[NicDhcpOut]


@router.get("/{key}/dhcp", response_model=DhcpTimelineOut)
def get_machine_dhcp(
    call: Reading,
    key: str,
    nic: Annotated[str | None, Query(description="This NIC alone.")] = None,
) -> DhcpTimelineOut:
    """Show a machine's DHCP messages on the wire, and why the exchange stopped."""
    with call.begin() as uow:
        timeline_list = timelines(uow, call.principal, key, nic)
    return DhcpTimelineOut(
        items=[
            NicDhcpOut(nic=name, exchanges=list(map(ExchangeOut.of, exchanges)))
            for name, exchanges in timeline_list
        ]
    )
