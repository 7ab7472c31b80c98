"""What every DhcpServer does: all of an intent or nothing of it, and no lease in a machine's way."""

import time
from ipaddress import ip_address

import pytest

from contract.dhcp.conftest import Subject
from hostloom.model.dhcp import DhcpSubnet, Lease
from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable
from hostloom.model.ids import MacAddress, SubnetId
from support.dhcp_intents import DB, WEB, a_pool, a_reservation, a_subnet, a_subnet6, an_intent

ONE = an_intent(a_subnet(a_reservation(WEB, "10.77.10.50")))


def a_lease(ip: str, mac: MacAddress = WEB, subnet: int = 10) -> Lease:
    return Lease(ip_address(ip), mac, "web1", SubnetId(subnet), float(int(time.time()) + 600))


def test_the_last_intent_is_all_that_it_serves(subject: Subject) -> None:
    subject.server.apply(ONE)
    assert subject.reserved() == {"10.77.10.50"}
    subject.server.apply(an_intent(a_subnet(a_reservation(DB, "10.77.10.51"))))
    assert subject.reserved() == {"10.77.10.51"}
    subject.server.apply(an_intent())
    assert subject.reserved() == set()


def test_twice_is_once(subject: Subject) -> None:
    subject.server.apply(ONE)
    subject.server.apply(ONE)
    assert subject.reserved() == {"10.77.10.50"}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(a_subnet(a_reservation(WEB, "10.77.99.50")), id="address outside"),
        pytest.param(
            a_subnet(a_reservation(WEB, "10.77.10.50"), a_reservation(WEB, "10.77.10.51")), id="MAC twice"
        ),
        pytest.param(
            a_subnet(a_reservation(WEB, "10.77.10.50"), a_reservation(DB, "10.77.10.50")), id="address twice"
        ),
        pytest.param(a_subnet(pools=(a_pool("10.77.99.1", "10.77.99.9"),)), id="pool outside"),
    ],
)
def test_what_it_refuses_changes_nothing(subject: Subject, wrong: DhcpSubnet) -> None:
    subject.server.apply(ONE)
    with pytest.raises(DhcpRejected, match=r"refused the configuration: .*(10\.77|52:54)"):
        subject.server.apply(an_intent(wrong))
    assert subject.reserved() == {"10.77.10.50"}
    subject.server.apply(an_intent())
    assert subject.reserved() == set()


def test_one_bad_subnet_keeps_the_good_ones_out_too(subject: Subject) -> None:
    good, bad = (
        a_subnet(a_reservation(WEB, "10.77.10.50")),
        a_subnet(a_reservation(WEB, "10.9.9.9"), number=20),
    )
    with pytest.raises(DhcpRejected):
        subject.server.apply(an_intent(good, bad))
    assert subject.reserved() == set()


def test_both_families_are_served_and_each_is_taken_back(subject: Subject) -> None:
    six = a_subnet6(
        a_reservation(WEB, "2001:db8:77:10::50"),
        a_reservation(WEB, "2001:db8:77:10::51"),
        a_reservation(DB, "2001:db8:77:10::52"),
    )
    subject.server.apply(an_intent(six, *ONE.subnets))
    assert subject.reserved() == {"10.77.10.50", *(f"2001:db8:77:10::{n}" for n in (50, 51, 52))}
    subject.server.apply(an_intent(six))
    assert len(subject.reserved()) == 3
    subject.server.apply(ONE)
    assert subject.reserved() == {"10.77.10.50"}


def test_a_bad_subnet_of_one_family_keeps_the_other_out_too(subject: Subject) -> None:
    wrong = a_subnet6(pools=(a_pool("2001:db8:99::1", "2001:db8:99::9"),))
    with pytest.raises(DhcpRejected, match="2001:db8:"):
        subject.server.apply(an_intent(*ONE.subnets, wrong))
    assert subject.reserved() == set()


def test_a_lease_of_ipv6_goes_when_its_address_is_another_machines(subject: Subject) -> None:
    ip = "2001:db8:77:10::50"
    subject.server.apply(an_intent(a_subnet6(a_reservation(WEB, ip))))
    lease = a_lease(ip, WEB, 610)
    subject.lease(lease)
    assert list(subject.server.leases()) == [lease]
    subject.server.apply(an_intent(a_subnet6(a_reservation(DB, ip))))
    assert list(subject.server.leases()) == []


def test_leases_are_listed_by_address(subject: Subject) -> None:
    subject.server.apply(ONE)
    assert list(subject.server.leases()) == []
    some = [a_lease("10.77.10.120", DB), a_lease("10.77.10.50")]
    for each in some:
        subject.lease(each)
    assert list(subject.server.leases()) == some[::-1]


def test_a_lease_goes_when_its_address_is_another_machines(subject: Subject) -> None:
    subject.server.apply(ONE)
    subject.lease(a_lease("10.77.10.50", WEB))
    subject.server.apply(an_intent(a_subnet(a_reservation(DB, "10.77.10.50"))))
    assert list(subject.server.leases()) == []


def test_a_lease_goes_with_its_machine_or_its_subnet(subject: Subject) -> None:
    both = an_intent(*ONE.subnets, a_subnet(number=20, interface="eth1"))
    subject.server.apply(both)
    subject.lease(a_lease("10.77.10.50"))
    subject.lease(a_lease("10.77.20.120", DB, 20))
    subject.server.apply(an_intent(a_subnet()))
    assert list(subject.server.leases()) == []


def test_a_lease_stays_where_it_is_due(subject: Subject) -> None:
    due = [a_lease("10.77.10.50", WEB), a_lease("10.77.10.120", DB)]
    subject.server.apply(ONE)
    for each in due:
        subject.lease(each)
    more = a_subnet(
        a_reservation(WEB, "10.77.10.50"), a_reservation(MacAddress("52:54:00:00:00:03"), "10.77.10.51")
    )
    subject.server.apply(an_intent(more))
    assert list(subject.server.leases()) == due


def test_the_pulse_changes_with_leases_and_not_by_itself(subject: Subject) -> None:
    subject.server.apply(ONE)
    before = subject.server.pulse()
    assert subject.server.pulse() == before
    subject.take()
    after = subject.server.pulse()
    assert (after.processes, after == before) == (before.processes, False)
    subject.take()
    assert subject.server.pulse() == after


def test_a_server_that_is_gone_is_unreachable(subject: Subject) -> None:
    assert subject.server.is_alive()
    subject.stop()
    assert not subject.server.is_alive()
    with pytest.raises(DhcpUnreachable):
        subject.server.apply(ONE)
    with pytest.raises(DhcpUnreachable):
        subject.server.leases()
    with pytest.raises(DhcpUnreachable):
        subject.server.pulse()


def test_it_tells_what_it_is_and_what_it_runs(subject: Subject) -> None:
    subject.server.apply(ONE)
    status = subject.server.status()
    assert status.trouble == ""
    assert [version for version, _ in status.versions] == [4, 6]
    assert all(text[0].isdigit() for _, text in status.versions)
    assert status.ha_state == ""
    assert "10.77.10.0/24" in str(subject.server.running()["Dhcp4"])
    subject.stop()
    assert subject.server.status().trouble != ""
    with pytest.raises(DhcpUnreachable):
        subject.server.running()
