"""The words for what became of a NIC's DHCP."""

from hostloom.model.dhcp_exchange import Exchange, ExchangeEnd, Silence

_ENDS = {
    ExchangeEnd.ACKNOWLEDGED: "it has {ip}{as_reserved}, from {server}",
    ExchangeEnd.ACKNOWLEDGED_BY_OTHER: "it has {ip} from {server}, a DHCP server that is none of ours",
    ExchangeEnd.CHOSE_OTHER: "it was offered an address and chose that of another server",
    ExchangeEnd.REFUSED: "{server} refused {ip}{words}",
    ExchangeEnd.DECLINED: "it declined {ip}: another device on the wire has it",
    ExchangeEnd.RELEASED: "it gave {ip} back",
    ExchangeEnd.NO_OFFER: "it asked, and no server offered an address: {silence}",
    ExchangeEnd.GAVE_UP: "it was offered {ip} by {server} and asked no more",
    ExchangeEnd.NO_ANSWER: "it asked for {ip} and got no answer: {silence}",
    ExchangeEnd.NEVER_ASKED: "nothing was seen of it: it is off, or on a VLAN that this rack does not see",
}
_SILENCES = {
    Silence.NOT_SERVED: "our DHCP does not serve its VLAN for this IP version",
    Silence.NO_ADDRESS: "nothing is reserved for it, and its VLAN has no dynamic range",
    Silence.RANGE_EXHAUSTED: "nothing is reserved for it, and every dynamic address is leased",
    Silence.SERVER_SILENT: "there is an address for it; does its rack answer? `hostloom rack list`",
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
