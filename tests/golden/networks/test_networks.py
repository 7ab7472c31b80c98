"""A host's libvirt networks, what is wrong with them, and their mending, word by word."""

import io
import sys
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from hostloom.model.ids import MacAddress
from hostloom.model.network_fix import LibvirtLease
from hostloom.model.node import BridgeKind, InterfaceKind
from hostloom.model.observed import ObservedLink
from support.little_world import URIS, libvirts_dhcp_on_an_unserved_vlan, little_world
from support.server import serving
from support.stories import at_home, retell

STORY = Path(__file__).parent / "networks.txt"


def test_the_story_is_told_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(tmp_path, monkeypatch)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    written = STORY.read_text(encoding="utf-8")
    world = little_world(tmp_path, hosts_there=1)
    seen = world.scanner.networks[URIS[0]]
    nat = ObservedLink(
        "virbr0", InterfaceKind.BRIDGE, None, True, True, 1500, bridge_kind=BridgeKind.STANDARD
    )
    world.scanner.networks[URIS[0]] = replace(seen, links=(*seen.links, nat))
    libvirts_dhcp_on_an_unserved_vlan(world)
    lease = LibvirtLease(MacAddress("52:54:00:00:00:77"), ip_address("10.0.0.77"), "printer", 1_800_003_600.0)
    world.hypervisors.of("kvm1", URIS[0]).leases["maas"] = (lease,)
    with serving(tmp_path, world.ports, worker=True):
        told = retell(STORY, monkeypatch)
    world.ports.store.close()
    assert told == written
