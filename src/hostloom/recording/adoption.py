"""Records machines that hostloom did not create; their records follow the readings."""

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

#: Fields that do not change when an enlisted machine turns out to run on a host.
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
    """Creates records of machines on one host from one reading."""

    def __init__(
        self,
        uow: UnitOfWork,
        ports: Ports,
        host: Host,
        node: Node | None,
        observed_machines: Iterable[ObservedMachine],
    ) -> None:
        self._uow, self._ports, self._host = uow, ports, host
        self._interfaces_by_name = {nic.name: nic for nic in (node.interfaces if node else ())}
        self._seen = tuple(observed_machines)

    def adopt(self, observed_machine: ObservedMachine) -> Machine:
        """Record a new machine, or one that was enlisted before its host was known."""
        enlisted = self._enlisted(observed_machine)
        system_id = self._ports.ids.system_id() if enlisted is None else enlisted.system_id
        nics = {} if enlisted is None else self._known_nics(enlisted)
        machine = Machine(
            system_id=system_id,
            hostname="" if enlisted else self._free_hostname(observed_machine.name),
            uuid=observed_machine.uuid,
            origin=MachineOrigin.ADOPTED,
            state=MachineState.DEPLOYED,
            host_id=self._host.id,
            architecture=observed_machine.architecture,
            cores=observed_machine.cores,
            memory_mib=observed_machine.memory_mib,
            power=observed_machine.power,
            interfaces=self._interfaces(observed_machine, nics, system_id),
            disks=observed_machine.disks,
            netboot=False,
            autostart=bool(observed_machine.autostart),
            domain_name=observed_machine.name,
        )
        self._note(machine)
        if enlisted is None:
            return self._uow.machines.add(machine)
        machine = replace(machine, **{name: getattr(enlisted, name) for name in _KEPT})
        return self._uow.machines.update(machine)

    def read_again(self, machine: Machine, observed_machine: ObservedMachine) -> Machine:
        """The record with the machine's current state; its name follows a change of libvirt's name."""
        nics = {nic.mac: nic for nic in machine.interfaces}
        changed = replace(
            machine,
            architecture=observed_machine.architecture,
            cores=observed_machine.cores,
            memory_mib=observed_machine.memory_mib,
            power=observed_machine.power,
            interfaces=self._interfaces(observed_machine, nics, machine.system_id),
            disks=observed_machine.disks,
            domain_name=observed_machine.name,
        )
        if machine.domain_name not in ("", observed_machine.name):
            changed = replace(changed, hostname=self._free_hostname(observed_machine.name))
        self._note(changed)
        return changed

    def bring(self, machine: Machine, observed_machine: ObservedMachine) -> Machine:
        """The record of a machine that moved here from another host."""
        machine = replace(
            machine, host_id=self._host.id, power=observed_machine.power, domain_name=observed_machine.name
        )
        if machine.origin is MachineOrigin.ADOPTED:
            return self.read_again(machine, observed_machine)
        observed_interfaces = {nic.mac: nic for nic in observed_machine.interfaces}
        interfaces = tuple(
            self._attached(nic, observed_interfaces.get(nic.mac)) for nic in machine.interfaces
        )
        pools = {disk.volume.rpartition("/")[2]: disk.pool for disk in observed_machine.disks}
        disks = tuple(replace(disk, pool=pools.get(disk.volume) or disk.pool) for disk in machine.disks)
        return replace(machine, interfaces=interfaces, disks=disks)

    def _attached(
        self, nic: MachineInterface, observed_interface: ObservedInterface | None
    ) -> MachineInterface:
        """The NIC with its attachment on this host; if its VLAN is unknown, it is assumed to be unchanged."""
        if observed_interface is None:
            return nic
        return replace(
            nic,
            attachment=observed_interface.attachment,
            vlan_id=self._vlan_of(observed_interface) or nic.vlan_id,
        )

    def _vlan_of(self, nic: ObservedInterface) -> VlanId | None:
        return vlan_of_nic(self._snapshot, self._host, self._interfaces_by_name, nic)

    def _interfaces(
        self,
        observed_machine: ObservedMachine,
        nic_by_mac: Mapping[MacAddress, MachineInterface],
        system_id: SystemId,
    ) -> tuple[MachineInterface, ...]:
        """The NICs, without MACs that belong to another machine."""
        nics = [
            nic for nic in observed_machine.interfaces if not self._holders.get(nic.mac, set()) - {system_id}
        ]
        return tuple(
            self._interface(nic, name, nic_by_mac.get(nic.mac))
            for nic, name in zip(nics, _names(nics, nic_by_mac), strict=True)
        )

    def _interface(
        self, nic: ObservedInterface, name: str, before: MachineInterface | None
    ) -> MachineInterface:
        attachment = nic.attachment
        vlan_id = self._vlan_of(nic)
        if before is None:
            return MachineInterface(name, nic.mac, attachment, vlan_id, model=nic.model)
        return replace(before, name=name, attachment=attachment, vlan_id=vlan_id, model=nic.model)

    # -- existing records, read once for all machines of a reading ----------------------------------------

    @cached_property
    def _snapshot(self) -> Snapshot:
        return self._uow.snapshot()

    @cached_property
    def _hostnames(self) -> set[str]:
        return hostnames(self._snapshot)

    @cached_property
    def _holders(self) -> dict[MacAddress, set[SystemId]]:
        """The machines with the observed MACs."""
        return self._uow.machines.holders(self._macs)

    @cached_property
    def _macs(self) -> list[MacAddress]:
        return sorted({nic.mac for machine in self._seen for nic in machine.interfaces})

    @cached_property
    def _enlisted_keys(self) -> dict[str | MacAddress, SystemId]:
        """Enlisted machines by the observed UUIDs and MACs."""
        return self._uow.machines.enlisted_keys([machine.uuid for machine in self._seen], self._macs)

    def _free_hostname(self, base: str) -> str:
        hostname = unused_hostname(self._hostnames, base)
        self._hostnames.add(hostname)
        return hostname

    def _note(self, machine: Machine) -> None:
        for nic in machine.interfaces:
            self._holders.setdefault(nic.mac, set()).add(machine.system_id)

    def _enlisted(self, observed_machine: ObservedMachine) -> Machine | None:
        """The matching enlisted machine; MACs of machines on hosts are not evidence."""
        keys = [
            observed_machine.uuid,
            *(nic.mac for nic in observed_machine.interfaces if nic.mac not in self._holders),
        ]
        system_id = next((self._enlisted_keys[key] for key in keys if key in self._enlisted_keys), None)
        if system_id is None:
            return None
        enlisted = self._uow.machines.get(system_id)
        return enlisted if enlisted.origin is MachineOrigin.ENLISTED else None

    def _known_nics(self, machine: Machine) -> dict[MacAddress, MachineInterface]:
        """Names and addresses of the NICs that the node had from an import or a report."""
        addresses: dict[str | None, list[Address]] = {}
        for address in self._snapshot.held_by_node.get(machine.system_id, ()):
            if address.kind in (AddressKind.AUTO, AddressKind.STATIC):
                addresses.setdefault(address.interface_name, []).append(address.ip)
        nowhere = Attachment(AttachKind.BRIDGE, "")
        return {
            nic.mac: MachineInterface(nic.name, nic.mac, nowhere, ips=tuple(addresses.get(nic.name, ())))
            for nic in self._uow.nodes.get(machine.system_id).interfaces
            if nic.mac is not None
        }


def _names(
    nics: Sequence[ObservedInterface], nic_by_mac: Mapping[MacAddress, MachineInterface]
) -> Iterable[str]:
    """Known names, and new numbers for the other NICs. Two NICs may share a MAC."""
    used_names: Collection[str] = {nic_by_mac[nic.mac].name for nic in nics if nic.mac in nic_by_mac}
    free = (name for n in itertools.count() if (name := f"eth{n}") not in used_names)
    macs: set[MacAddress] = set()
    for nic in nics:
        is_first = nic.mac in nic_by_mac and nic.mac not in macs
        macs.add(nic.mac)
        yield nic_by_mac[nic.mac].name if is_first else next(free)
