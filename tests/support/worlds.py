"""World files for tests: read, and drawn."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from hostloom.model.reasons import RequestCode
from hostloom.simulation.world_file import WorldDocument, read_world

#: Written in C, if PyYAML was built with it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ACCEPTANCE = Path(__file__).parents[1] / "acceptance"
#: Codes of a disk image and the machine that it is for; world files have no disk images.
IMAGE_CODES = frozenset(
    {
        RequestCode.IMAGE_ARCHITECTURE,
        RequestCode.IMAGE_BOOT_MODE,
        RequestCode.IMAGE_TOO_LARGE,
        RequestCode.IMAGE_WITHOUT_CLOUD_INIT,
        RequestCode.IMAGE_WITHOUT_KVM,
        RequestCode.IMAGE_MEMORY,
        RequestCode.UNKNOWN_DISK,
        RequestCode.NO_DISK_FITS,
    }
)


def load(path: Path) -> WorldDocument:
    """Read a world file."""
    return read_world(_document(path))


@cache
def _document(path: Path) -> Any:
    """A file's YAML: tests are made for each case of each file, and parsing takes long."""
    return _parse(path.read_text())


def world(text: str) -> WorldDocument:
    """Read a world from YAML in a test."""
    return read_world(_parse(text))


def _parse(text: str) -> Any:
    return yaml.load(text, LOADER)  # noqa: S506  (it is a safe loader)


SPACES = ("mgmt", "dmz", "lab")
VIDS = (0, 10, 20, 30)
KINDS = ("physical", "physical", "bridge", "bond", "vlan", "loopback")


