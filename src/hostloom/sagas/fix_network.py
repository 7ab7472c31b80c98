"""Fix a host's libvirt networks: serve a network with our DHCP instead of libvirt's, or create `maas`."""

from dataclasses import dataclass, replace

from hostloom.decide.explain.fixes import render_fix, render_step
from hostloom.decide.hosts.fix_network import plan_fix
from hostloom.model.errors.refusals import Refused
from hostloom.model.errors.stale import PlanStale
from hostloom.model.event import Event, host_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import VlanId
from hostloom.model.network_fix import FixPlan, FixStep, FixStepKind, LibvirtDhcp, NetworkSpec
from hostloom.model.node import BridgeKind, Node
from hostloom.ports.hypervisor import Hypervisor
from hostloom.ports.store import UnitOfWork
from hostloom.reconcilers.publish_dhcp import publish_dhcp
from hostloom.recording.host_readings import find_host, observe_host
from hostloom.recording.observation import Observation
from hostloom.recording.record import record_observation
from hostloom.sagas.saga import Run, Saga, Step


@dataclass(frozen=True)
class FixInput:
    """The request, and the steps that the user has seen."""

    host: str
    network: str | None
    bridge: str | None
    #: UUID for a new network.
    uuid: str
    steps: tuple[FixStep, ...]


@dataclass(frozen=True)
class Made:
    """The created network; None if none was created."""

    spec: NetworkSpec | None


@dataclass(frozen=True)
class Served:
    """The VLANs that our DHCP did not serve before."""

    vlan_ids: tuple[VlanId, ...]


def fix_of(uow: UnitOfWork, host: str, network: str | None, bridge: str | None) -> FixPlan:
    """The fix of the host's networks according to the current records."""
    state = uow.snapshot().host_by_id[find_host(uow, host).id]
    return plan_fix(uow.snapshot(), state, _rack_nodes(uow), network, bridge)


def steps_or_refuse(plan: FixPlan) -> tuple[FixStep, ...]:
    """The steps of a fix; Refused with the first reason's code if there are none."""
    if plan.refusals:
        raise Refused(plan.refusals[0].code, "; ".join(render_fix(plan)))
    return plan.steps


def _rack_nodes(uow: UnitOfWork) -> tuple[Node, ...]:
    """The nodes of racks."""
    nodes = uow.snapshot().node_by_system_id
    return tuple(nodes[key] for key in sorted({rack.system_id for rack in uow.racks.list()} & nodes.keys()))


# -- steps -----------------------------------------------------------------------------------------------


def _decide(run: Run[FixInput], uow: UnitOfWork) -> Made:
    """Record the reading, and compare the current steps with those that the user has seen."""
    fix_input = run.input
    record_observation(uow, run.ports, find_host(uow, fix_input.host), run.output(OBSERVE))
    plan = fix_of(uow, fix_input.host, fix_input.network, fix_input.bridge)
    steps = steps_or_refuse(plan)
    if steps != fix_input.steps:
        step_texts = [render_step(step, fix_input.host) for step in steps]
        raise PlanStale(f"to fix host {fix_input.host}", (), step_texts)
    return Made(_spec_of(run, uow))


def _spec_of(run: Run[FixInput], uow: UnitOfWork) -> NetworkSpec | None:
    for step in run.input.steps:
        if step.kind is FixStepKind.MAKE_NETWORK:
            snapshot = uow.snapshot()
            node = snapshot.node_of(find_host(uow, run.input.host))
            kinds = (
                {interface.name: interface.bridge_kind for interface in node.interfaces}
                if node is not None
                else {}
            )
            is_ovs = kinds.get(step.value) is BridgeKind.OVS
            return NetworkSpec(run.input.uuid, step.subject, step.value, is_ovs)
    return None


def _remember(run: Run[FixInput]) -> LibvirtDhcp | None:
    name = _quietened(run)
    return None if name is None else _hypervisor(run).networks.dhcp(name)


