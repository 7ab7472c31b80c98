"""The hosts of a field case behind a real server: its API, worker, store, parsers and libvirt's test driver.

A host is what the scan's script prints plus an XML of libvirt's test driver.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import libvirt

from hostloom.hostscan.commands import MARK
from hostloom.hostscan.parse import parse
from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.model.errors.outside import HostNotScannable
from hostloom.model.ids import SystemId
from hostloom.model.node import Node, NodeKind
from hostloom.model.observed import ObservedNetwork
from hostloom.ports.context import Ports
from hostloom.recording.controllers import ensure_local_rack
from hostloom.server.secret import FileSecrets
from hostloom.server.system import RandomIds, SystemClock
from hostloom.store.engine import open_store
from support.fake_dhcp import FakeServers
from support.fake_images import FakeImages
from support.near import Near
from support.server import HeldDhcp, LiteralResolver, MemoryKeys, serving
from support.template_database import copy_template

Document = dict[str, Any]

#: How long a pool hangs that is to hang, unless the case ends before.
HANG_S = 600.0
OPERATION_TIMEOUT_S = 120.0
NODE_XML = (
    "<node><cpu><mhz>2000</mhz><model>m</model><active>16</active><nodes>1</nodes><sockets>1</sockets>"
    "<cores>16</cores><threads>1</threads></cpu><memory>67108864</memory>{devices}</node>"
)
DEFAULT_POOL = (
    "<pool type='dir'><name>default</name><uuid>dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566</uuid>"
    "<capacity>1000000000000</capacity><allocation>0</allocation><available>1000000000000</available>"
    "<target><path>/var/lib/libvirt/images</path></target></pool>"
)
LOOPBACK = {
    "ifindex": 1,
    "ifname": "lo",
    "flags": ["LOOPBACK", "UP", "LOWER_UP"],
    "mtu": 65536,
    "link_type": "loopback",
    "address": "00:00:00:00:00:00",
    "addr_info": [],
}


@dataclass(frozen=True)
class Outcome:
    """How a request or its operation ended; `state` is the HTTP status where there was no operation."""

    state: str | int
    detail: str = ""


@dataclass
class CaseHosts:
    """What each host of a case shows, by its address; a step may change it."""

    directory: Path
    documents: dict[str, Document] = field(default_factory=dict)

    def put(self, document: Document) -> None:
        """Add a host, or change the parts of it that the document names."""
        address = document["address"]
        host = self.documents[address] = {**self.documents.get(address, {}), **document}
        libvirt_xml = host.get("libvirt", "")
        if not libvirt_xml.lstrip().startswith("<node"):
            pool = "" if "<pool" in libvirt_xml else DEFAULT_POOL
            libvirt_xml = NODE_XML.format(devices=libvirt_xml + pool)
        self.file(address).parent.mkdir(exist_ok=True)
        self.file(address).write_text(libvirt_xml)

    def file(self, address: str) -> Path:
        """The XML that libvirt's test driver reads."""
        return self.directory / address / "libvirt.xml"

    def libvirt_uri(self, uri: str) -> str:
        """What is opened in place of a host's URI."""
        return f"test://{self.file(str(urlsplit(uri).hostname))}"

    def scan(self, uri: str, deadline_s: float = 20.0) -> ObservedNetwork:
        """What the scan's script would print there, through the real parser."""
        address = str(urlsplit(uri).hostname)
        host = self.documents[address]
        if "links" not in host and "addr_text" not in host:
            raise HostNotScannable(uri)
        return parse(_scan_text(host), address)


def _scan_text(host: Document) -> str:
    links = [{**link, "ifindex": index} for index, link in enumerate([LOOPBACK, *host.get("links", [])], 1)]
    sections: dict[str, Any] = {
        "hostname": host.get("hostname", host["address"].replace(".", "-")),
        "ip": "/usr/sbin/ip",
        "addr": host.get("addr_text") or links,
        "route4": host.get("route4", []),
        "route6": host.get("route6", []),
        "speed": host.get("speed", ""),
        **{f"ovs-{table}": rows for table, rows in host.get("ovs", {}).items()},
        **host.get("sections", {}),
        "end": "",
    }
    return "".join(f"\n{MARK} {name}\n{_as_text(content)}" for name, content in sections.items()) + "\n"


