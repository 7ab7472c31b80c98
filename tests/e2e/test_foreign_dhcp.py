"""A second DHCP server that is started while a machine boots: seen, warned of, and gone when it goes."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from support.rig import Rig
from support.wires import dnsmasq

VLAN = "physical/10"


@contextlib.contextmanager
def second_server(rig: Rig, directory: Path) -> Iterator[str]:
    """On the switch, in the segment mgmt; its address."""
    plan = rig.lab.plan
    segment = plan.segment("mgmt")
    own, first, last = (segment.network_address + each for each in (66, 240, 249))
    address = ["dev", "mgmt"]
    change = ["ip", "-n", plan.switch, "addr"]
    subprocess.run([*change, "add", f"{own}/{segment.prefixlen}", *address], check=True)
    try:
        with dnsmasq(plan.switch, "mgmt", directory, f"{first},{last},1h"):
            yield str(own)
    finally:
        subprocess.run([*change, "del", f"{own}/{segment.prefixlen}", *address], check=True)


def told(rig: Rig) -> list[str]:
    """Kinds of events about DHCP of others on the VLAN, newest first."""
    found = [each for each in rig.list("event") if each["subject"] == f"vlan {VLAN}"]
    return [each["kind"] for each in found if each["kind"].startswith("foreign-dhcp")]


def test_a_second_server_that_is_started_during_a_boot(clean: Rig, tmp_path: Path) -> None:
    assert clean.get("vlan", "probe", VLAN)["foreign"] == []
    clean.compose("booting", "eth0:space=mgmt")
    with second_server(clean, tmp_path) as server:
        found = clean.get("vlan", "probe", VLAN)
        assert found["trouble"] == ""
        (foreign,) = found["foreign"]
        assert foreign["server"] == server
        assert foreign["first_offered"] is not None
        assert foreign["seen_from"].endswith(" of " + found["seen_from"].rpartition(" of ")[2])
        assert clean.get("vlan", "show", VLAN)["foreign_dhcp"] == [server]
        assert server in clean.run("vlan", "list")
        planned = clean.run("machine", "plan", "--interfaces", "eth0:space=mgmt", "--explain")
        assert f"eth0 is on a VLAN with foreign DHCP servers: {server}" in planned
        assert told(clean)[0] == "foreign-dhcp"
    assert clean.get("vlan", "probe", VLAN)["foreign"] == []
    assert told(clean)[:2] == ["foreign-dhcp-gone", "foreign-dhcp"]
    assert "foreign DHCP servers" not in clean.run("machine", "plan", "--interfaces", "eth0:space=mgmt")


def test_our_own_server_answers_where_it_has_a_range(clean: Rig) -> None:
    segment = clean.lab.plan.segment("dmz")
    assert clean.get("vlan", "probe", "physical/20")["ours_answered"] is None
    first, last = (str(segment.network_address + each) for each in (200, 220))
    made = clean.get("range", "create", str(segment), "--kind", "dynamic", "--start", first, "--end", last)
    try:
        found = clean.get("vlan", "probe", "physical/20")
        assert (found["ours_answered"], found["foreign"]) == (True, [])
    finally:
        clean.run("range", "delete", str(made["id"]), "--yes")
