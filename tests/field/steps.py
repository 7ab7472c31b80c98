"""The steps of a field case: what each does, and what it may expect."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from field.estate import Document, Estate, Outcome
from support.server import KEY


@dataclass(frozen=True)
class Check:
    """One expectation and what came of it."""

    subject: str
    expected: Any
    actual: Any

    @property
    def is_met(self) -> bool:
        return bool(self.expected == self.actual)

    def __str__(self) -> str:
        mark = "ok   " if self.is_met else "FAULT"
        return f"{mark} {self.subject}: expected {self.expected!r}, found {self.actual!r}"


Checks = Iterator[Check]


def run_step(estate: Estate, step: Document) -> Checks:
    """Do one step and compare what comes of it; unknown steps and expectations are errors of the case."""
    return STEPS[step["do"]](estate, step, step.get("expect", {}))


# -- hosts ---------------------------------------------------------------------------------------------


def add(estate: Estate, step: Document, expect: Document) -> Checks:
    """`add`: a host by its address or URI."""
    name = step["name"]
    uri = step.get("uri") or f"qemu+ssh://root@{step['address']}/system"
    body = {"name": name, "uri": uri, "accept_key": KEY.fingerprint, **step.get("options", {})}
    yield from _outcome(f"add {name}", estate.finish(estate.api.post("/hosts", json=body)), expect)


def refresh(estate: Estate, step: Document, expect: Document) -> Checks:
    """`refresh`: read a host again."""
    name = step["name"]
    yield from _outcome(f"refresh {name}", estate.finish(estate.api.post(f"/hosts/{name}/refresh")), expect)


def _outcome(subject: str, outcome: Outcome, expect: Document) -> Checks:
    for key, value in expect.items():
        if key == "state":
            yield Check(f"{subject} ({outcome.detail[:160]})", value, outcome.state)
        elif key == "error_has":
            yield Check(f"the error of {subject} names {value!r}", True, value in outcome.detail)
        elif key == "error_lacks":
            yield Check(f"the error of {subject} says {value!r}", False, value in outcome.detail)
        else:
            raise KeyError(key)


def change(estate: Estate, step: Document, _expect: Document) -> Checks:
    """`change`: hosts show something else from now on."""
    for document in step["hosts"]:
        estate.change(document)
    yield from ()


def wait(_estate: Estate, step: Document, _expect: Document) -> Checks:
    """`wait`: so many seconds pass."""
    time.sleep(step["seconds"])
    yield from ()


def host(estate: Estate, step: Document, expect: Document) -> Checks:
    """`host`: what the API shows of a host and its node."""
    name = step["name"]
    document, interfaces = estate.node_of(name)
    correlation = document.get("correlation") or {}
    for key, value in expect.items():
        yield Check(f"{key} of {name}", value, _host_fact(key, value, document, correlation, interfaces))


def _host_fact(
    key: str, value: Any, document: Document, correlation: Document, interfaces: dict[str, Document]
) -> Any:
    facts: dict[str, Callable[[], Any]] = {
        "node": lambda: correlation.get("node"),
        "state": lambda: correlation.get("state"),
        "interfaces": lambda: sorted(interfaces),
        "memory_used": lambda: document["memory_mib_used"],
        "reachable": lambda: document["reachable"],
        "unreadable": lambda: sorted(finding["part"] for finding in document["findings"]),
        "macs": lambda: {nic: interfaces.get(nic, {}).get("mac") for nic in value},
        "vlans": lambda: {nic: bool(interfaces.get(nic, {}).get("vlan")) for nic in value},
        "vids": lambda: {nic: _vid(interfaces.get(nic, {}).get("vlan")) for nic in value},
        "parents": lambda: {nic: interfaces.get(nic, {}).get("parents") for nic in value},
    }
    return facts[key]()


def _vid(vlan: str | None) -> int | None:
    return int(vlan.split("/")[-1]) if vlan else None


# -- networks ------------------------------------------------------------------------------------------


def same_vlan(estate: Estate, step: Document, expect: Document) -> Checks:
    """`same_vlan`: whether interfaces of hosts, as [HOST, NIC], are on one VLAN."""
    vlans = {estate.node_of(name)[1].get(nic, {}).get("vlan") for name, nic in step["of"]}
    yield Check(f"{step['of']} are on one VLAN", expect["same"], len(vlans) == 1 and None not in vlans)


def subnet(estate: Estate, step: Document, expect: Document) -> Checks:
    """`subnet`: what the API shows of a subnet; `mtu` is that of its VLAN."""
    document = _subnet(estate, step["cidr"]) or {}
    for key, value in expect.items():
        if key == "mtu":
            shown = estate.api.get(f"/vlans/{document['vlan'].replace('/', '%2F')}").json().get("mtu")
        else:
            shown = document.get(key)
        yield Check(f"{key} of {step['cidr']}", value, shown)


def make_subnet(estate: Estate, step: Document, _expect: Document) -> Checks:
    """`make_subnet`: on a VLAN, or on that of the first subnet."""
    vlan = step.get("vlan") or estate.items("/subnets")[0]["vlan"]
    created = estate.api.post("/subnets", json={"cidr": step["cidr"], "vlan": vlan})
    yield Check(f"subnet {step['cidr']} is made", 201, created.status_code)


def _subnet(estate: Estate, cidr: str) -> Document | None:
    return next((item for item in estate.items("/subnets") if item["cidr"] == cidr), None)


# -- machines ------------------------------------------------------------------------------------------


def plan(estate: Estate, step: Document, expect: Document) -> Checks:
    """`plan`: what would be composed for a request."""
    response = estate.api.post("/plans", json={"machines": [step["request"]]})
    document = response.json()
    is_refused = response.is_error
    machine = {} if is_refused else (document.get("plans") or document.get("machines") or [document])[0]
    nics = machine.get("interfaces", [])
    detail = f"plan {step['request']} ({document.get('detail', '') if is_refused else nics})"
    for key, value in expect.items():
        yield from _plan_check(estate, key, value, machine, is_refused, detail)


def _plan_check(
    estate: Estate, key: str, value: Any, machine: Document, is_refused: bool, detail: str
) -> Checks:
    nics, disks = machine.get("interfaces", []), machine.get("disks", [])
    sources = [nic["source"] for nic in nics]
    vlans = [nic.get("vlan") for nic in nics]
    ips = [ip for nic in nics for ip in nic.get("ips") or []]
    pools = [disk["pool"] for disk in disks]
    if key == "refused":
        yield Check(f"{detail} is refused", value, is_refused)
    elif key == "vlan_is_not_that_of":
        wrong = (_subnet(estate, value) or {}).get("vlan")
        yield Check(f"{detail} is on the VLAN of {value}", False, not is_refused and vlans[:1] == [wrong])
    elif key in ("not_sources", "not_ips", "not_pools"):
        taken = {"not_sources": sources, "not_ips": ips, "not_pools": pools}[key]
        yield Check(f"{detail} takes one of {value}", False, any(item in value for item in taken))
    else:
        warnings = [warning["code"] for warning in machine.get("warnings", [])]
        shown = {"sources": sources, "vlans": vlans, "ips": ips, "pools": pools, "warnings": warnings}
        yield Check(f"{key} of {detail}", value, shown[key])


def compose(estate: Estate, step: Document, expect: Document) -> Checks:
    """`compose`: make a machine."""
    outcome = estate.finish(estate.api.post("/machines", json=step["request"]))
    yield from _outcome(f"compose {step['request']}", outcome, expect)


def delete(estate: Estate, step: Document, expect: Document) -> Checks:
    """`delete`: `path` below the API's root, such as /machines/web."""
    yield from _outcome(f"delete {step['path']}", estate.finish(estate.api.delete(step["path"])), expect)


