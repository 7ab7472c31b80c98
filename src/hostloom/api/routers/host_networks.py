"""A host's libvirt networks over HTTP: what is wrong with each, and mending them."""

from typing import Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import Flag, In, Out, Text
from hostloom.api.routers.operations import OperationOut
from hostloom.decide.explain.fixes import (
    offer_of,
    render_choice,
    render_fix,
    render_fix_refusal,
    render_step,
    render_verdict,
)
from hostloom.decide.placement.libvirt_networks import NetworksVerdict, NetworkVerdict
from hostloom.model.host import Forward
from hostloom.model.network_fix import FixCode, FixPlan, FixStep, FixStepKind
from hostloom.services import fix_network
from hostloom.services.fix_network import FixPreview, Losing

router = APIRouter(prefix="/hosts", tags=["hosts"])


class ConditionOut(Out):
    """A condition that a network fails; `code` is a rejection's or a warning's."""

    code: str
    wanted: str
    found: str


class HostNetworkOut(Out):
    """A libvirt network; `dhcp`: libvirt's own is on; `served`: ours serves the VLAN of its bridge."""

    name: str
    active: bool
    bridge: str | None
    forward: Forward | None
    dhcp: bool
    vlan: str | None
    served: bool
    isolated: bool
    fails: list[ConditionOut]
    taken: bool
    why_not: str | None
    choice: str
    text: list[str]

    @classmethod
    def of(cls, item: NetworkVerdict, host: str) -> Self:
        """Of a verdict."""
        network = item.network
        fails = [ConditionOut(code=fail.code, wanted=fail.wanted, found=fail.found) for fail in item.fails]
        fails += [
            ConditionOut(code=warning.code, wanted="", found=warning.found) for warning in item.warnings
        ]
        return cls(
            name=network.name,
            active=network.active,
            bridge=network.bridge,
            forward=network.forward,
            dhcp=network.dhcp,
            vlan=item.vlan,
            served=item.is_served,
            isolated=item.isolated,
            fails=fails,
            taken=item.taken,
            why_not=item.why_not.code if item.why_not is not None else None,
            choice=render_choice(item, host),
            text=render_verdict(item, host),
        )


class HostNetworksOut(Out):
    """All of a host's; what a compose without interface constraints takes, and whether it boots from it."""

    host: str
    takes: str | None
    attach: str | None
    boots: bool
    networks: list[HostNetworkOut]

    @classmethod
    def of(cls, item: NetworksVerdict) -> Self:
        """Of the verdicts."""
        return cls(
            host=item.host,
            takes=item.takes or None,
            attach=item.attach or None,
            boots=item.boots,
            networks=[HostNetworkOut.of(network, item.host) for network in item.networks],
        )


class FixStepForm(In):
    """One thing that a fix does."""

    kind: FixStepKind
    subject: Text
    value: Text = ""


class FixIn(In):
    """What to mend: a network, or `make_maas` on a bridge, or whatever comes first.

    With `preview` nothing is done. `steps`: those that a preview showed; refused if it comes to others now.
    """

    network: Text | None = None
    make_maas: Text | None = None
    preview: Flag = False
    steps: list[FixStepForm] | None = None


class FixStepOut(Out):
    """One thing that a fix does."""

    kind: FixStepKind
    subject: str
    value: str
    text: str


class FixRefusalOut(Out):
    """Why there is no fix."""

    code: FixCode
    subject: str
    found: str
    text: str


class LosingOut(Out):
    """Who loses libvirt's DHCP: a machine on the network, or (`machine` is null) who has a lease of it."""

    machine: str | None
    origin: str | None
    mac: str | None
    ip: str | None
    hostname: str | None
    expires_at: float | None

    @classmethod
    def of(cls, item: Losing) -> Self:
        """Of the model."""
        lease = item.lease
        return cls(
            machine=item.machine,
            origin=item.origin,
            mac=str(item.mac) if item.mac is not None else None,
            ip=str(lease.ip) if lease is not None else None,
            hostname=(lease.hostname or None) if lease is not None else None,
            expires_at=lease.expires_at if lease is not None else None,
        )


class FixOut(Out):
    """What mending would do, and whom it hurts; without steps why not, and the command that helps instead."""

    host: str
    network: str
    steps: list[FixStepOut]
    refusals: list[FixRefusalOut]
    losing: list[LosingOut]
    leases_unread: str
    offer: str
    text: list[str]

    @classmethod
    def of(cls, item: FixPreview) -> Self:
        """Of a preview."""
        plan = item.plan
        return cls(
            host=plan.host,
            network=plan.network,
            steps=[_step(step, plan) for step in plan.steps],
            refusals=[
                FixRefusalOut(
                    code=refusal.code,
                    subject=refusal.subject,
                    found=refusal.found,
                    text=render_fix_refusal(refusal, plan.host),
                )
                for refusal in plan.refusals
            ],
            losing=[LosingOut.of(losing) for losing in item.losing],
            leases_unread=item.leases_unread,
            offer=offer_of(plan),
            text=render_fix(plan),
        )


def _step(step: FixStep, plan: FixPlan) -> FixStepOut:
    text = render_step(step, plan.host)
    return FixStepOut(kind=step.kind, subject=step.subject, value=step.value, text=text)


@router.get("/{key}/networks", response_model=HostNetworksOut)
def list_host_networks(call: Reading, key: str) -> Response:
    """Show a host's libvirt networks with every condition that they fail, as the host was last read."""
    with call.begin() as uow:
        return call.one(HostNetworksOut.of(fix_network.networks(uow, call.principal, key)))


@router.post(
    "/{key}/fix-network",
    status_code=202,
    response_model=OperationOut,
    responses={200: {"model": FixOut, "description": "With `preview`: what it would do"}},
)
def fix_host_network(call: Changing, key: str, body: FixIn) -> Response:
    """Turn libvirt's DHCP off and serve the VLAN, or make a network `maas`: previewed, or as an operation."""
    ports, principal = call.ports, call.principal
    if body.preview:
        fix_preview = fix_network.preview(ports, principal, key, body.network, body.make_maas)
        return call.one(FixOut.of(fix_preview))
    fix_steps = None
    if body.steps is not None:
        fix_steps = tuple(FixStep(step.kind, step.subject, step.value) for step in body.steps)
    return call.perform(
        202,
        lambda: OperationOut.of(
            fix_network.start(ports, principal, key, body.network, body.make_maas, fix_steps)
        ),
    )
