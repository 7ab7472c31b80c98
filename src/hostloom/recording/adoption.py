"""Machines that hostloom did not create or move: their record follows what is seen, read-only."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from hostloom.decide.hosts.nic_vlans import vlan_of_nic
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.host import Host
from hostloom.model.ids import MacAddress, SystemId, VlanId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.network import Address, AddressKind
from hostloom.model.node import Node
from hostloom.model.observed import ObservedInterface, ObservedMachine
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.hostnames import hostnames, unused_hostname

#: Of an enlisted machine that turns out to run on a host, these stay as they are.
_KEPT = (
    "system_id",
    "hostname",
    "zone_id",
    "resource_pool_id",
    "tags",
    "owner",
    "locked",
    "generation",
)


class Adoption:
    """Makes the records of machines on one host from what one reading saw of them."""

    def __init__(
        self,
        uow: UnitOfWork,
        ports: Ports,
        host: Host,
        node: Node | None,
        seen: Iterable[ObservedMachine],
    ) -> None:
        self._uow, self._ports, self._host = uow, ports, host
        self._interfaces_by_name = {nic.name: nic for nic in (node.interfaces if node else ())}
        self._seen = tuple(seen)

    def adopt(self, seen: ObservedMachine) -> Machine:
        """Record one that is new, or that booted from the network before anybody knew where it runs."""
        enlisted = self._enlisted(seen)
        system_id = self._ports.ids.system_id() if enlisted is None else enlisted.system_id
        known = {} if enlisted is None else self._known_nics(enlisted)
        machine = Machine(
            system_id=system_id,
            hostname="" if enlisted else self._free_hostname(seen.name),
            uuid=seen.uuid,
            origin=MachineOrigin.ADOPTED,
            state=MachineState.DEPLOYED,
            host_id=self._host.id,
            architecture=seen.architecture,
            cores=seen.cores,
            memory_mib=seen.memory_mib,
            power=seen.power,
            interfaces=self._interfaces(seen, known, system_id),
            disks=seen.disks,
            netboot=False,
            autostart=bool(seen.autostart),
            domain_name=seen.name,
        )
        self._note(machine)
        if enlisted is None:
            return self._uow.machines.add(machine)
        machine = replace(machine, **{name: getattr(enlisted, name) for name in _KEPT})
        return self._uow.machines.update(machine)

    def read_again(self, machine: Machine, seen: ObservedMachine) -> Machine:
        """The record as the machine is now; its name follows libvirt's where that has changed."""
        known = {nic.mac: nic for nic in machine.interfaces}
        changed = replace(
            machine,
            architecture=seen.architecture,
            cores=seen.cores,
            memory_mib=seen.memory_mib,
            power=seen.power,
            interfaces=self._interfaces(seen, known, machine.system_id),
            disks=seen.disks,
            domain_name=seen.name,
        )
        if machine.domain_name not in ("", seen.name):
            changed = replace(changed, hostname=self._free_hostname(seen.name))
        self._note(changed)
        return changed

    def bring(self, machine: Machine, seen: ObservedMachine) -> Machine:
        """A machine of another host that is on this one now."""
        machine = replace(machine, host_id=self._host.id, power=seen.power, domain_name=seen.name)
        if machine.origin is MachineOrigin.ADOPTED:
            return self.read_again(machine, seen)
        there = {nic.mac: nic for nic in seen.interfaces}
        interfaces = tuple(self._attached(nic, there.get(nic.mac)) for nic in machine.interfaces)
        pools = {disk.volume.rpartition("/")[2]: disk.pool for disk in seen.disks}
        disks = tuple(replace(disk, pool=pools.get(disk.volume) or disk.pool) for disk in machine.disks)
        return replace(machine, interfaces=interfaces, disks=disks)

    def _attached(self, nic: MachineInterface, seen: ObservedInterface | None) -> MachineInterface:
        """The NIC as it meets this host; where its VLAN is not known, it is thought to have stayed."""
        if seen is None:
            return nic
        return replace(nic, attachment=seen.attachment, vlan_id=self._vlan_of(seen) or nic.vlan_id)

    def _vlan_of(self, nic: ObservedInterface) -> VlanId | None:
        return vlan_of_nic(self._snapshot, self._host, self._interfaces_by_name, nic)

    def _interfaces(
        self, seen: ObservedMachine, known: Mapping[MacAddress, MachineInterface], system_id: SystemId
    ) -> tuple[MachineInterface, ...]:
        """The NICs; a MAC that another machine has stays with that one."""
        nics = [nic for nic in seen.interfaces if not self._holders.get(nic.mac, set()) - {system_id}]
        return tuple(
            self._interface(nic, name, known.get(nic.mac))
            for nic, name in zip(nics, _names(nics, known), strict=True)
        )

    def _interface(
        self, nic: ObservedInterface, name: str, before: MachineInterface | None
    ) -> MachineInterface:
        attachment = nic.attachment
        vlan_id = self._vlan_of(nic)
        if before is None:
            return MachineInterface(name, nic.mac, attachment, vlan_id, model=nic.model)
        return replace(before, name=name, attachment=attachment, vlan_id=vlan_id, model=nic.model)

    # -- what is known already, read once for all machines of a reading -----------------------------------

    @cached_property
    def _snapshot(self) -> Snapshot:
        return self._uow.snapshot()

    @cached_property
    def _hostnames(self) -> set[str]:
        return hostnames(self._snapshot)

    @cached_property
    def _holders(self) -> dict[MacAddress, set[SystemId]]:
        """The machines that have the MACs which were seen."""
        return self._uow.machines.holders(self._macs)

    @cached_property
    def _macs(self) -> list[MacAddress]:
        return sorted({nic.mac for machine in self._seen for nic in machine.interfaces})

    @cached_property
    def _enlisted_keys(self) -> dict[str | MacAddress, SystemId]:
        """Enlisted machines by each UUID and MAC of theirs that was seen."""
        return self._uow.machines.enlisted_keys([machine.uuid for machine in self._seen], self._macs)

    def _free_hostname(self, wanted: str) -> str:
        hostname = unused_hostname(self._hostnames, wanted)
        self._hostnames.add(hostname)
        return hostname

    def _note(self, machine: Machine) -> None:
        for nic in machine.interfaces:
            self._holders.setdefault(nic.mac, set()).add(machine.system_id)

    def _enlisted(self, seen: ObservedMachine) -> Machine | None:
        """The enlisted machine that it is; a MAC that a machine on a host has tells nothing."""
        keys = [seen.uuid, *(nic.mac for nic in seen.interfaces if nic.mac not in self._holders)]
        system_id = next((self._enlisted_keys[key] for key in keys if key in self._enlisted_keys), None)
        if system_id is None:
            return None
        enlisted = self._uow.machines.get(system_id)
        return enlisted if enlisted.origin is MachineOrigin.ENLISTED else None

    def _known_nics(self, machine: Machine) -> dict[MacAddress, MachineInterface]:
        """Name and addresses of each NIC that its node was known by: it was imported, or had reported."""
        held: dict[str | None, list[Address]] = {}
        for address in self._snapshot.held_by_node.get(machine.system_id, ()):
            if address.kind in (AddressKind.AUTO, AddressKind.STATIC):
                held.setdefault(address.interface_name, []).append(address.ip)
        nowhere = Attachment(AttachKind.BRIDGE, "")
        return {
            nic.mac: MachineInterface(nic.name, nic.mac, nowhere, ips=tuple(held.get(nic.name, ())))
            for nic in self._uow.nodes.get(machine.system_id).interfaces
            if nic.mac is not None
        }


def _names(nics: Sequence[ObservedInterface], known: Mapping[MacAddress, MachineInterface]) -> Iterable[str]:
    """The names that are known; the other NICs are numbered, past those. Two NICs may have one MAC."""
    taken: Collection[str] = {known[nic.mac].name for nic in nics if nic.mac in known}
    free = (name for n in itertools.count() if (name := f"eth{n}") not in taken)
    given: set[MacAddress] = set()
    for nic in nics:
        is_first = nic.mac in known and nic.mac not in given
        given.add(nic.mac)
        yield known[nic.mac].name if is_first else next(free)