def machines(estate: Estate, step: Document, expect: Document) -> Checks:
    """`machines`: what the API shows of the machines, or of those of a host."""
    documents = {
        machine["hostname"]: machine
        for machine in estate.items("/machines")
        if step.get("host") in (None, machine.get("host"))
    }
    for key, value in expect.items():
        if key == "names":
            yield Check("names of machines", sorted(value), sorted(documents))
        else:
            shown = {name: _machine_fact(key, documents.get(name, {})) for name in value}
            yield Check(f"{key} of machines", value, shown)


def _machine_fact(key: str, machine: Document) -> Any:
    facts: dict[str, Callable[[], Any]] = {
        "macs": lambda: sorted(nic["mac"] for nic in machine.get("interfaces", [])),
        "memory": lambda: machine.get("memory_mib"),
        "hosts": lambda: machine.get("host"),
        "states": lambda: machine.get("state"),
        "disk_bytes": lambda: [bool(disk["size_bytes"]) for disk in machine.get("disks", [])],
    }
    return facts[key]()


# -- everything ----------------------------------------------------------------------------------------


def events(estate: Estate, _step: Document, expect: Document) -> Checks:
    """`events`: kinds of events that have or have not happened (`kinds`, `not_kinds`)."""
    kinds = {event["kind"] for event in estate.items("/events")}
    yield Check(
        f"events {expect.get('kinds', [])}", [], [k for k in expect.get("kinds", []) if k not in kinds]
    )
    yield Check("events that did not happen", [], [k for k in expect.get("not_kinds", []) if k in kinds])


def get(estate: Estate, step: Document, expect: Document) -> Checks:
    """`get`: parts of any document of the API, by `path`."""
    document = estate.api.get(step["path"]).json()
    for key, value in expect.items():
        yield Check(f"{key} of {step['path']}", value, document.get(key))


STEPS: dict[str, Callable[[Estate, Document, Document], Checks]] = {
    step.__name__: step
    for step in (
        *(add, refresh, change, wait, host, same_vlan, subnet, make_subnet),
        *(plan, compose, delete, machines, events, get),
    )
}
