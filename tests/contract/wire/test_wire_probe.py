"""What every probe of the wire does, in namespaces with real bridges, macvlans and DHCP servers."""

from ipaddress import ip_address

import pytest

from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.errors.outside import HostNotScannable, WireRefused
from hostloom.model.ids import MacAddress
from hostloom.ports.wire import NeighbourAnswer, ProbePoint, WireProbe

URI = "qemu+ssh://root@kvm/system"
BRIDGE = ProbePoint(URI, Attachment(AttachKind.BRIDGE, "br0"))
SERVER, TWIN, BARE = (MacAddress(f"02:00:00:00:00:{each}") for each in ("a0", "b0", "a1"))


def beside(source: str, mode: MacvlanMode = MacvlanMode.BRIDGE) -> ProbePoint:
    return ProbePoint(URI, Attachment(AttachKind.MACVLAN, source, mode))


def test_a_server_offers_without_a_lease_being_taken(probe: WireProbe) -> None:
    (offer,) = probe.dhcp_servers(BRIDGE, 4, 4.5)
    assert (str(offer.server), offer.mac, str(offer.gateway)) == ("10.9.0.1", SERVER, "10.9.0.1")
    assert offer.ip is not None
    assert ip_address("10.9.0.50") <= offer.ip <= ip_address("10.9.0.60")
    assert offer.lease_time_s == 3600


def test_a_server_of_ipv6_advertises(probe: WireProbe) -> None:
    (offer,) = probe.dhcp_servers(BRIDGE, 6, 2)
    # dnsmasq answers from one of its addresses now, from the other one then
    assert str(offer.server) in ("fe80::ff:fe00:a0", "fd09::1")
    assert (offer.mac, offer.gateway) == (SERVER, None)
    assert offer.ip is not None
    assert ip_address("fd09::50") <= offer.ip <= ip_address("fd09::60")


@pytest.mark.parametrize("mode", list(MacvlanMode))
def test_without_a_server_no_offer_arrives(probe: WireProbe, mode: MacvlanMode) -> None:
    assert probe.dhcp_servers(beside("eth1", mode), 4, 0.3) == []


def test_who_has_each_address_all_at_once_and_who_has_it_twice(probe: WireProbe) -> None:
    targets = [ip_address(each) for each in ("10.9.0.7", "10.9.0.1", "10.9.0.9", "fd09::1", "fd09::9")]
    assert list(probe.reach(BRIDGE, targets, timeout_s=0.5)) == [
        NeighbourAnswer(targets[0], (SERVER, TWIN)),
        NeighbourAnswer(targets[1], (SERVER,)),
        NeighbourAnswer(targets[2], ()),
        NeighbourAnswer(targets[3], (SERVER,)),
        NeighbourAnswer(targets[4], ()),
    ]


def test_how_long_frames_may_be(probe: WireProbe) -> None:
    targets = [ip_address(each) for each in ("10.9.0.1", "fd09::1", "10.9.0.9")]
    assert [each.mtu for each in probe.reach(BRIDGE, targets, 1500, 0.4)] == [1500, 1500, None]
    (bare,) = probe.reach(beside("eth1"), [ip_address("10.9.1.1")], 1500, 0.4)
    assert bare == NeighbourAnswer(ip_address("10.9.1.1"), (BARE,), 1500)


@pytest.mark.parametrize(
    ("point", "cause"),
    [
        (beside("eth9"), "this interface does not exist"),
        (beside("eth0"), "it is held by br0"),
        (beside("eth2"), "it has no carrier"),
        (ProbePoint(URI, Attachment(AttachKind.NETWORK, "default")), "it is a libvirt network"),
    ],
)
def test_a_refused_probe_has_a_reason(probe: WireProbe, point: ProbePoint, cause: str) -> None:
    with pytest.raises(WireRefused, match=cause):
        probe.reach(point, [ip_address("10.9.0.1")])


def test_without_a_way_to_the_host_nothing_is_asked(probe: WireProbe) -> None:
    point = ProbePoint("qemu+tls://elsewhere/system", BRIDGE.attachment)
    with pytest.raises(HostNotScannable):
        probe.dhcp_servers(point)
