"""Which node a host is: UUID, addresses and MACs together; what contradicts makes it ambiguous."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface

import pytest

from hostloom.decide.hosts.correlation import HostEvidence, correlate, first_of
from hostloom.decide.hosts.host_identity import identifying_uuid
from hostloom.model.host import Correlation, CorrelationEvidence, CorrelationState, Host
from hostloom.model.ids import HostId, InterfaceId, MacAddress, SystemId
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.observed import ObservedLink

A, B = SystemId("aaaaaa"), SystemId("bbbbbb")
UUID, OTHER_UUID = "8f2b6a1e-5c3d-4e7f-9a0b-1c2d3e4f5a6b", "1d2c3b4a-5f6e-4d7c-8b9a-0f1e2d3c4b5a"
#: Of vendors, of KVM guests, and of the BMC that shows every host the same USB NIC.
VENDOR_A, VENDOR_A2, VENDOR_B = "3c:ec:ef:00:00:0a", "3c:ec:ef:00:00:1a", "3c:ec:ef:00:00:0b"
GUEST_A, GUEST_B = "52:54:00:00:00:0a", "52:54:00:00:00:0b"
USB = "be:3a:f2:b6:05:9f"


def a_node(key: SystemId, *nics: tuple[str, str], address: str = "") -> Node:
    interfaces = tuple(
        NodeInterface(
            InterfaceId(n + 1),
            name,
            InterfaceKind.PHYSICAL,
            MacAddress(mac),
            addresses=(ip_interface(address),) if address and not n else (),
        )
        for n, (name, mac) in enumerate(nics)
    )
    return Node(key, key, NodeKind.MACHINE, interfaces)


def links(*nics: tuple[str, str], kind: InterfaceKind = InterfaceKind.PHYSICAL) -> tuple[ObservedLink, ...]:
    return tuple(ObservedLink(name, kind, MacAddress(mac), True, True, 1500) for name, mac in nics)


def a_host(number: int, node: SystemId | None, uuid: str = "") -> Host:
    state = CorrelationState.UNKNOWN if node is None else CorrelationState.CORRELATED
    return Host(
        HostId(number), f"kvm{number}", f"qemu+ssh://kvm{number}/system", Correlation(state, node), uuid=uuid
    )


def seen(
    address: str = "", *nics: tuple[str, str], uuid: str = "", before: Host | None = None
) -> HostEvidence:
    addresses = (ip_address(address),) if address else ()
    return HostEvidence(addresses, links(*nics), uuid, before)


def found(evidence: HostEvidence, *nodes: Node, others: tuple[Host, ...] = ()) -> tuple[str, str | None, str]:
    match = correlate(evidence, nodes, (), others)
    return match.state.value, match.system_id, match.evidence.value


def test_an_address_and_nics_of_one_node_are_that_node() -> None:
    node = a_node(A, ("eno1", VENDOR_A), address="10.0.0.1/24")
    assert found(seen("10.0.0.1", ("eno1", VENDOR_A)), node) == ("correlated", A, "address")
    assert found(seen("10.0.0.9", ("eno1", VENDOR_A)), node) == ("correlated", A, "mac")


def test_addresses_and_nics_of_different_nodes_are_ambiguous() -> None:
    for nic_a, nic_b in ((VENDOR_A, VENDOR_B), (GUEST_A, GUEST_B)):
        first = a_node(A, ("eth0", nic_a), address="10.0.0.1/24")
        second = a_node(B, ("eth0", nic_b), address="10.0.0.2/24")
        match = correlate(seen("10.0.0.1", ("eth0", nic_b)), (first, second), ())
        assert (match.state, match.candidates) == (CorrelationState.AMBIGUOUS, (A, B))


def test_an_address_of_a_node_with_other_nics_is_ambiguous() -> None:
    node = a_node(A, ("eno1", VENDOR_A), address="10.0.0.1/24")
    match = correlate(seen("10.0.0.1", ("eno1", VENDOR_B)), (node,), ())
    assert (match.state, match.candidates) == (CorrelationState.AMBIGUOUS, (A,))


@pytest.mark.parametrize("name", ["enp0s20f0u8", "usb0", "enxbe3af2b6059f", "eth1"])
def test_a_usb_nic_that_every_host_shows_is_no_evidence(name: str) -> None:
    node = a_node(A, ("eno1", VENDOR_A), (name, USB), address="10.0.0.1/24")
    assert found(seen("10.0.0.2", ("eno1", VENDOR_B), (name, USB)), node) == ("unknown", None, "none")
    node = a_node(A, ("eno1", GUEST_A), (name, USB), address="10.0.0.1/24")
    assert found(seen("10.0.0.2", ("eno1", GUEST_B), (name, USB)), node) == ("unknown", None, "none")


def test_a_vendors_mac_that_two_usb_adapters_share_is_no_evidence() -> None:
    shared = "00:e0:4c:68:00:01"
    node = a_node(A, ("eno1", VENDOR_A), ("enp0s20f0u2", shared))
    assert found(seen("", ("eno1", VENDOR_B), ("enp0s20f0u2", shared)), node)[0] == "unknown"


@pytest.mark.parametrize("name", ["docker0", "virbr0", "br0"])
def test_the_mac_of_a_bridge_is_no_evidence(name: str) -> None:
    bridge = NodeInterface(InterfaceId(9), name, InterfaceKind.BRIDGE, MacAddress("02:42:ac:11:00:01"))
    node = replace(a_node(A, ("eno1", VENDOR_A)), interfaces=(bridge,))
    evidence = HostEvidence((), links((name, "02:42:ac:11:00:01"), kind=InterfaceKind.BRIDGE))
    assert found(evidence, node)[0] == "unknown"


def test_half_of_the_nics_is_ambiguous_most_of_them_are_enough() -> None:
    node = a_node(A, ("eno1", VENDOR_A), ("eno2", VENDOR_A2))
    assert found(seen("", ("eno1", VENDOR_B), ("eno2", VENDOR_A2)), node)[0] == "ambiguous"
    assert found(seen("", ("eno1", VENDOR_A), ("eno2", VENDOR_A2), ("eno3", VENDOR_B)), node)[1] == A


def test_nics_of_guests_count_where_nothing_contradicts_them() -> None:
    node = a_node(A, ("eth0", GUEST_A))
    assert found(seen("10.0.0.9", ("eth0", GUEST_A)), node) == ("correlated", A, "mac")
    elsewhere = a_node(A, ("eth0", GUEST_A), address="10.0.0.1/24")
    assert found(seen("10.0.0.9", ("eth0", GUEST_A)), elsewhere)[0] == "ambiguous"
    assert found(seen("10.0.0.9", ("eth0", GUEST_A)), node, others=(a_host(1, A),))[0] == "ambiguous"


def test_an_address_that_several_nodes_have_is_decided_by_nics() -> None:
    nodes = (
        a_node(A, ("eno1", VENDOR_A), address="192.168.122.1/24"),
        a_node(B, ("eno1", VENDOR_B), address="192.168.122.1/24"),
    )
    assert found(seen("192.168.122.1", ("eno1", VENDOR_B)), *nodes) == ("correlated", B, "address")
    assert found(seen("192.168.122.1"), *nodes)[0] == "ambiguous"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1"])
def test_an_address_that_every_machine_has_says_nothing(address: str) -> None:
    prefix = 8 if address.startswith("127") else 64
    node = a_node(A, ("lo0", VENDOR_A), address=f"{address}/{prefix}")
    assert found(seen(address), node)[0] == "unknown"


def test_a_lease_counts_as_an_address() -> None:
    lease = HeldAddress(ip_address("10.0.0.7"), AddressKind.LEASE, None, A)
    match = correlate(seen("10.0.0.7"), (a_node(A, ("eno1", VENDOR_A)),), (lease,))
    assert (match.system_id, match.evidence) == (A, CorrelationEvidence.ADDRESS)


def test_the_same_uuid_keeps_the_node_that_nothing_else_shows() -> None:
    before = a_host(1, A, UUID)
    node = a_node(A, ("eno1", VENDOR_A), address="10.0.0.1/24")
    assert found(seen("10.0.0.99", uuid=UUID, before=before), node) == ("correlated", A, "uuid")
    assert found(seen("10.0.0.99", ("eno1", VENDOR_B), uuid=UUID, before=before), node)[1] == A


def test_uuid_and_nics_outweigh_an_address_that_has_moved() -> None:
    before = a_host(1, A, UUID)
    nodes = (
        a_node(A, ("eth0", GUEST_A), address="10.0.0.1/24"),
        a_node(B, ("eth0", GUEST_B), address="10.0.0.2/24"),
    )
    assert found(seen("10.0.0.2", ("eth0", GUEST_A), uuid=UUID, before=before), *nodes)[1] == A
    assert found(seen("10.0.0.2", uuid=UUID, before=before), *nodes)[0] == "ambiguous"


@pytest.mark.parametrize("mac", [VENDOR_B, GUEST_B])
def test_another_uuid_behind_the_uri_is_ambiguous_now_and_later(mac: str) -> None:
    before = a_host(1, A, UUID)
    node = a_node(A, ("eth0", VENDOR_A), address="10.0.0.1/24")
    evidence = seen("10.0.0.1", ("eth0", mac), uuid=OTHER_UUID, before=before)
    assert found(evidence, node)[0] == "ambiguous"
    later = replace(before, correlation=Correlation(CorrelationState.AMBIGUOUS, candidates=(A,)))
    assert found(replace(evidence, before=later), node)[0] == "ambiguous"


def test_another_uuid_of_the_same_nics_is_the_same_host() -> None:
    node = a_node(A, ("eth0", VENDOR_A), address="10.0.0.1/24")
    evidence = seen("10.0.0.1", ("eth0", VENDOR_A), uuid=OTHER_UUID, before=a_host(1, A, UUID))
    assert found(evidence, node)[1] == A


def test_a_node_that_is_a_host_with_another_uuid_is_not_taken() -> None:
    node = a_node(A, ("eno1", VENDOR_A), address="10.0.0.1/24")
    evidence = seen("10.0.0.1", ("eno1", VENDOR_A), uuid=OTHER_UUID)
    assert found(evidence, node, others=(a_host(1, A, UUID),))[0] == "ambiguous"


def first(evidence: HostEvidence, node: Node, *others: Host) -> str | None:
    match = correlate(evidence, (node,), (), others)
    host = first_of(match, evidence, others, {node.system_id: node})
    return None if host is None else host.name


def test_one_host_under_two_uris_is_known_by_its_uuid_or_its_node() -> None:
    node = a_node(A, ("eno1", VENDOR_A), address="10.0.0.1/24")
    assert first(seen("10.9.9.9", ("eno1", VENDOR_A), uuid=UUID), node, a_host(1, A, UUID)) == "kvm1"
    assert first(seen("10.9.9.9", uuid=UUID), node, a_host(1, A, UUID)) == "kvm1"
    assert first(seen("10.0.0.1"), node, a_host(1, A)) == "kvm1"
    assert first(seen("10.0.0.2", ("eno1", VENDOR_B)), node, a_host(1, A)) is None


def test_a_uuid_that_a_vendor_gave_to_two_machines_does_not_make_them_one() -> None:
    node = a_node(A, ("eno1", VENDOR_A), ("usb0", USB), address="10.0.0.1/24")
    evidence = seen("10.0.0.2", ("eno1", VENDOR_B), ("usb0", USB), uuid=UUID)
    assert first(evidence, node, a_host(1, A, UUID)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Not Settable",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
        "fefefefe-fefe-fefe-fefe-fefefefefefe",
        "00000000-0000-0000-0000-000000000001",
        "12345678-1234-5678-90ab-cddeefaabbcc",
    ],
)
def test_placeholders_of_firmware_identify_no_host(text: str) -> None:
    assert identifying_uuid(text) == ""


def test_a_uuid_is_compared_without_its_case() -> None:
    assert identifying_uuid(f" {UUID.upper()}\n") == UUID
