"""Every shape that MAAS's clients read, and every kind of refusal, body by body."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.server.secret import FileSecrets
from support.disk_images import a_disk_image
from support.little_world import little_world
from support.maas import Maas, make_key
from support.seeds import KEY
from support.server import NOON, CountedIds, serving

FOLDER = Path(__file__).parent
#: What is read, by the file that it is kept in.
READ = {
    "version": ("version/", {}),
    "whoami": ("users/", {"op": "whoami"}),
    "users": ("users/", {}),
    "vm-hosts": ("vm-hosts/", {}),
    "pods": ("pods/", {}),
    "parameters": ("pods/1/", {"op": "parameters"}),
    "machines": ("machines/", {}),
    "virtual-machines": ("virtual-machines/", {}),
    "fabrics": ("fabrics/", {}),
    "vlans": ("fabrics/f/vlans/", {}),
    "spaces": ("spaces/", {}),
    "subnets": ("subnets/", {}),
    "statistics": ("subnets/1/", {"op": "statistics", "include_ranges": "true"}),
    "ip_addresses": ("subnets/1/", {"op": "ip_addresses"}),
    "reserved_ip_ranges": ("subnets/1/", {"op": "reserved_ip_ranges"}),
    "unreserved_ip_ranges": ("subnets/1/", {"op": "unreserved_ip_ranges"}),
    "ipranges": ("ipranges/", {}),
    "ipaddresses": ("ipaddresses/", {"all": "true"}),
    "static-routes": ("static-routes/", {}),
    "zones": ("zones/", {}),
    "resourcepools": ("resourcepools/", {}),
    "domains": ("domains/", {}),
    "dnsresources": ("dnsresources/", {}),
    "tags": ("tags/", {}),
    "devices": ("devices/", {}),
    "rackcontrollers": ("rackcontrollers/", {}),
    "regioncontrollers": ("regioncontrollers/", {}),
    "events": ("events/", {"op": "query", "hostname": "vm1"}),
    "boot-resources": ("boot-resources/", {}),
    "sshkeys": ("account/prefs/sshkeys/", {}),
    "default_distro_series": ("maas/", {"op": "get_config", "name": "default_distro_series"}),
    "get_config": ("maas/", {"op": "get_config", "name": "default_osystem"}),
}
#: What is refused: method, path, fields and op.
REFUSED: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("GET", "nothing/", {}, ""),
    ("GET", "pods/99/", {}, ""),
    ("GET", "machines/nobody/", {}, ""),
    ("GET", "zones/moon/", {}, ""),
    ("POST", "fabrics/", {}, "nonsense"),
    ("POST", "pods/", {"type": "lxd", "power_address": "x"}, ""),
    ("POST", "pods/", {"type": "virsh"}, ""),
    ("PUT", "pods/1/", {"default_macvlan_mode": "funny"}, ""),
    ("PUT", "pods/1/", {"cpu_over_commit_ratio": "11"}, ""),
    ("PUT", "pods/1/", {"nonsense": "1"}, ""),
    ("POST", "pods/1/", {"interfaces": "eth0"}, "compose"),
    ("POST", "pods/1/", {"interfaces": "eth0:space=moon"}, "compose"),
    ("POST", "pods/1/", {"interfaces": "eth0:ip=10.0.0.50"}, "compose"),
    ("POST", "pods/1/", {"interfaces": "eth0:ip=192.0.2.1"}, "compose"),
    ("POST", "pods/1/", {"storage": "root:8(moon)"}, "compose"),
    ("POST", "pods/1/", {"memory": "99999999"}, "compose"),
    ("POST", "pods/1/", {"hostname": "vm1"}, "compose"),
    ("DELETE", "pods/1/", {}, ""),
    ("POST", "machines/", {"mem": "99999999"}, "allocate"),
    ("POST", "machines/", {"machines": "nobody"}, "release"),
    ("POST", "machines/n00004/", {"distro_series": "noble"}, "deploy"),
    ("POST", "machines/n00004/", {"distro_series": "debian/12", "user_data": "%"}, "deploy"),
    ("POST", "machines/n00004/", {"install_kvm": "true"}, "deploy"),
    ("POST", "machines/n00004/", {"bridge_all": "true"}, "deploy"),
    ("POST", "machines/n00004/", {}, "abort"),
    ("POST", "subnets/", {"cidr": "10.0.0.1/24"}, ""),
    ("POST", "ipranges/", {"type": "dynamic", "start_ip": "10.0.0.9", "end_ip": "10.0.0.2"}, ""),
    ("DELETE", "zones/default/", {}, ""),
    ("POST", "account/prefs/sshkeys/", {"key": "ssh-dss AAAA"}, ""),
    ("POST", "account/prefs/sshkeys/", {"keysource": "gh:ann"}, "import"),
    ("GET", "maas/", {"name": "moon"}, "get_config"),
)


@pytest.fixture
def maas(tmp_path: Path) -> Iterator[Maas]:
    world = little_world(tmp_path, hosts_there=1)
    ports = replace(world.ports, secrets=FileSecrets(tmp_path / "secret"), ids=CountedIds())
    try:
        with serving(tmp_path, ports, worker=True) as url:
            client = Maas(url, make_key(ports), world.clock.now())
            with ports.store.begin() as uow:
                subject = EventSubject(EventSubjectKind.MACHINE, "n00004", "vm1")
                text = "10.0.0.50 is leased"
                uow.events.add(Event(EventKind.LEASE_GIVEN, subject, text, world.clock.now()))
                uow.commit()
            with ports.store.begin() as uow:
                uow.disk_images.add(a_disk_image(imported_at=NOON))
                uow.commit()
            fill(client)
            yield client
    finally:
        world.ports.store.close()


def fill(maas: Maas) -> None:
    """One of everything."""
    maas.post("ipranges/", type="dynamic", start_ip="10.0.0.200", end_ip="10.0.0.220", comment="leases")
    other = maas.post("subnets/", cidr="fd00:1::/64", fabric="f", vid=10, allow_proxy="false")
    maas.post("static-routes/", source="10.0.0.0/24", destination=other["id"], gateway_ip="10.0.0.1")
    maas.post("ipaddresses/", "reserve", ip="10.0.0.99")
    maas.post("account/prefs/sshkeys/", key=KEY)
    maas.post("tags/", name="fast", comment="quick", kernel_opts="quiet")
    maas.post("devices/", mac_addresses="52:54:00:00:aa:01", hostname="printer")
    maas.put("pods/1/", default_macvlan_mode="bridge", cpu_over_commit_ratio="2", tags="fast")
    made = maas.post(
        "pods/1/",
        "compose",
        hostname="vm1",
        interfaces="eth0:space=mgmt,ip=10.0.0.50;eth1:space=mgmt,mode=unconfigured;eth2:space=mgmt,mode=dhcp",
        storage="root:8,data:4",
    )
    path, last = f"machines/{made['system_id']}/", time.monotonic() + 20
    while maas.get(path)["status_name"] != "Ready":
        assert time.monotonic() < last
        time.sleep(0.02)


def compare(name: str, told: str) -> None:
    file = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(told, encoding="utf-8")
    assert told == file.read_text(encoding="utf-8"), name


def test_what_is_read(maas: Maas) -> None:
    for name, (path, query) in READ.items():
        found: Any = maas.get(path, **query)
        if name == "events":
            # How many there are by now is no shape.
            found["events"] = [each for each in found["events"] if each["type"] == "Lease given"]
            found = {key: value for key, value in found.items() if key not in ("count", "next_uri")}
        compare(f"{name}.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def test_what_is_refused(maas: Maas) -> None:
    told = []
    for method, path, fields, op in REFUSED:
        query = {"op": op} if op else {}
        if method == "GET":
            found = maas.send(method, path, **query, **fields)
        else:
            found = maas.send(method, path, fields, **query)
        said = " ".join(f"{key}={value}" for key, value in {**query, **fields}.items())
        kind = found.headers["content-type"]
        told.append(f"{method} {path} {said}".rstrip() + f"\n{found.status_code} {kind}\n{found.text}\n")
    compare("refused.txt", "\n".join(told))