def _as_text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content)


@dataclass
class Estate:
    """A case's hosts and the server that manages them."""

    hosts: CaseHosts
    hypervisors: LibvirtHypervisors
    api: httpx.Client

    def change(self, document: Document) -> None:
        """Change what a host shows; libvirt's test driver reads its file again."""
        self.hosts.put(document)
        self.hypervisors.forget(f"qemu+ssh://root@{document['address']}/system")

    def finish(self, response: httpx.Response) -> Outcome:
        """Wait for the operation that a request started."""
        document = response.json() if response.content else {}
        if response.status_code != httpx.codes.ACCEPTED:
            return Outcome(response.status_code, document.get("detail") or "")
        until = time.monotonic() + OPERATION_TIMEOUT_S
        while time.monotonic() < until:
            operation = self.api.get(f"/operations/{document['id']}").json()
            if operation.get("finished") or operation["state"] == "stuck":
                return Outcome(operation["state"], operation.get("error") or "")
            time.sleep(0.1)
        return Outcome("timeout")

    def node_of(self, host_name: str) -> tuple[Document, dict[str, Document]]:
        """A host's document, and the interfaces of its node by name."""
        host = self.api.get(f"/hosts/{host_name}").json()
        system_id = (host.get("correlation") or {}).get("system_id")
        node = self.api.get(f"/nodes/{system_id}").json() if system_id else {"interfaces": []}
        return host, {interface["name"]: interface for interface in node["interfaces"]}

    def items(self, path: str) -> list[Document]:
        """A whole list."""
        items: list[Document] = self.api.get(f"{path}?limit=500").json()["items"]
        return items


@contextmanager
def running_estate(case: Mapping[str, Any], directory: Path) -> Iterator[Estate]:
    """Serve the hosts of a case until the context ends."""
    hosts = CaseHosts(directory)
    for document in case["hosts"]:
        hosts.put(document)
    store = open_store(copy_template(directory / "hostloom.db"))
    hypervisors = LibvirtHypervisors(Near(hosts.libvirt_uri))
    ports = Ports(
        store=store,
        hypervisors=hypervisors,
        scanner=hosts,
        keys=MemoryKeys(),
        resolver=LiteralResolver(),
        dhcp=FakeServers(HeldDhcp()),
        clock=SystemClock(),
        ids=RandomIds(),
        images=FakeImages(),
        secrets=FileSecrets(directory / "secret"),
    )
    with store.begin() as uow:
        rack = uow.nodes.add(Node(SystemId("rack01"), "rack", NodeKind.RACK_CONTROLLER))
        uow.commit()
    ports = replace(ports, settings=replace(ports.settings, local=rack.system_id))
    ensure_local_rack(ports.store, rack.system_id)
    try:
        with _hanging_pool(case.get("hang_pool")), serving(directory, ports, worker=True):
            transport = httpx.HTTPTransport(uds=str(directory / "api.sock"), verify=False)
            with httpx.Client(transport=transport, base_url="http://hostloom/api/v1", timeout=120) as api:
                yield Estate(hosts, hypervisors, api)
    finally:
        hypervisors.close()
        store.close()


@contextmanager
def _hanging_pool(name: str | None) -> Iterator[None]:
    """Let the refresh of a pool hang as that of a share whose NFS server is gone."""
    if name is None:
        yield
        return
    over = threading.Event()
    refresh = libvirt.virStoragePool.refresh

    def hang(pool: Any, flags: int = 0) -> Any:
        return over.wait(HANG_S) if pool.name() == name else refresh(pool, flags)

    libvirt.virStoragePool.refresh = hang
    try:
        yield
    finally:
        libvirt.virStoragePool.refresh = refresh
        over.set()
