"""Plans fixes of a host's libvirt networks, after which our DHCP answers there, or explains refusals.

See docs/explanation/rules.md#without-interface-constraints.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hostloom.decide.hosts.inventory import private_bridges
from hostloom.decide.placement.candidates import NETWORK_ORDER, Candidate, HostView, view_of
from hostloom.decide.placement.libvirt_networks import failed_conditions
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.attachment import AttachKind
from hostloom.model.host import CorrelationState
from hostloom.model.ids import VlanId, natural_key
from hostloom.model.network_fix import FixCode, FixPlan, FixRefusal, FixStep, FixStepKind
from hostloom.model.node import InterfaceKind, Node, NodeInterface
from hostloom.model.reasons import RejectionCode

#: The network that is created if none can be fixed.
MADE = NETWORK_ORDER[0]
_UNKNOWN = {
    CorrelationState.UNKNOWN: FixCode.HOST_NOT_KNOWN,
    CorrelationState.AMBIGUOUS: FixCode.HOST_AMBIGUOUS,
}
_BARRED = {
    RejectionCode.NETWORK_MISSING: FixCode.NETWORK_MISSING,
    RejectionCode.NETWORK_INACTIVE: FixCode.NETWORK_INACTIVE,
}


@dataclass(frozen=True)
class _Scene:
    """A host, and the nodes on which racks of ours are."""

    view: HostView
    racks: tuple[Node, ...]

    @property
    def has_rack(self) -> bool:
        """Whether one of the racks is on the host itself."""
        system_id = self.view.state.host.correlation.system_id
        return any(rack.system_id == system_id for rack in self.racks)

    def vlan(self, vlan_id: VlanId) -> str:
        """FABRIC/VID."""
        return self.view.snapshot.vlan_name(vlan_id)


def plan_fix(
    snapshot: Snapshot,
    state: HostState,
    racks: Sequence[Node],
    network: str | None = None,
    bridge: str | None = None,
) -> FixPlan:
    """Fix this network, or create `maas` on this bridge; without both, take the first fix that works.

    `racks` are the nodes with our racks, which can serve the VLANs of their interfaces.
    """
    name = state.host.name
    if (unknown := _UNKNOWN.get(state.host.correlation.state)) is not None:
        return FixPlan(name, network or MADE, refusals=(FixRefusal(unknown, name),))
    scene = _Scene(view_of(snapshot, state), tuple(racks))
    if bridge is not None:
        return _planned(scene, MADE, _make(scene, bridge))
    if network is not None:
        return _offering(scene, _planned(scene, network, _mend(scene, network)))
    return _offering(scene, _any(scene))


def _any(scene: _Scene) -> FixPlan:
    """Fix nothing if one network is usable; else the first network that can be fixed; else create one."""
    host = scene.view.state.host
    for name in NETWORK_ORDER:
        if not failed_conditions(scene.view, name):
            return FixPlan(host.name, name, refusals=(FixRefusal(FixCode.NOTHING_TO_FIX, name),))
    repairs = [_planned(scene, name, _mend(scene, name)) for name in NETWORK_ORDER]
    offer = _served_bridge(scene)
    plans = [*repairs, _planned(scene, MADE, _make(scene, offer))] if offer else repairs
    if possible := [plan for plan in plans if plan.steps]:
        return possible[0]
    return FixPlan(host.name, MADE, refusals=_refusals_of(repairs, host.name))


def _refusals_of(repairs: list[FixPlan], host_name: str) -> tuple[FixRefusal, ...]:
    """Why no existing network can be fixed; without networks, why none can be created."""
    present = [plan for plan in repairs if plan.refusals[0].code is not FixCode.NETWORK_MISSING]
    refusals = tuple(refusal for plan in present for refusal in plan.refusals)
    return refusals or (FixRefusal(FixCode.NO_SERVED_BRIDGE, host_name),)


def _planned(scene: _Scene, network: str, steps: FixRefusal | tuple[FixStep, ...]) -> FixPlan:
    host = scene.view.state.host.name
    if isinstance(steps, FixRefusal):
        return FixPlan(host, network, refusals=(steps,))
    off = any(fix_step.kind is FixStepKind.LIBVIRT_DHCP_OFF for fix_step in steps)
    return FixPlan(host, network, steps, machines=_machines_on(scene.view, network) if off else ())


def _offering(scene: _Scene, plan: FixPlan) -> FixPlan:
    """A refusal that names the bridge on which a network could be created instead."""
    if plan.steps or plan.refusals[0].code is FixCode.NOTHING_TO_FIX:
        return plan
    return FixPlan(plan.host, plan.network, refusals=plan.refusals, offer=_served_bridge(scene))


def _machines_on(view: HostView, network: str) -> tuple[str, ...]:
    """The host's machines on the network or directly on its bridge, by natural name."""
    host_network = view.find_network(network)
    sources = {
        (AttachKind.NETWORK, network),
        (AttachKind.BRIDGE, host_network.bridge if host_network else None),
    }
    names = {
        machine.name
        for machine in view.state.machines
        if any((nic.kind, nic.source) in sources for nic in machine.interfaces)
    }
    return tuple(sorted(names, key=natural_key))


