"""How a host came to hostloom, and what that means for its machines, in words.

See docs/explanation/rules.md#how-a-host-came-to-hostloom.
"""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.host import CorrelationEvidence, CorrelationState, Host, InstalledBy
from hostloom.model.node import Node, NodeKind

_CONTROLLERS = frozenset(
    {NodeKind.RACK_CONTROLLER, NodeKind.REGION_CONTROLLER, NodeKind.REGION_AND_RACK_CONTROLLER}
)


class OriginCase(StrEnum):
    """The ways in which a host comes to hostloom."""

    #: hostloom deployed it with KVM.
    DEPLOYED = "deployed"
    #: Others installed KVM on a node that hostloom knows.
    KNOWN_NODE = "known-node"
    #: hostloom or one of its racks runs on it.
    CONTROLLER = "controller"
    #: hostloom did not know it and created its node from what it read. The next reading finds this node by
    #: its address or NICs, and then the host is a known node.
    ADOPTED = "adopted"
    #: It is not known which node it is.
    NO_NODE = "no-node"


@dataclass(frozen=True, slots=True)
class HostOrigin:
    """How a host came to hostloom; `attaching`: how machines without constraints are attached on it."""

    case: OriginCase
    text: str
    attaching: str


_NETWORKS = "Machines without interface constraints get the libvirt network maas, or else default"
_OTHERWISE = "or else a bridge, or else a macvtap, on a VLAN that machines can boot from"
_ATTACHING = {
    InstalledBy.HOSTLOOM: (
        f"{_NETWORKS}, if it is active, its own DHCP is off and its bridge is on a VLAN that machines can "
        f"boot from; {_OTHERWISE}."
    ),
    InstalledBy.MANUAL: (
        f"{_NETWORKS}, if it is active and its own DHCP is off; {_OTHERWISE}. They boot from the network "
        "only if hostloom's DHCP serves the VLAN."
    ),
}
_ATTACHING[InstalledBy.UNKNOWN] = _ATTACHING[InstalledBy.MANUAL]
_ATTACHING_WITHOUT_NODE = (
    f"{_NETWORKS}, if it is active. Interface constraints are refused until the node is known."
)


def origin_of(host: Host, node: Node | None) -> HostOrigin:
    """How the host came; `node` is the one that it is matched to, if any."""
    if host.correlation.state is not CorrelationState.CORRELATED or node is None:
        return HostOrigin(OriginCase.NO_NODE, _text_without_node(host), _ATTACHING_WITHOUT_NODE)
    case = _case(host, node)
    return HostOrigin(case, _TEXTS[case].format(node=node.hostname), _ATTACHING[host.installed_by])


def _case(host: Host, node: Node) -> OriginCase:
    if host.installed_by is InstalledBy.HOSTLOOM:
        return OriginCase.DEPLOYED
    if node.kind in _CONTROLLERS or host.correlation.evidence is CorrelationEvidence.LOCAL:
        return OriginCase.CONTROLLER
    if host.correlation.evidence is CorrelationEvidence.ADOPTED:
        return OriginCase.ADOPTED
    return OriginCase.KNOWN_NODE


_TEXTS = {
    OriginCase.DEPLOYED: "hostloom deployed node {node} with KVM, with bridges from hostloom's own records.",
    OriginCase.KNOWN_NODE: (
        "KVM was installed by others on node {node}, which hostloom knows. What is read of the host's "
        "interfaces replaces what was recorded of the node."
    ),
    OriginCase.CONTROLLER: (
        "The host is the controller {node}: hostloom itself runs on it, and machines share its interfaces "
        "with hostloom's DHCP and boot services."
    ),
    OriginCase.ADOPTED: (
        "No known node matched the host, so node {node} was created from the host's interfaces. An operator "
        "must set the VLAN of an interface without an address."
    ),
}


def _text_without_node(host: Host) -> str:
    if host.facts_at is None:
        return "The host has not been read yet, so it is not known which node it is."
    command = f"`hostloom host update {host.name} --node NODE` chooses one"
    if host.correlation.state is CorrelationState.AMBIGUOUS:
        return f"Several nodes match the host, or the evidence contradicts itself: {command}."
    return f"No known node matches the host, and none was created: {command}."
