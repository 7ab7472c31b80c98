"""Texts about the DHCP exchanges of a NIC."""

from hostloom.model.dhcp_exchange import Exchange, ExchangeEnd, Silence

_ENDS = {
    ExchangeEnd.ACKNOWLEDGED: "it has {ip}{as_reserved}, from {server}",
    ExchangeEnd.ACKNOWLEDGED_BY_OTHER: "it has {ip} from {server}, a foreign DHCP server",
    ExchangeEnd.CHOSE_OTHER: "it got an offer, but chose that of another server",
    ExchangeEnd.REFUSED: "{server} refused {ip}{words}",
    ExchangeEnd.DECLINED: "it declined {ip}: another device on the wire has it",
    ExchangeEnd.RELEASED: "it released {ip}",
    ExchangeEnd.NO_OFFER: "it sent a request, but no server offered an address: {silence}",
    ExchangeEnd.GAVE_UP: "{server} offered {ip}, but it sent no further request",
    ExchangeEnd.NO_ANSWER: "it requested {ip}, but got no answer: {silence}",
    ExchangeEnd.NEVER_ASKED: (
        "no message of it was observed: it is off, or on a VLAN that this rack does not reach"
    ),
}
_SILENCES = {
    Silence.NOT_SERVED: "our DHCP does not serve its VLAN for this IP version",
    Silence.NO_ADDRESS: "no address is reserved for it, and its VLAN has no dynamic range",
    Silence.RANGE_EXHAUSTED: "no address is reserved for it, and all dynamic addresses are leased",
    Silence.SERVER_SILENT: (
        "an address is available for it; check with `hostloom rack list` whether its rack answers"
    ),
}


def render_exchange(exchange: Exchange) -> str:
    """One line."""
    reserved = exchange.reserved
    if reserved is None:
        as_reserved = ""
    else:
        as_reserved = " as reserved" if reserved == exchange.ip else f", though {reserved} is reserved for it"
    return _ENDS[exchange.end].format(
        ip=exchange.ip or "an address",
        as_reserved=as_reserved,
        server=exchange.server or "its server",
        words=f": {exchange.words}" if exchange.words else "",
        silence=_SILENCES[exchange.silence] if exchange.silence else "",
    )