def _turn_off(run: Run[FixInput]) -> None:
    if (name := _quietened(run)) is not None:
        _hypervisor(run).networks.stop_dhcp(name)


def _turn_on(run: Run[FixInput]) -> None:
    if (name := _quietened(run)) is not None and run.has(REMEMBER):
        _hypervisor(run).networks.restore_dhcp(name, run.output(REMEMBER))


def _make(run: Run[FixInput]) -> None:
    if (spec := run.output(DECIDE).spec) is not None:
        _hypervisor(run).networks.ensure(spec)


def _unmake(run: Run[FixInput]) -> None:
    if (spec := run.output(DECIDE).spec) is not None:
        _hypervisor(run).networks.delete(spec.uuid)


def _serve(run: Run[FixInput], uow: UnitOfWork) -> Served:
    vlan_ids = []
    for step in run.input.steps:
        if step.kind is FixStepKind.SERVE_VLAN:
            fabric, _, vid = step.subject.rpartition("/")
            known_vlan = uow.fabrics.find(fabric)
            vlan = None if known_vlan is None else uow.vlans.find_by_vid(known_vlan.id, int(vid))
            if vlan is not None and not vlan.dhcp_on:
                uow.vlans.update(replace(vlan, dhcp_on=True, relay_vlan_id=None))
                vlan_ids.append(vlan.id)
    return Served(tuple(vlan_ids))


def _stop_serving(run: Run[FixInput], uow: UnitOfWork) -> None:
    if run.has(SERVE):
        for vlan_id in run.output(SERVE).vlan_ids:
            uow.vlans.update(replace(uow.vlans.get(vlan_id), dhcp_on=False))


def _publish(run: Run[FixInput]) -> None:
    """Publish VLANs that were not served before."""
    if run.has(SERVE) and (vlan_ids := run.output(SERVE).vlan_ids):
        publish_dhcp(run.ports, vlan_ids)


def _record(run: Run[FixInput], uow: UnitOfWork) -> None:
    host = find_host(uow, run.input.host)
    record_observation(uow, run.ports, host, run.output(REREAD))
    step_text = "; ".join(render_step(step, host.name) for step in run.input.steps)
    uow.events.add(Event(EventKind.NETWORK_FIXED, host_subject(host), step_text, run.ports.clock.now()))


def _quietened(run: Run[FixInput]) -> str | None:
    """The network on which libvirt's DHCP is turned off."""
    off = (step.subject for step in run.input.steps if step.kind is FixStepKind.LIBVIRT_DHCP_OFF)
    return next(off, None)


def _hypervisor(run: Run[FixInput]) -> Hypervisor:
    with run.ports.store.begin() as uow:
        host = find_host(uow, run.input.host)
    return run.ports.hypervisors.of(host.name, host.uri)


OBSERVE = Step[FixInput, Observation](
    "observe", Observation, do=lambda run: observe_host(run.ports, run.input.host)
)
DECIDE = Step[FixInput, Made]("decide", Made, rows=_decide)
REMEMBER = Step[FixInput, LibvirtDhcp]("remember", LibvirtDhcp, do=_remember)
DHCP_OFF = Step[FixInput, None]("libvirt-dhcp", do=_turn_off, undo=_turn_on)
NETWORK = Step[FixInput, None]("network", do=_make, undo=_unmake)
SERVE = Step[FixInput, Served](
    "serve", Served, rows=_serve, do=_publish, undo_rows=_stop_serving, undo=_publish
)
REREAD = Step[FixInput, Observation](
    "reread", Observation, do=lambda run: observe_host(run.ports, run.input.host)
)
RECORD = Step[FixInput, None]("record", rows=_record)

FIX_NETWORK = Saga(
    "fix-network", FixInput, (OBSERVE, DECIDE, REMEMBER, DHCP_OFF, NETWORK, SERVE, REREAD, RECORD)
)
