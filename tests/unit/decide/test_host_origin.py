"""How a host came to hostloom, in words."""

from dataclasses import replace

import pytest

from hostloom.decide.hosts.origin import OriginCase, origin_of
from hostloom.model.host import Correlation, CorrelationEvidence, CorrelationState, Host, InstalledBy
from hostloom.model.ids import HostId, SystemId
from hostloom.model.node import Node, NodeKind

NODE = Node(SystemId("abc123"), "rack7", NodeKind.MACHINE)
HOST = Host(HostId(1), "kvm1", "qemu:///system", facts_at=1.0)


def matched(evidence: CorrelationEvidence, installed_by: InstalledBy = InstalledBy.UNKNOWN) -> Host:
    correlation = Correlation(CorrelationState.CORRELATED, NODE.system_id, evidence)
    return replace(HOST, correlation=correlation, installed_by=installed_by)


@pytest.mark.parametrize("kind", NodeKind)
@pytest.mark.parametrize("evidence", CorrelationEvidence)
@pytest.mark.parametrize("installed_by", InstalledBy)
def test_every_match_has_one_case(
    kind: NodeKind, evidence: CorrelationEvidence, installed_by: InstalledBy
) -> None:
    origin = origin_of(matched(evidence, installed_by), replace(NODE, kind=kind))
    is_controller = kind.value.endswith("controller") or evidence is CorrelationEvidence.LOCAL
    if installed_by is InstalledBy.HOSTLOOM:
        wanted = OriginCase.DEPLOYED
    elif is_controller:
        wanted = OriginCase.CONTROLLER
    else:
        is_adopted = evidence is CorrelationEvidence.ADOPTED
        wanted = OriginCase.ADOPTED if is_adopted else OriginCase.KNOWN_NODE
    assert origin.case is wanted
    assert "rack7" in origin.text
    assert ("They boot from the network only if" in origin.attaching) == (wanted is not OriginCase.DEPLOYED)


@pytest.mark.parametrize(
    ("host", "text"),
    [
        (replace(HOST, facts_at=None), "has not been read yet"),
        (replace(HOST, correlation=Correlation(CorrelationState.AMBIGUOUS)), "Several nodes match"),
        (HOST, "No known node matches the host, and none was created"),
    ],
)
def test_a_host_without_a_node_says_why(host: Host, text: str) -> None:
    origin = origin_of(host, None)
    assert origin.case is OriginCase.NO_NODE and text in origin.text
    assert "constraints are refused until the node is known" in origin.attaching
