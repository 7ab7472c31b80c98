"""Who serves DHCP on a VLAN, asked of real servers."""

from support.rig import Rig


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
