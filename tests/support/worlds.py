"""World files for tests: read, and drawn."""

from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from hostloom.decide.world import World, read_world

ACCEPTANCE = Path(__file__).parents[1] / "acceptance"


def load(path: Path) -> World:
    """Read a world file."""
    return read_world(yaml.safe_load(path.read_text()))


def world(text: str) -> World:
    """Read a world from YAML in a test."""
    return read_world(yaml.safe_load(text))


SPACES = ("mgmt", "dmz", "lab")
VIDS = (0, 10, 20, 30)


@st.composite
def drawn_worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Worlds of one fabric with some VLANs, subnets and hosts of every kind, as documents."""
    vlans = [
        {"vid": vid, "space": draw(st.sampled_from((*SPACES, None))), "dhcp": draw(st.booleans())}
        for vid in VIDS
    ]
    subnets = [
        {"cidr": f"10.0.{vid}.0/{draw(st.sampled_from((24, 29, 30, 31)))}", "vlan": f"f/{vid}"}
        for vid in VIDS
        if draw(st.booleans())
    ]
    hosts = [_host(draw, number) for number in range(draw(st.integers(1, 4)))]
    return {"world": 1, "fabrics": [{"name": "f", "vlans": vlans}], "subnets": subnets, "hosts": hosts}


def _host(draw: st.DrawFn, number: int) -> dict[str, Any]:
    interfaces = [
        {
            "name": f"{kind[:2]}{index}",
            "type": kind,
            "vlan": draw(st.sampled_from((*(f"f/{vid}" for vid in VIDS), None))),
            "link": draw(st.sampled_from((True, True, True, False))),
            "tags": draw(st.lists(st.sampled_from(("a", "b")), unique=True)),
        }
        for index, kind in enumerate(
            draw(st.lists(st.sampled_from(("physical", "bridge", "bond")), min_size=1, max_size=6))
        )
    ]
    networks = [
        {
            "name": name,
            "active": draw(st.booleans()),
            "bridge": interfaces[0]["name"],
            "dhcp": draw(st.booleans()),
        }
        for name in draw(st.lists(st.sampled_from(("maas", "default")), unique=True))
    ]
    return {
        "name": f"kvm{number}",
        "address": f"qemu+ssh://u@192.0.2.{number + 1}/system",
        "installed_by": draw(st.sampled_from(("hostloom", "manual", "unknown"))),
        "known": draw(st.sampled_from((True, True, False))),
        "default_macvlan_mode": draw(st.sampled_from((None, "private", "passthru"))),
        "cores": draw(st.integers(1, 8)),
        "interfaces": interfaces,
        "libvirt_networks": networks,
    }


TERMS = st.one_of(
    st.sampled_from(SPACES).map("space={}".format),
    st.sampled_from(VIDS).map("vid={}".format),
    st.sampled_from(VIDS).map("not_vid={}".format),
    st.sampled_from(("a", "b", "a&&b")).map("tag={}".format),
    st.sampled_from(("bridge", "macvlan")).map("attach={}".format),
    st.sampled_from(("private", "passthru")).map("macvlan_mode={}".format),
    st.sampled_from(("auto", "dhcp", "unconfigured")).map("mode={}".format),
    st.sampled_from(("10.0.0.2", "10.0.10.1", "10.0.20.3")).map("ip={}".format),
    st.just("attach=network"),
)


@st.composite
def drawn_requests(draw: st.DrawFn) -> dict[str, Any]:
    """Requests that may or may not fit into a drawn world."""
    labels = draw(st.lists(st.lists(TERMS, min_size=1, max_size=3, unique=True), max_size=4))
    request: dict[str, Any] = {
        "interfaces": ";".join(f"eth{number}:{','.join(terms)}" for number, terms in enumerate(labels)),
        "cores": draw(st.integers(1, 4)),
        "netboot": draw(st.booleans()),
    }
    if draw(st.booleans()):
        request["host"] = f"kvm{draw(st.integers(0, 4))}"
    return request
