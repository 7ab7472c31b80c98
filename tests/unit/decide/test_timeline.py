"""How far a NIC's DHCP came, and why no further."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostloom.decide.dhcp.exchanges import exchanges
from hostloom.decide.explain.timeline import render_exchange
from hostloom.decide.snapshot import Snapshot
from hostloom.model.dhcp_exchange import DhcpMessage, Exchange, ExchangeEnd, MessageKind, Silence
from hostloom.model.ids import FabricId, InterfaceId, MacAddress, RackId, RangeId, SubnetId, SystemId, VlanId
from hostloom.model.network import AddressKind, HeldAddress, IPRange, RangeKind, Subnet, Vlan
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.rack import Rack

K, E = MessageKind, ExchangeEnd
MAC = MacAddress("52:54:00:00:00:01")
OURS, THEIRS, OWN = "10.0.0.2", "10.0.0.66", "10.0.0.50"
RACK = Rack(RackId(1), "rack", SystemId("rack01"))
RANGE = IPRange(
    RangeId(1), SubnetId(1), RangeKind.DYNAMIC, ip_address("10.0.0.100"), ip_address("10.0.0.100")
)


def world(*, dhcp_on: bool = True, ranges: tuple[IPRange, ...] = (), leased: bool = False) -> Snapshot:
    nic = NodeInterface(
        InterfaceId(1),
        "eth0",
        InterfaceKind.PHYSICAL,
        addresses=(ip_interface(f"{OURS}/24"),),
        vlan_id=VlanId(1),
    )
    held = HeldAddress(ip_address("10.0.0.100"), AddressKind.LEASE, SubnetId(1))
    return Snapshot(
        vlans=(Vlan(VlanId(1), FabricId(1), 0, "v", dhcp_on=dhcp_on),),
        subnets=(Subnet(SubnetId(1), ip_network("10.0.0.0/24"), VlanId(1), "s"),),
        ranges=ranges,
        nodes=(Node(RACK.system_id, "rack", NodeKind.RACK_CONTROLLER, (nic,)),),
        held=(held,) if leased else (),
    )


def said(
    kind: MessageKind, at: float, ip: str = "", server: str = "", xid: int = 1, words: str = ""
) -> DhcpMessage:
    return DhcpMessage(
        *(at, kind, MAC, "eth0", xid),
        ip=ip_address(ip) if ip else None,
        server=ip_address(server) if server else None,
        message=words,
    )


def told(snapshot: Snapshot, *messages: DhcpMessage, reserved: str = OWN) -> list[Exchange]:
    own = (ip_address(reserved),) if reserved else ()
    return list(exchanges(snapshot, (RACK,), VlanId(1), own, messages))


WHOLE = (
    said(K.DISCOVER, 1),
    said(K.OFFER, 1.1, OWN, OURS),
    said(K.REQUEST, 1.2, OWN, OURS),
    said(K.ACK, 1.3, OWN, OURS),
)


@pytest.mark.parametrize(
    ("messages", "end", "words"),
    [
        ((), E.NEVER_ASKED, "no message of it was observed"),
        (WHOLE, E.ACKNOWLEDGED, f"has {OWN} as reserved, from {OURS}"),
        (WHOLE[:1], E.NO_OFFER, "whether its rack answers"),
        (WHOLE[:2], E.GAVE_UP, "sent no further request"),
        (WHOLE[:3], E.NO_ANSWER, "got no answer"),
        ((*WHOLE[:2], said(K.REQUEST, 2, "10.0.0.9", THEIRS)), E.CHOSE_OTHER, "another server"),
        ((*WHOLE[:3], said(K.ACK, 2, "10.0.0.9", THEIRS)), E.ACKNOWLEDGED_BY_OTHER, "a foreign DHCP server"),
        ((*WHOLE[:3], said(K.NAK, 2, "", OURS, words="no")), E.REFUSED, "refused an address: no"),
        ((*WHOLE, said(K.DECLINE, 2, OWN, OURS)), E.DECLINED, "another device on the wire"),
        ((*WHOLE, said(K.RELEASE, 2, OWN, OURS)), E.RELEASED, "released 10.0.0.50"),
    ],
)
def test_where_it_stopped(messages: tuple[DhcpMessage, ...], end: ExchangeEnd, words: str) -> None:
    (found,) = told(world(), *messages)
    assert found.end is end
    assert words.replace("an address", str(found.ip or "an address")) in render_exchange(found)


@pytest.mark.parametrize(
    ("snapshot", "silence"),
    [
        (world(dhcp_on=False), Silence.NOT_SERVED),
        (world(), Silence.NO_ADDRESS),
        (world(ranges=(RANGE,), leased=True), Silence.RANGE_EXHAUSTED),
        (world(ranges=(RANGE,)), Silence.SERVER_SILENT),
    ],
)
def test_why_no_server_offered(snapshot: Snapshot, silence: Silence) -> None:
    (found,) = told(snapshot, WHOLE[0], reserved="")
    assert (found.end, found.silence) == (E.NO_OFFER, silence)
    assert render_exchange(found)


def test_firmware_and_system_are_attempts_of_their_own() -> None:
    later = tuple(replace(each, at=each.at + 5, transaction=2) for each in WHOLE)
    first, second = told(world(), *later, *WHOLE)
    assert [each.at for each in first.messages] == [each.at for each in WHOLE]
    assert second.messages == later


@given(st.lists(st.tuples(st.sampled_from(MessageKind), st.floats(0, 100), st.integers(1, 3)), max_size=20))
def test_every_message_is_told_once_and_every_attempt_has_its_words(
    drawn: list[tuple[MessageKind, float, int]],
) -> None:
    messages = [said(kind, at, OWN, OURS, xid) for kind, at, xid in drawn]
    found = told(world(), *messages)
    assert sorted((m.at, m.kind) for each in found for m in each.messages) == sorted(
        (m.at, m.kind) for m in messages
    )
    assert all(render_exchange(each) for each in found)
