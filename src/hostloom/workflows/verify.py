"""Verify: are machines attached as was planned?"""

from collections.abc import Iterable
from dataclasses import dataclass

from hostloom.model.attachment import AttachKind
from hostloom.model.errors import HostNotScannable, HypervisorRejected
from hostloom.model.host import Host
from hostloom.model.machine import Machine, MachineInterface, PowerState
from hostloom.model.observed import ObservedInterface, ObservedLink
from hostloom.ports import Ports


@dataclass(frozen=True)
class Verified:
    """What was seen, one line a NIC."""

    evidence: tuple[str, ...]


def verify_machines(ports: Ports, host: Host, machines: Iterable[Machine]) -> list[str]:
    """Compare machines with their records, a line a NIC; HypervisorRejected names the first difference."""
    hypervisor = ports.hypervisors.of(host.name, host.uri)
    links: dict[str, ObservedLink] | None = None
    evidence = []
    for machine in machines:
        seen = hypervisor.find_machine(machine.uuid)
        if seen is None:
            raise HypervisorRejected(host.name, f"verify machine {machine.hostname}", "it is not there")
        running = seen.power is PowerState.ON
        if running and links is None:
            # Read once, after the last machine was started: all taps are there by now.
            links = _links(ports, host.uri)
        found = {each.mac: each for each in seen.interfaces}
        evidence += [
            _verify_nic(host, machine, wanted, found.get(wanted.mac), links if running else None)
            for wanted in machine.interfaces
        ]
    return evidence


def _verify_nic(
    host: Host,
    machine: Machine,
    wanted: MachineInterface,
    found: ObservedInterface | None,
    links: dict[str, ObservedLink] | None,
) -> str:
    difference = _difference(wanted, found, links or {}, running=links is not None)
    if difference or found is None:
        action = f"verify NIC {wanted.name} of machine {machine.hostname}"
        raise HypervisorRejected(host.name, action, difference)
    where = f"{wanted.attachment.kind} {wanted.attachment.source} by {found.target or 'not running'}"
    return f"{machine.hostname} {wanted.name}: {where}"


def _links(ports: Ports, uri: str) -> dict[str, ObservedLink]:
    try:
        return {each.name: each for each in ports.scanner.scan(uri).links}
    except HostNotScannable:
        return {}


def _difference(
    wanted: MachineInterface,
    found: ObservedInterface | None,
    links: dict[str, ObservedLink],
    *,
    running: bool,
) -> str:
    """The first difference in words; empty when there is none."""
    if found is None:
        return f"no NIC has the MAC {wanted.mac}"
    if found.attachment is None or _key(wanted) != (found.attachment.kind, found.attachment.source):
        return f"it is attached to {found.attachment}, not to {wanted.attachment}"
    if wanted.attachment.mode is not found.attachment.mode:
        return f"its macvlan mode is {found.attachment.mode}, not {wanted.attachment.mode}"
    if running and links and wanted.attachment.kind is AttachKind.BRIDGE:
        link = links.get(found.target)
        if link is None or link.master != wanted.attachment.source:
            there = "missing" if link is None else f"a port of {link.master or 'nothing'}"
            return f"its tap {found.target!r} is {there}, not a port of {wanted.attachment.source}"
    return ""


def _key(wanted: MachineInterface) -> tuple[AttachKind, str]:
    return wanted.attachment.kind, wanted.attachment.source