# -- an existing network -------------------------------------------------------------------------------


def _mend(scene: _Scene, name: str) -> FixRefusal | tuple[FixStep, ...]:
    """Turn libvirt's DHCP off, and serve the VLAN by a rack that receives requests from there."""
    candidate, barred = scene.view.network_candidate(name)
    if barred is not None:
        return FixRefusal(_BARRED.get(barred.code, FixCode.BRIDGE_UNFIT), name, barred.found)
    network, bridge = candidate.network, candidate.interface
    if network is None or network.bridge is None:
        return FixRefusal(FixCode.NETWORK_WITHOUT_BRIDGE, name)
    if bridge is None:
        return FixRefusal(FixCode.BRIDGE_NOT_KNOWN, name, network.bridge)
    if (unfit := scene.view.barred(candidate)) is not None:
        return FixRefusal(FixCode.BRIDGE_UNFIT, name, unfit.found)
    if not _is_heard(scene, candidate, bridge):
        return FixRefusal(FixCode.NO_RACK_ON_HOST, name, bridge.name)
    served = _serve(scene, bridge)
    if isinstance(served, FixRefusal):
        return served
    off = (FixStep(FixStepKind.LIBVIRT_DHCP_OFF, name),) if network.dhcp else ()
    return (*off, *served) or FixRefusal(FixCode.NOTHING_TO_FIX, name)


def _is_heard(scene: _Scene, candidate: Candidate, bridge: NodeInterface) -> bool:
    """Whether DHCP requests on the bridge leave it through a port, or reach a rack or relay on the host."""
    if scene.view.has_uplink(bridge) or scene.has_rack:
        return True
    vlan = scene.view.snapshot.vlan_by_id.get(candidate.vlan_id) if candidate.vlan_id is not None else None
    return vlan is not None and vlan.relay_vlan_id is not None and candidate.bootable


def _serve(scene: _Scene, bridge: NodeInterface) -> FixRefusal | tuple[FixStep, ...]:
    """Serve the bridge's VLAN by a rack with an address on it, unless it is already served."""
    vlan_id = bridge.vlan_id
    if vlan_id is None:
        return FixRefusal(FixCode.NO_VLAN, bridge.name, scene.view.hostname)
    if vlan_id in scene.view.snapshot.bootable_vlans:
        return ()
    if not any(
        interface.vlan_id == vlan_id and any(ip.version == 4 for ip in interface.ips)
        for rack in scene.racks
        for interface in rack.interfaces
    ):
        return FixRefusal(FixCode.NO_RACK_ON_VLAN, bridge.name, scene.vlan(vlan_id))
    return (FixStep(FixStepKind.SERVE_VLAN, scene.vlan(vlan_id)),)


# -- a network of ours ---------------------------------------------------------------------------------


def _make(scene: _Scene, name: str) -> FixRefusal | tuple[FixStep, ...]:
    """Create a network `maas` on a bridge of the host."""
    view = scene.view
    bridge = view.by_name.get(name)
    if view.find_network(MADE) is not None:
        return FixRefusal(FixCode.NETWORK_EXISTS, MADE)
    if bridge is None:
        return FixRefusal(FixCode.BRIDGE_NOT_KNOWN, MADE, name)
    if bridge.kind is not InterfaceKind.BRIDGE:
        return FixRefusal(FixCode.NOT_A_BRIDGE, name, bridge.kind)
    if name in private_bridges(view.state.host):
        return FixRefusal(FixCode.BRIDGE_OF_LIBVIRT, name)
    barred = next(no for candidate, no in view.judged if candidate.source == name)
    if barred is not None:
        return FixRefusal(FixCode.BRIDGE_UNFIT, name, barred.found)
    served = _serve(scene, bridge)
    if isinstance(served, FixRefusal):
        return served
    return (FixStep(FixStepKind.MAKE_NETWORK, MADE, name), *served)


def _served_bridge(scene: _Scene) -> str:
    """The first connected bridge on a served VLAN, in the order of a compose."""
    able = [
        candidate
        for candidate, barred in scene.view.judged
        if barred is None
        and candidate.kind is AttachKind.BRIDGE
        and candidate.bootable
        and candidate.interface is not None
        and scene.view.has_uplink(candidate.interface)
        and not isinstance(_make(scene, candidate.source), FixRefusal)
    ]
    return min(able, key=lambda interface: interface.preference(())).source if able else ""
