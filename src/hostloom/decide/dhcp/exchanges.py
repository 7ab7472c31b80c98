"""Groups a NIC's DHCP messages into exchanges, with results and reasons for missing answers; pure."""

from collections.abc import Sequence

from hostloom.decide.dhcp.range_utilization import range_utilizations
from hostloom.decide.snapshot import Snapshot
from hostloom.model.dhcp_exchange import DhcpMessage, Exchange, ExchangeEnd, MessageKind, Silence
from hostloom.model.ids import VlanId
from hostloom.model.network import Address, AddressKind, Subnet
from hostloom.model.rack import Rack

_K = MessageKind
#: Silence after which a client's message begins a new exchange, whatever its transaction.
GAP_S = 30.0
V6 = frozenset(
    {
        *(_K.SOLICIT, _K.ADVERTISE, _K.REQUEST6, _K.CONFIRM, _K.RENEW, _K.REBIND, _K.REPLY),
        *(_K.RELEASE6, _K.DECLINE6, _K.INFORMATION_REQUEST),
    }
)
_ASKED = frozenset({_K.REQUEST, _K.REQUEST6, _K.RENEW, _K.REBIND, _K.CONFIRM})
_BEGAN = frozenset({_K.DISCOVER, _K.SOLICIT})
_OFFERED = frozenset({_K.OFFER, _K.ADVERTISE})
_SETTLED = {
    _K.DECLINE: ExchangeEnd.DECLINED,
    _K.DECLINE6: ExchangeEnd.DECLINED,
    _K.RELEASE: ExchangeEnd.RELEASED,
    _K.RELEASE6: ExchangeEnd.RELEASED,
    _K.NAK: ExchangeEnd.REFUSED,
}


def exchanges(
    snapshot: Snapshot,
    racks: Sequence[Rack],
    vlan_id: VlanId | None,
    reserved: Sequence[Address],
    messages: Sequence[DhcpMessage],
) -> tuple[Exchange, ...]:
    """The exchanges of one NIC, oldest first; a single NEVER_ASKED if no message was observed.

    `vlan_id` is its expected VLAN, `reserved` are its addresses; messages may be in any order.
    """
    own_addresses = _own_addresses(snapshot, racks)
    judged = [
        _judge(snapshot, own_addresses, vlan_id, reserved, attempt)
        for attempt in _attempts(messages)
        if attempt
    ]
    return tuple(judged) or (Exchange((), ExchangeEnd.NEVER_ASKED),)


def _own_addresses(snapshot: Snapshot, racks: Sequence[Rack]) -> frozenset[Address]:
    nodes = [snapshot.node_by_system_id.get(rack.system_id) for rack in racks]
    return frozenset(ip for node in nodes if node for nic in node.interfaces for ip in nic.ips)


def _attempts(messages: Sequence[DhcpMessage]) -> list[list[DhcpMessage]]:
    """Split messages by version, transaction and long silence; a request joins its discover."""
    attempts: list[list[DhcpMessage]] = []
    current: dict[bool, list[DhcpMessage]] = {}
    for message in sorted(messages, key=lambda m: m.at):
        version6 = message.kind in V6
        before = current.get(version6)
        is_new = before is None or message.at - before[-1].at > GAP_S or _begins_anew(before, message)
        if before is None or is_new:
            current[version6] = before = []
            attempts.append(before)
        before.append(message)
    return attempts


def _begins_anew(before: Sequence[DhcpMessage], message: DhcpMessage) -> bool:
    """Whether a message is the first one of another transaction, after the last one was settled."""
    if message.kind not in _BEGAN | _ASKED or message.transaction == before[-1].transaction:
        return False
    last = before[-1].kind
    return message.kind in _BEGAN or last in (_K.ACK, _K.REPLY, *_SETTLED)


def _judge(
    snapshot: Snapshot,
    own_addresses: frozenset[Address],
    vlan_id: VlanId | None,
    reserved: Sequence[Address],
    attempt: Sequence[DhcpMessage],
) -> Exchange:
    last = attempt[-1]
    version = 6 if last.kind in V6 else 4
    requests = [message for message in attempt if message.kind in _ASKED]
    server = _last_server(attempt)
    address = next((ip for ip in reserved if ip.version == version), None)
    ip = next((message.ip for message in reversed(attempt) if message.ip is not None), None)
    end, silence = _end(attempt, requests, own_addresses), None
    if end in (ExchangeEnd.NO_OFFER, ExchangeEnd.NO_ANSWER):
        silence = _silence(snapshot, vlan_id, version, address)
    return Exchange(tuple(attempt), end, silence, ip, address, server, last.message)


def _last_server(attempt: Sequence[DhcpMessage]) -> Address | None:
    answers = [message for message in attempt if message.kind not in _ASKED]
    return next((message.server for message in reversed(answers) if message.server is not None), None)


def _end(
    attempt: Sequence[DhcpMessage], requests: Sequence[DhcpMessage], own_addresses: frozenset[Address]
) -> ExchangeEnd:
    last = attempt[-1]
    if last.kind in _SETTLED:
        return _SETTLED[last.kind]
    if last.kind is _K.REPLY and last.ip is None and last.message:
        return ExchangeEnd.REFUSED
    if last.kind in (_K.ACK, _K.REPLY):
        is_other = _is_foreign(last.server, own_addresses)
        return ExchangeEnd.ACKNOWLEDGED_BY_OTHER if is_other else ExchangeEnd.ACKNOWLEDGED
    if requests:
        is_other = _is_foreign(requests[-1].server, own_addresses)
        return ExchangeEnd.CHOSE_OTHER if is_other else ExchangeEnd.NO_ANSWER
    has_offer = any(message.kind in _OFFERED for message in attempt)
    return ExchangeEnd.GAVE_UP if has_offer else ExchangeEnd.NO_OFFER


def _is_foreign(server: Address | None, own_addresses: frozenset[Address]) -> bool:
    """Whether a server is known not to be ours.

    A DHCPv6 server answers from the link-local address of its interface, which no inventory has.
    """
    return server is not None and not server.is_link_local and server not in own_addresses


def _silence(snapshot: Snapshot, vlan_id: VlanId | None, version: int, requested: Address | None) -> Silence:
    subnets = [subnet for subnet in snapshot.subnets_on(vlan_id) if subnet.cidr.version == version]
    if vlan_id not in snapshot.bootable_vlans or not subnets:
        return Silence.NOT_SERVED
    if requested is not None:
        return Silence.SERVER_SILENT
    filled = [fill for fill in _fills(snapshot, subnets) if fill is not None]
    if not filled:
        return Silence.NO_ADDRESS
    return Silence.RANGE_EXHAUSTED if all(filled) else Silence.SERVER_SILENT


def _fills(snapshot: Snapshot, subnets: Sequence[Subnet]) -> list[bool | None]:
    """Whether the ranges of each subnet are exhausted; None for a subnet without ranges."""
    leases = [
        (address.subnet_id, address.ip)
        for address in snapshot.held
        if address.kind is AddressKind.LEASE and address.subnet_id is not None
    ]
    utilizations = range_utilizations(snapshot, leases)
    return [utilizations[subnet.id].is_exhausted if subnet.id in utilizations else None for subnet in subnets]