@st.composite
def drawn_worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Worlds of two fabrics with some VLANs, subnets and hosts of every kind, as documents."""
    fabrics = [
        {"name": "f", "vlans": [_vlan(draw, vid, VIDS[:number]) for number, vid in enumerate(VIDS)]},
        {"name": "g", "class": "fast", "vlans": [_vlan(draw, vid, ()) for vid in VIDS[:2]]},
    ]
    subnets = [_subnet(draw, f"10.0.{vid}.0", f"f/{vid}") for vid in VIDS if draw(st.booleans())]
    if draw(st.booleans()):
        subnets.append(_subnet(draw, "10.0.0.0", "g/0"))
    if draw(st.booleans()):
        cidr = draw(st.sampled_from(("2001:db8::/64", "2001:db8::/126", "2001:db8::/127", "2001:db8::/128")))
        subnets.append({"cidr": cidr, "vlan": draw(st.sampled_from(("f/0", "f/10", "g/10")))})
    hosts = [_host(draw, number) for number in range(draw(st.integers(1, 4)))]
    return {"world": 1, "fabrics": fabrics, "subnets": subnets, "hosts": hosts}


def _vlan(draw: st.DrawFn, vid: int, earlier: tuple[int, ...]) -> dict[str, Any]:
    found = {
        "vid": vid,
        "space": draw(st.sampled_from((*SPACES, None))),
        "dhcp": draw(st.sampled_from((True, False, False))),
    }
    if earlier and draw(st.sampled_from((False, False, True))):
        found["relay"] = f"f/{draw(st.sampled_from(earlier))}"
    return found


def _subnet(draw: st.DrawFn, network: str, vlan: str) -> dict[str, Any]:
    """Small ones are full soon; some have ranges, a gateway and addresses in use."""
    length = draw(st.sampled_from((24, 29, 30, 31, 32)))
    found: dict[str, Any] = {"cidr": f"{network}/{length}", "vlan": vlan, "managed": draw(st.booleans())}
    base = network.rpartition(".")[0]
    if length <= 29:
        spans = st.tuples(st.sampled_from(("dynamic", "reserved")), st.integers(0, 7), st.integers(0, 7))
        found["ranges"] = [
            {"type": kind, "start": f"{base}.{min(a, b)}", "end": f"{base}.{max(a, b)}"}
            for kind, a, b in draw(st.lists(spans, max_size=2))
        ]
        found["used"] = [f"{base}.{n}" for n in draw(st.lists(st.integers(1, 6), max_size=3, unique=True))]
        found["gateway"] = draw(st.sampled_from((None, f"{base}.1")))
    return found


def _host(draw: st.DrawFn, number: int) -> dict[str, Any]:
    interfaces: list[dict[str, Any]] = []
    for index, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6))):
        earlier = [each["name"] for each in interfaces]
        number_here = number * 10 + index + 1
        interfaces.append({"id": number_here} | _interface(draw, kind, index, earlier))
    bridges = [interfaces[0]["name"], "virbr0"]
    networks = [
        {
            "name": name,
            "active": draw(st.sampled_from((True, True, False))),
            "bridge": draw(st.sampled_from((*bridges, None))),
            "dhcp": draw(st.booleans()),
            "forward": draw(st.sampled_from(("nat", "route", "bridge", None))),
            "vid": draw(st.sampled_from((0, 0, 0, 10, 20, "trunk"))),
            "parents": draw(st.sampled_from(([], [], [], [bridges[0]]))),
            "passthrough": draw(st.booleans()),
        }
        for name in draw(st.lists(st.sampled_from(("maas", "default", "own")), unique=True))
    ]
    return {
        "name": f"kvm{number}",
        "address": f"qemu+ssh://u@192.0.2.{number + 1}/system",
        "installed_by": draw(st.sampled_from(("hostloom", "manual", "unknown"))),
        "known": draw(st.sampled_from((*[True] * 5, False))),
        "default_macvlan_mode": draw(st.sampled_from((None, None, "private", "passthru"))),
        "architectures": draw(st.sampled_from((["amd64"], ["amd64"], ["arm64", "amd64"], ["arm64"]))),
        "reachable": draw(st.sampled_from((*[True] * 7, False))),
        "cores": draw(st.sampled_from((16, 16, 16, 8, 2))),
        "memory_mib": draw(st.sampled_from((16384, 16384, 16384, 4096, 2048))),
        "cpu_over_commit_ratio": draw(st.sampled_from((1.0, 1.5))),
        "interfaces": interfaces,
        "libvirt_networks": networks,
        "storage_pools": _pools(draw),
        "machines": _machines(draw, number, [each["name"] for each in interfaces]),
    }


def _interface(draw: st.DrawFn, kind: str, index: int, earlier: list[str]) -> dict[str, Any]:
    found = {
        "name": f"{kind[:2]}{index}",
        "type": kind,
        "vlan": draw(st.sampled_from((*(f"f/{vid}" for vid in VIDS), "g/0", "g/10", None))),
        "link": draw(st.sampled_from((True, True, True, False))),
        "enabled": draw(st.sampled_from((True, True, True, True, False))),
        "tags": draw(st.lists(st.sampled_from(("a", "b")), unique=True)),
        "link_speed": draw(st.sampled_from((0, 1000, 10000))),
    }
    if kind != "physical" and earlier and draw(st.booleans()):
        found["parents"] = [draw(st.sampled_from(earlier))]
    if kind == "bridge":
        found["bridge_type"] = draw(st.sampled_from(("standard", "ovs")))
        if draw(st.sampled_from((True, False, False))):
            found["bridge_vlans"] = _bridge_vlans(draw)
    roles = ("container-bridge", "ovs-unreadable") if kind == "bridge" else ("wireless", "dsa-conduit")
    found["role"] = draw(st.sampled_from((*["ordinary"] * 6, *roles)))
    found["master"] = draw(st.sampled_from((*[""] * 8, "ovs-system", *earlier[:1])))
    return found


def _bridge_vlans(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "machines": draw(st.sampled_from((1, 0, 10, None))),
        "host": draw(st.sampled_from((1, 0, None))),
        "native": draw(st.sampled_from((1, 0, None))),
        "carried": draw(st.sampled_from((["1-4094"], [10], ["10-20"], []))),
        "read": draw(st.booleans()),
    }


def _pools(draw: st.DrawFn) -> list[dict[str, Any]]:
    sizes = draw(st.lists(st.sampled_from((1000, 1000, 20, 5)), min_size=1, max_size=3))
    return [
        {
            "name": f"pool{n}",
            "type": "dir",
            "total_gb": size,
            "free_gb": size,
            "default": n == 0 and draw(st.booleans()),
            "tags": draw(st.lists(st.sampled_from(("ssd", "local")), unique=True)),
        }
        for n, size in enumerate(sizes)
    ]


def _machines(draw: st.DrawFn, host: int, interfaces: list[str]) -> list[dict[str, Any]]:
    modes = st.lists(st.sampled_from(("bridge", "private", "passthru")), max_size=2)
    on_network = (
        [{"attach": "network", "source": "own"}] if draw(st.sampled_from((True, False, False))) else []
    )
    on_networks = [{"name": f"vm{host}-n", "memory_mib": 512, "interfaces": on_network}]
    return on_networks + [
        {
            "name": f"vm{host}-{n}",
            "memory_mib": 512,
            "interfaces": [{"attach": "macvlan", "source": draw(st.sampled_from(interfaces)), "mode": mode}],
        }
        for n, mode in enumerate(draw(modes))
    ]


TERMS = st.one_of(
    st.sampled_from(SPACES).map("space={}".format),
    st.sampled_from(SPACES).map("not_space={}".format),
    st.sampled_from(("f", "g")).map("fabric={}".format),
    st.sampled_from(VIDS).map("vid={}".format),
    st.sampled_from(VIDS).map("not_vid={}".format),
    st.sampled_from(("a", "b", "a&&b")).map("tag={}".format),
    st.sampled_from(("a", "b")).map("not_tag={}".format),
    st.sampled_from(KINDS).map("type={}".format),
    st.sampled_from((1000, 10000)).map("link_speed={}".format),
    st.sampled_from(("ph0", "br1", "bo0")).map("name={}".format),
    st.sampled_from(("ph0", "br1")).map("not_name={}".format),
    st.integers(1, 12).map("id={}".format),
    st.integers(1, 12).map("not_id={}".format),
    st.sampled_from(("kvm0", "kvm1")).map("hostname={}".format),
    st.just("not_hostname=kvm1"),
    st.just("fabric_class=fast"),
    st.sampled_from(("bridge", "macvlan")).map("attach={}".format),
    st.sampled_from(("private", "passthru")).map("macvlan_mode={}".format),
    st.sampled_from(("auto", "dhcp", "unconfigured")).map("mode={}".format),
    st.sampled_from(("10.0.0.2", "10.0.10.1", "10.0.20.3", "2001:db8::1")).map("ip={}".format),
    st.just("attach=network"),
    st.sampled_from(("own", "default")).map("attach=network,network={}".format),
)
#: Labels that many hosts can serve.
COMMON = st.sampled_from(
    (["not_vid=30"], ["not_name=lo"], ["space=mgmt"], ["vid=0"], ["fabric=f"], ["attach=bridge"])
)
DISKS = st.sampled_from(
    ("", "", "root:4", "root:4,data:4", "root:30", "a:4(ssd),b:4(pool1)", "root:4(local)")
)


@st.composite
def drawn_requests(draw: st.DrawFn) -> dict[str, Any]:
    """Requests that may or may not fit into a drawn world."""
    labels = draw(
        st.lists(st.one_of(COMMON, st.lists(TERMS, min_size=1, max_size=3, unique=True)), max_size=4)
    )
    request: dict[str, Any] = {
        "interfaces": ";".join(f"eth{number}:{','.join(terms)}" for number, terms in enumerate(labels)),
        "storage": draw(DISKS),
        "cores": draw(st.sampled_from((1, 1, 2, 4))),
        "netboot": draw(st.sampled_from((True, False, False))),
    }
    if draw(st.sampled_from((True, False, False))):
        request["host"] = f"kvm{draw(st.sampled_from((0, 0, 0, 1, 4)))}"
    if draw(st.sampled_from((*[False] * 5, True))):
        request["architecture"] = draw(st.sampled_from(("amd64/generic", "arm64")))
    return request


#: What several hosts of a drawn world can often serve.
EASY = st.sampled_from(
    (
        "",
        "eth0:not_name=lo",
        "eth0:not_vid=30;eth1:mode=dhcp",
        "eth0:attach=macvlan,macvlan_mode=passthru",
        "eth0:attach=macvlan",
        "eth0:not_vid=20",
        "eth0:fabric=f",
        "eth0:ip=10.0.0.2",
        "eth0:not_tag=a",
    )
)


@st.composite
def easy_requests(draw: st.DrawFn) -> dict[str, Any]:
    """Requests that fit somewhere more often than not, and fill hosts soon."""
    return {
        "interfaces": draw(EASY),
        "storage": draw(st.sampled_from(("root:2", "root:4", "root:3,data:2"))),
        "cores": draw(st.sampled_from((1, 2, 4, 7))),
        "memory_mib": draw(st.sampled_from((512, 1024, 4096, 6144))),
        "netboot": False,
    }
