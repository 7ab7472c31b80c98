"""Verify: is the machine attached as it was planned?"""

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


def verify_machine(ports: Ports, host: Host, machine: Machine) -> Verified:
    """Compare the machine on its host with its record; HypervisorRejected names the first difference."""
    seen = ports.hypervisors.of(host.name, host.uri).find_machine(machine.uuid)
    if seen is None:
        raise HypervisorRejected(host.name, f"verify machine {machine.hostname}", "it is not there")
    found = {each.mac: each for each in seen.interfaces}
    running = seen.power is PowerState.ON
    links = _links(ports, host.uri) if running else {}
    evidence = []
    for wanted in machine.interfaces:
        interface = found.get(wanted.mac)
        difference = _difference(wanted, interface, links, running=running)
        if difference or interface is None:
            action = f"verify NIC {wanted.name} of machine {machine.hostname}"
            raise HypervisorRejected(host.name, action, difference)
        target = interface.target or "not running"
        evidence.append(f"{wanted.name}: {wanted.attachment.kind} {wanted.attachment.source} by {target}")
    return Verified(tuple(evidence))


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
