"""A test sees what is new, and all that is not a reservation."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hostloom.dhcp.config import PATHS_6, KeaPaths, render, render6
from hostloom.dhcp.config_delta import only_new_reservations
from hostloom.model.dhcp import DhcpIntent
from support.dhcp_intents import DB, WEB, a_reservation, a_subnet, a_subnet6, an_intent


def rendered(intent: DhcpIntent) -> list[dict[str, object]]:
    return [render(intent, KeaPaths()), render6(intent, PATHS_6)]


def intent_of(few: set[int], *, shared: bool) -> DhcpIntent:
    reservations = [a_reservation(WEB if n % 2 else DB, f"10.77.10.{n}") for n in sorted(few)]
    six = [a_reservation(WEB if n % 2 else DB, f"2001:db8:77:10::{n:x}") for n in sorted(few)]
    subnets = [a_subnet(*reservations), a_subnet6(*six)]
    if shared:
        subnets += [a_subnet(number=20), a_subnet6(number=20)]
        subnets = [replace(each, vlan_id=1) for each in subnets]  # type: ignore[arg-type]  # any number will do
    return an_intent(*subnets)


FEW = st.sets(st.integers(2, 9), max_size=6)


@given(FEW, FEW, st.booleans())
def test_all_that_is_new_is_there_and_nothing_that_stands(
    before: set[int], after: set[int], shared: bool
) -> None:
    for taken, wanted in zip(
        rendered(intent_of(before, shared=shared)), rendered(intent_of(after, shared=shared)), strict=True
    ):
        assert only_new_reservations(wanted, None) is wanted
        found = str(only_new_reservations(wanted, taken))
        for n in after - before:
            for ip in (f"10.77.10.{n}'", f"2001:db8:77:10::{n:x}'"):
                assert (ip in found) is (ip in str(wanted))
        for n in before & after:
            # A client's IPv6 addresses are one reservation, an IPv4 address is one by itself.
            assert f"10.77.10.{n}'" not in found
        assert only_new_reservations(wanted, taken).keys() == wanted.keys()
        assert "'hostname'" not in str(only_new_reservations(wanted, wanted))
