"""A host's libvirt networks over HTTP: their problems and fixes."""

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
    """A condition that a network does not meet; `code` is that of a rejection or a warning."""

    code: str
    wanted: str
    found: str


class HostNetworkOut(Out):
    """A libvirt network; `dhcp`: libvirt's own DHCP is on; `served`: our DHCP serves its bridge's VLAN."""

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
    """The networks of a host, and the attachment of a compose without interface constraints."""

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
    """One step of a fix."""

    kind: FixStepKind
    subject: Text
    value: Text = ""


class FixIn(In):
    """What to fix: a network, or `make_maas` on a bridge; by default the network that would be used first.

    With `preview` nothing is changed. `steps`: the steps of a preview; refused if the steps differ now.
    """

    network: Text | None = None
    make_maas: Text | None = None
    preview: Flag = False
    steps: list[FixStepForm] | None = None


class FixStepOut(Out):
    """One step of a fix."""

    kind: FixStepKind
    subject: str
    value: str
    text: str


class FixRefusalOut(Out):
    """Why no fix exists."""

    code: FixCode
    subject: str
    found: str
    text: str


class LosingOut(Out):
    """A client that loses libvirt's DHCP: a machine, or (`machine` is null) another client with a lease."""

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
    """The steps of a fix and the affected clients; without steps, the reason and a command that helps."""

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
    """Show a host's libvirt networks as last read, with every condition that they do not meet."""
    with call.begin() as uow:
        return call.one(HostNetworksOut.of(fix_network.networks(uow, call.principal, key)))


@router.post(
    "/{key}/fix-network",
    status_code=202,
    response_model=OperationOut,
    responses={200: {"model": FixOut, "description": "With `preview`: what it would do"}},
)
def fix_host_network(call: Changing, key: str, body: FixIn) -> Response:
    """Turn libvirt's DHCP off and serve the VLAN, or create a network `maas`: as preview or operation."""
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
