"""Texts about fixes of a host's networks, refusals of fixes, and problems of networks."""

from shlex import quote

from hostloom.decide.explain.reason_texts import render_rejection, render_warning
from hostloom.decide.placement.libvirt_networks import NetworkVerdict
from hostloom.model.network_fix import FixCode, FixPlan, FixRefusal, FixStep, FixStepKind

STEPS = {
    FixStepKind.LIBVIRT_DHCP_OFF: (
        "turn libvirt's own DHCP off on network {subject} of {host}, immediately and permanently; "
        "running machines keep their NICs"
    ),
    FixStepKind.SERVE_VLAN: "serve VLAN {subject} with our DHCP",
    FixStepKind.MAKE_NETWORK: (
        "make network {subject} on bridge {value} of {host}, start it, and let it start with the host"
    ),
}
REFUSALS = {
    FixCode.HOST_NOT_KNOWN: (
        "host {subject} is not correlated with a node, so the VLANs of its bridges are unknown: "
        "`hostloom host update {subject} --node NODE` sets the node"
    ),
    FixCode.HOST_AMBIGUOUS: (
        "host {subject} could be several nodes: `hostloom host update {subject} --node NODE` chooses"
    ),
    FixCode.NETWORK_MISSING: "libvirt network {subject} does not exist",
    FixCode.NETWORK_INACTIVE: "network {subject} is not active: start it first (`virsh net-start {subject}`)",
    FixCode.NETWORK_WITHOUT_BRIDGE: "network {subject} has no bridge",
    FixCode.BRIDGE_NOT_KNOWN: (
        "{found} is not a known bridge of {host}: `hostloom host refresh {host}` reads the host again"
    ),
    FixCode.BRIDGE_UNFIT: "the bridge of {subject} cannot carry machines: {found}",
    FixCode.NOT_A_BRIDGE: "{subject} is not a bridge ({found})",
    FixCode.BRIDGE_OF_LIBVIRT: "bridge {subject} belongs to a network that libvirt isolates",
    FixCode.NO_VLAN: (
        "the VLAN of bridge {subject} is unknown: "
        "`hostloom node interface update {found} {subject} --vlan FABRIC/VID` sets it"
    ),
    FixCode.NO_RACK_ON_HOST: (
        "our DHCP does not reach network {subject}: its bridge {found} has no physical port, "
        "and no rack of ours is on {host}"
    ),
    FixCode.NO_RACK_ON_VLAN: (
        "none of our racks has an IPv4 address on VLAN {found} of bridge {subject}, so none can serve it"
    ),
    FixCode.NETWORK_EXISTS: (
        "network {subject} already exists: `hostloom host fix-network {host} {subject}` fixes it"
    ),
    FixCode.NO_SERVED_BRIDGE: (
        "{subject} has no network that can be fixed, "
        "and no bridge with a physical port on a VLAN that our DHCP serves"
    ),
    FixCode.NOTHING_TO_FIX: "network {subject} of {host} needs no fix",
}


def render_step(step: FixStep, host: str) -> str:
    """One step in one line."""
    return STEPS[step.kind].format(subject=step.subject, value=step.value, host=host)


def render_fix_refusal(refusal: FixRefusal, host: str) -> str:
    """One reason in one line."""
    return REFUSALS[refusal.code].format(subject=refusal.subject, found=refusal.found, host=host)


def offer_of(plan: FixPlan) -> str:
    """The command that creates a network instead; empty if none helps."""
    if not plan.offer:
        return ""
    return f"hostloom host fix-network {quote(plan.host)} --make-maas {quote(plan.offer)}"


def render_fix(plan: FixPlan) -> list[str]:
    """The steps, or the reasons and an alternative."""
    lines = [render_step(step, plan.host) for step in plan.steps]
    lines += [render_fix_refusal(refusal, plan.host) for refusal in plan.refusals]
    if offer := offer_of(plan):
        lines.append(f"`{offer}` creates a network maas on a VLAN that our DHCP serves")
    return lines


def render_verdict(verdict: NetworkVerdict, host: str) -> list[str]:
    """The problems of a network, one per line."""
    lines = [render_rejection(fail, host) for fail in verdict.fails]
    return lines + [render_warning(warning) for warning in verdict.warnings]


def render_choice(verdict: NetworkVerdict, host: str) -> str:
    """Whether a compose without interface constraints takes the network, and why not."""
    if verdict.taken:
        return "taken"
    if verdict.why_not is not None:
        return render_rejection(verdict.why_not, host)
    if not verdict.looked_for:
        return f"not considered: request it with attach=network,network={verdict.network.name}"
    return "not taken"
