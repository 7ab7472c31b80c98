"""An interface of the rack that goes away: the others are served, and it is again when it is back."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_address

import pytest

from contract.dhcp.conftest import both
from hostloom.model.errors.outside import DhcpRejected
from support.dhcp_intents import DB, WEB, a_pool, a_reservation, a_subnet, an_intent
from support.kea import Kea

pytestmark = pytest.mark.lab

FIRST = a_subnet(a_reservation(WEB, "10.77.10.50"))
SECOND = a_subnet(number=20, interface="eth1", pools=(a_pool("10.77.20.100", "10.77.20.110", 20),))


@contextmanager
def renamed(kea: Kea) -> Iterator[None]:
    """The rack's eth1 has another name for a while."""

    def rename(before: str, after: str) -> None:
        for words in ((before, "down"), (before, "name", after), (after, "up")):
            kea.run_rack(["ip", "link", "set", *words])

    rename("eth1", "gone1")
    try:
        yield
    finally:
        rename("gone1", "eth1")


def test_the_others_are_served_meanwhile_and_all_is_well_afterwards(kea: Kea) -> None:
    dhcp = both(kea)
    dhcp.apply(an_intent(FIRST, SECOND))
    changed = an_intent(a_subnet(a_reservation(WEB, "10.77.10.51")), SECOND)
    with renamed(kea):
        for _ in range(2):
            with pytest.raises(DhcpRejected, match="eth1"):
                dhcp.apply(changed)
            assert kea.address(WEB) == IPv4Address("10.77.10.50")
    dhcp.apply(changed)
    assert kea.address(WEB) == IPv4Address("10.77.10.51")
    given = kea.address(DB, "c1")
    assert given is not None
    assert given >= ip_address("10.77.20.100")


def test_one_that_comes_later_is_served_when_it_is_there(kea: Kea) -> None:
    dhcp = both(kea)
    with renamed(kea):
        with pytest.raises(DhcpRejected, match="eth1"):
            dhcp.apply(an_intent(FIRST, SECOND))
        dhcp.apply(an_intent(FIRST))
        assert kea.address(WEB) == IPv4Address("10.77.10.50")
    dhcp.apply(an_intent(FIRST, SECOND))
    assert kea.address(DB, "c1") is not None
