"""Compose: from what is wanted to running machines, their addresses reserved and published; all or none."""

from collections.abc import Callable, Iterator

from hostloom.model.event import Event
from hostloom.model.host import Host
from hostloom.model.machine import Machine, MachineState, PowerState, check_transition
from hostloom.ports import Hypervisor, UnitOfWork
from hostloom.workflows.hosts import spec_of
from hostloom.workflows.placing import OBSERVE, RESERVE, ComposeInput, read_placed
from hostloom.workflows.publish import publish_dhcp
from hostloom.workflows.saga import Run, Saga, Step
from hostloom.workflows.side_by_side import side_by_side
from hostloom.workflows.verify import Verified, verify_machines

#: Of more machines than this, what was seen is recorded a line a host.
FEW = 10


def _on_hosts(
    run: Run[ComposeInput], act: Callable[[Hypervisor, Host, Machine], None], *, to_the_end: bool = False
) -> None:
    """Act on every machine; hosts at once."""

    def on_host(host: Host, machines: Iterator[Machine]) -> None:
        hypervisor = run.ports.hypervisors.of(host.name, host.uri)
        for machine in machines:
            act(hypervisor, host, machine)

    side_by_side(run, _by_host(run), on_host, to_the_end=to_the_end)


def _by_host(run: Run[ComposeInput]) -> dict[Host, list[Machine]]:
    found: dict[int, tuple[Host, list[Machine]]] = {}
    for machine, host in run.once(read_placed):
        found.setdefault(host.id, (host, []))[1].append(machine)
    return dict(found.values())


def _ensure_volumes(run: Run[ComposeInput]) -> None:
    def ensure(hypervisor: Hypervisor, _: Host, machine: Machine) -> None:
        for disk in machine.disks:
            hypervisor.ensure_volume(disk)

    _on_hosts(run, ensure)


def _delete_volumes(run: Run[ComposeInput]) -> None:
    def delete(hypervisor: Hypervisor, _: Host, machine: Machine) -> None:
        for disk in machine.disks:
            hypervisor.delete_volume(disk)

    _on_hosts(run, delete, to_the_end=True)


def _ensure_machines(run: Run[ComposeInput]) -> None:
    _on_hosts(run, lambda hypervisor, host, machine: hypervisor.ensure_machine(spec_of(host, machine)))


def _delete_machines(run: Run[ComposeInput]) -> None:
    _on_hosts(run, lambda hypervisor, _, machine: hypervisor.delete_machine(machine.uuid), to_the_end=True)


def _want_dhcp(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    _set_dhcp(run, uow, wanted=True)


def _unwant_dhcp(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    _set_dhcp(run, uow, wanted=False)


def _set_dhcp(run: Run[ComposeInput], uow: UnitOfWork, *, wanted: bool) -> None:
    keys = [each.system_id for each in run.input.identities]
    uow.machines.move(keys, MachineState.COMMISSIONING, dhcp_published=wanted)


def _publish(run: Run[ComposeInput]) -> None:
    vlans = {
        nic.vlan_id
        for machine, _ in run.once(read_placed)
        for nic in machine.interfaces
        if nic.vlan_id is not None
    }
    publish_dhcp(run.ports, vlans)


def _withdraw(run: Run[ComposeInput]) -> None:
    # A server that is down gives nothing to anybody, and is set from the store when it is back.
    publish_dhcp(run.ports, ())


def _start(run: Run[ComposeInput]) -> None:
    names = {
        identities.system_id
        for identities, request in zip(run.input.identities, run.input.batch.machines, strict=True)
        if request.start
    }

    def start(hypervisor: Hypervisor, _: Host, machine: Machine) -> None:
        if machine.system_id in names:
            hypervisor.start(machine.uuid, machine.system_id)

    _on_hosts(run, start)


def _stop(run: Run[ComposeInput]) -> None:
    def stop(hypervisor: Hypervisor, _: Host, machine: Machine) -> None:
        hypervisor.stop(machine.uuid, machine.system_id, force=True)

    _on_hosts(run, stop, to_the_end=True)


def _verify(run: Run[ComposeInput]) -> Verified:
    work = _by_host(run)
    found = side_by_side(run, work, lambda host, machines: verify_machines(run.ports, host, machines))
    if len(run.input.identities) <= FEW:
        return Verified(tuple(line for lines in found for line in lines))
    counts = zip(work.items(), found, strict=True)
    return Verified(
        tuple(f"{host.name}: {len(some)} machines, {len(lines)} NICs" for (host, some), lines in counts)
    )


def _commit(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    commissioning, ready = MachineState.COMMISSIONING, MachineState.READY
    pairs = list(zip(run.input.identities, run.input.batch.machines, strict=True))
    check_transition(pairs[0][0].hostname, commissioning, ready)
    for power, is_started in ((PowerState.ON, True), (PowerState.OFF, False)):
        if keys := [each.system_id for each, request in pairs if request.start is is_started]:
            uow.machines.move(keys, commissioning, state=ready, power=power)
    now = run.ports.clock.now()
    kind, text = "machine-composed", "composed and ready"
    uow.events.add(*(Event(kind, f"machine {each.hostname}", text, now) for each, _ in pairs))


VOLUMES = Step[ComposeInput, None]("volumes", do=_ensure_volumes, undo=_delete_volumes)
DOMAIN = Step[ComposeInput, None]("domain", do=_ensure_machines, undo=_delete_machines)
DHCP = Step[ComposeInput, None]("dhcp", rows=_want_dhcp, do=_publish, undo_rows=_unwant_dhcp, undo=_withdraw)
POWER = Step[ComposeInput, None]("power", do=_start, undo=_stop)
VERIFY = Step[ComposeInput, Verified]("verify", Verified, do=_verify)
COMMIT = Step[ComposeInput, None]("commit", rows=_commit)

COMPOSE = Saga("compose", ComposeInput, (OBSERVE, RESERVE, VOLUMES, DOMAIN, DHCP, POWER, VERIFY, COMMIT))
