"""Proof on the wire: every verdict, and what holds of all proofs."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostloom.decide.explain.proof import describe_evidence, describe_failures
from hostloom.decide.machines.nic_expectations import (
    NeighbourVerdict,
    NeighbourVerdicts,
    NicExpectation,
    VerificationReason,
    duplicates,
    expectations_of,
    probe_point,
    questions,
)
from hostloom.decide.machines.nic_verification import NicObservation, unseen, verify_nic
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.ids import FabricId, HostId, MacAddress, SubnetId, SystemId, VlanId
from hostloom.model.machine import (
    Check,
    Evidence,
    Machine,
    MachineInterface,
    MachineOrigin,
    MachineState,
    NicProof,
    PowerState,
    Verdict,
)
from hostloom.model.network import Address, Subnet, Vlan
from hostloom.model.node import InterfaceKind
from hostloom.model.observed import ObservedInterface, ObservedLink, ObservedMachine
from hostloom.model.request import AddressMode
from support.stored import a_host

OWN, OTHER, ROUTER = (MacAddress(f"52:54:00:00:00:0{n}") for n in (1, 2, 3))
IP, GATEWAY = ip_address("10.0.0.5"), ip_address("10.0.0.1")
IP6, GATEWAY6 = ip_address("2001:db8::5"), ip_address("fe80::1")
BRIDGE = Attachment(AttachKind.BRIDGE, "br0")
MACVLAN = Attachment(AttachKind.MACVLAN, "eth1", MacvlanMode.PRIVATE)
NETWORK = Attachment(AttachKind.NETWORK, "maas")
PASSTHRU = Attachment(AttachKind.MACVLAN, "eth2", MacvlanMode.PASSTHRU)
HOSTDEV = Attachment(AttachKind.OTHER, "hostdev 0000:3b:02.1")
AT = 1_800_000_000.0


def wants(
    attachment: Attachment = BRIDGE, *ips: Address, mode: AddressMode = AddressMode.AUTO
) -> NicExpectation:
    nic = MachineInterface("eth0", OWN, attachment, VlanId(1), mode, ips)
    bridge = "br0" if attachment == NETWORK else None
    gateways = (GATEWAY, GATEWAY6) if IP6 in ips else (GATEWAY,)
    return NicExpectation(nic, bridge, gateways, 1500)


def link(name: str, **more: object) -> ObservedLink:
    found = ObservedLink(name, None, None, True, True, 1500)
    return replace(found, **more)  # type: ignore[arg-type]  # fields by name, as each test needs them


LINKS = {
    each.name: each
    for each in (
        link("br0", kind=InterfaceKind.BRIDGE, parents=("eth0",)),
        link("br1", kind=InterfaceKind.BRIDGE),
        link("eth0", kind=InterfaceKind.PHYSICAL, master="br0"),
        link("eth1", kind=InterfaceKind.PHYSICAL),
        link("vnet0", master="br0"),
        link("macvtap0", parents=("eth1",), macvlan_mode=MacvlanMode.PRIVATE),
    )
}


def seen(
    attachment: Attachment = BRIDGE, power: PowerState = PowerState.ON, **links: object
) -> NicObservation:
    """A machine with one NIC; `links` change those of the host."""
    target = "macvtap0" if attachment.kind is AttachKind.MACVLAN else "vnet0"
    nic = ObservedInterface(OWN, attachment, target if power is PowerState.ON else "")
    machine = ObservedMachine("u", "web", 1, 512, power, "amd64", (nic,))
    return NicObservation(machine, {name: each for name, each in (LINKS | links).items() if each is not None})  # type: ignore[misc]  # links, or None: gone


ALL_ANSWER = NeighbourVerdicts(
    {IP: NeighbourVerdict((OWN,), 1500), GATEWAY: NeighbourVerdict((ROUTER,), 1500)}
)


def one(proof: NicProof, check: Check) -> Evidence:
    (found,) = (each for each in proof.evidence if each.check is check)
    return found


@pytest.mark.parametrize("attachment", [BRIDGE, MACVLAN, NETWORK])
def test_all_is_well(attachment: Attachment) -> None:
    proof = verify_nic(wants(attachment, IP), seen(attachment), ALL_ANSWER, (), AT)
    assert [each.check for each in proof.evidence] == list(Check)
    assert {each.verdict for each in proof.evidence} == {Verdict.PASSED}
    assert (proof.verdict, proof.at, proof.nic) == (Verdict.PASSED, AT, "eth0")


@pytest.mark.parametrize(
    ("planned", "there", "found"),
    [
        (BRIDGE, seen(Attachment(AttachKind.BRIDGE, "br1")), "bridge br1"),
        (BRIDGE, seen(vnet0=link("vnet0", master="br1")), "bridge br1"),
        (BRIDGE, seen(vnet0=link("vnet0")), VerificationReason.NOT_A_PORT),
        (BRIDGE, seen(vnet0=None), VerificationReason.NO_DEVICE),
        (NETWORK, seen(NETWORK, vnet0=link("vnet0", master="br1")), "bridge br1"),
        (BRIDGE, seen(HOSTDEV), VerificationReason.OTHER_KIND),
        (HOSTDEV, seen(BRIDGE), "bridge br0"),
        (MACVLAN, seen(replace(MACVLAN, mode=MacvlanMode.VEPA)), "macvlan eth1 vepa"),
        (MACVLAN, seen(MACVLAN, macvtap0=link("macvtap0", parents=("eth2",))), "macvlan eth2"),
        (
            MACVLAN,
            seen(MACVLAN, macvtap0=link("macvtap0", parents=("eth1",), macvlan_mode=MacvlanMode.VEPA)),
            "macvlan eth1 vepa",
        ),
        (BRIDGE, NicObservation(None, None), VerificationReason.MACHINE_GONE),
        (BRIDGE, NicObservation(replace(seen().machine, interfaces=()), LINKS), VerificationReason.NO_NIC),  # type: ignore[type-var]  # it is there
    ],
)
def test_a_wrong_attachment_fails(planned: Attachment, there: NicObservation, found: str) -> None:
    evidence = one(verify_nic(wants(planned, IP), there, ALL_ANSWER, (), AT), Check.ATTACHMENT)
    assert (evidence.verdict, evidence.found) == (Verdict.FAILED, found)
    assert describe_evidence(evidence)


@pytest.mark.parametrize(
    ("planned", "there", "found"),
    [
        (BRIDGE, seen(vnet0=link("vnet0", master="br0", link=False)), "vnet0 down"),
        (BRIDGE, seen(br0=link("br0", enabled=False)), "br0 down"),
        # Its own tap gives a bridge carrier: what counts is the NIC in it.
        (BRIDGE, seen(eth0=link("eth0", link=False)), "eth0 down"),
        (MACVLAN, seen(MACVLAN, eth1=link("eth1", link=False)), "eth1 down"),
    ],
)
def test_no_carrier_fails(planned: Attachment, there: NicObservation, found: str) -> None:
    evidence = one(verify_nic(wants(planned, IP), there, ALL_ANSWER, (), AT), Check.CARRIER)
    assert (evidence.verdict, evidence.found) == (Verdict.FAILED, found)


def test_a_bridge_without_nics_has_carrier() -> None:
    there = seen(br0=link("br0"))
    assert (
        one(verify_nic(wants(BRIDGE, IP), there, ALL_ANSWER, (), AT), Check.CARRIER).verdict is Verdict.PASSED
    )


def test_links_that_cannot_be_read_are_unknown_and_attachment_rests_on_the_hypervisor() -> None:
    proof = verify_nic(wants(BRIDGE, IP), replace(seen(), links=None), ALL_ANSWER, (), AT)
    assert one(proof, Check.ATTACHMENT).verdict is Verdict.PASSED
    assert one(proof, Check.ATTACHMENT).how == "hypervisor"
    assert one(proof, Check.CARRIER).found == VerificationReason.LINKS_NOT_READ


@pytest.mark.parametrize(
    ("macs", "leased", "verdict", "found"),
    [
        ((OWN,), (), Verdict.PASSED, str(OWN)),
        ((), (IP,), Verdict.PASSED, str(IP)),
        ((), (), Verdict.UNKNOWN, VerificationReason.NOT_UP_YET),
        ((), (ip_address("10.0.0.9"),), Verdict.FAILED, "10.0.0.9"),
        ((OTHER,), (), Verdict.FAILED, str(OTHER)),
        ((OWN, OTHER), (), Verdict.PASSED, str(OWN)),
    ],
)
def test_address(macs: tuple[MacAddress, ...], leased: tuple[Address, ...], verdict: str, found: str) -> None:
    evidence = one(
        verify_nic(wants(BRIDGE, IP), seen(), NeighbourVerdicts({IP: NeighbourVerdict(macs)}), leased, AT),
        Check.ADDRESS,
    )
    assert (evidence.verdict, evidence.found, evidence.wanted) == (verdict, found, str(IP))


def test_an_address_by_dhcp_is_any_lease() -> None:
    planned = wants(BRIDGE, mode=AddressMode.DHCP)
    assert one(verify_nic(planned, seen(), ALL_ANSWER, (), AT), Check.ADDRESS).verdict is Verdict.UNKNOWN
    assert one(verify_nic(planned, seen(), ALL_ANSWER, (IP,), AT), Check.ADDRESS).verdict is Verdict.PASSED
    nothing = wants(BRIDGE, mode=AddressMode.UNCONFIGURED)
    assert (
        one(verify_nic(nothing, seen(), ALL_ANSWER, (), AT), Check.ADDRESS).found
        == VerificationReason.NO_ADDRESS
    )


def test_a_duplicate_is_told_with_its_mac() -> None:
    answers = NeighbourVerdicts(
        {IP: NeighbourVerdict((OWN, OTHER)), GATEWAY: NeighbourVerdict((ROUTER,), 1500)}
    )
    proof = verify_nic(wants(BRIDGE, IP), seen(), answers, (), AT)
    assert one(proof, Check.DUPLICATE).verdict is Verdict.FAILED
    assert duplicates(wants(BRIDGE, IP), answers) == {IP: (OTHER,)}
    assert describe_failures("eth0", proof.evidence) == f"eth0: duplicate: {OTHER} also answers for {IP}"


@pytest.mark.parametrize(
    ("answer", "gateway", "mtu"),
    [
        (NeighbourVerdict(()), Verdict.FAILED, Verdict.UNKNOWN),
        (NeighbourVerdict((ROUTER,)), Verdict.PASSED, Verdict.UNKNOWN),
        (NeighbourVerdict((ROUTER,), 1400), Verdict.PASSED, Verdict.FAILED),
        (NeighbourVerdict((ROUTER,), 9000), Verdict.PASSED, Verdict.PASSED),
    ],
)
def test_gateway_and_mtu(answer: NeighbourVerdict, gateway: Verdict, mtu: Verdict) -> None:
    proof = verify_nic(wants(BRIDGE, IP), seen(), NeighbourVerdicts({GATEWAY: answer}), (), AT)
    assert one(proof, Check.GATEWAY).verdict is gateway
    assert one(proof, Check.MTU).verdict is mtu


def test_both_families_have_evidence_of_their_own() -> None:
    answers = NeighbourVerdicts(
        {each: NeighbourVerdict((OWN,), 1500) for each in (IP, IP6, GATEWAY, GATEWAY6)}
    )
    proof = verify_nic(wants(BRIDGE, IP, IP6), seen(), answers, (), AT)
    assert proof.verdict is Verdict.PASSED
    wanted = {each.wanted for each in proof.evidence}
    assert {str(IP), str(IP6), str(GATEWAY), str(GATEWAY6), f"1500 to {GATEWAY6}"} <= wanted


def test_a_machine_that_is_off_has_no_carrier_and_no_address_to_check() -> None:
    proof = verify_nic(
        wants(BRIDGE, IP), seen(power=PowerState.OFF), NeighbourVerdicts({IP: NeighbourVerdict(())}), (), AT
    )
    for check in (Check.CARRIER, Check.ADDRESS):
        assert one(proof, check).found == VerificationReason.MACHINE_OFF
    assert one(proof, Check.DUPLICATE).verdict is Verdict.PASSED


def test_where_probes_stand() -> None:
    assert probe_point(wants(BRIDGE)) == BRIDGE
    assert probe_point(wants(NETWORK)) == BRIDGE
    assert probe_point(replace(wants(NETWORK), bridge=None)) is VerificationReason.NETWORK_WITHOUT_BRIDGE
    assert probe_point(wants(PASSTHRU)) is VerificationReason.PARENT_IS_ITS_OWN
    asked = questions([wants(BRIDGE, IP), wants(NETWORK, IP6), wants(MACVLAN, IP), wants(PASSTHRU, IP)])
    assert set(asked) == {BRIDGE, MACVLAN}
    assert asked[BRIDGE].targets == (IP, GATEWAY, IP6, GATEWAY6)
    assert asked[BRIDGE].mtu == 1500


def a_machine(nic: MachineInterface) -> Machine:
    state, origin = MachineState.READY, MachineOrigin.COMPOSED
    return Machine(
        SystemId("m00001"), "web", "u", origin, state, HostId(1), "amd64", 1, 512, interfaces=(nic,)
    )


def test_what_is_wanted_comes_from_the_vlan() -> None:
    vlan = Vlan(VlanId(1), FabricId(1), 10, "v", mtu=9000)
    four = Subnet(SubnetId(1), ip_network("10.0.0.0/24"), vlan.id, "four", GATEWAY)
    six = Subnet(SubnetId(2), ip_network("2001:db8::/64"), vlan.id, "six", GATEWAY6)
    snapshot = Snapshot(vlans=(vlan,), subnets=(six, four))
    machine, host = a_machine(wants(BRIDGE, IP).nic), a_host()
    (planned,) = expectations_of(snapshot, host, machine)
    assert (planned.gateways, planned.mtu) == ((GATEWAY,), 9000)
    (leased,) = expectations_of(snapshot, host, a_machine(wants(BRIDGE).nic))
    assert leased.gateways == (GATEWAY, GATEWAY6)
    (nowhere,) = expectations_of(Snapshot(), host, machine)
    assert (nowhere.gateways, nowhere.mtu) == ((), None)
    proof = verify_nic(nowhere, seen(), ALL_ANSWER, (), AT)
    assert one(proof, Check.GATEWAY).found == VerificationReason.NO_VLAN


def test_a_nic_of_another_kind_is_not_judged() -> None:
    proof = verify_nic(wants(HOSTDEV), seen(HOSTDEV, vnet0=None), NeighbourVerdicts(), (), AT)
    assert one(proof, Check.ATTACHMENT).verdict is Verdict.PASSED
    assert one(proof, Check.CARRIER).verdict is Verdict.NOT_APPLICABLE
    assert probe_point(wants(HOSTDEV)) is VerificationReason.OTHER_KIND


MACS = st.lists(st.sampled_from([OWN, OTHER, ROUTER]), unique=True).map(tuple)
ANSWERS = st.builds(
    NeighbourVerdicts,
    st.dictionaries(
        st.sampled_from([IP, IP6, GATEWAY, GATEWAY6]),
        st.builds(NeighbourVerdict, MACS, st.none() | st.integers(46, 9000)),
    ),
    st.sampled_from(["", "told why", *VerificationReason]),
)
WANTED = st.builds(
    lambda attachment, ips, mode: wants(attachment, *ips, mode=mode),
    st.sampled_from([BRIDGE, MACVLAN, NETWORK, PASSTHRU, HOSTDEV]),
    st.lists(st.sampled_from([IP, IP6]), unique=True),
    st.sampled_from(list(AddressMode)),
)
SHOWN = st.builds(
    lambda attachment, power, known: replace(seen(attachment, power), links=LINKS if known else None),
    st.sampled_from([BRIDGE, MACVLAN, NETWORK, PASSTHRU, HOSTDEV]),
    st.sampled_from(list(PowerState)),
    st.booleans(),
)


@given(WANTED, SHOWN, ANSWERS, st.sets(st.sampled_from([IP, IP6, ip_address("10.0.0.9")])))
def test_every_proof_is_whole_and_can_be_told(
    planned: NicExpectation, there: NicObservation, answers: NeighbourVerdicts, leased: set[Address]
) -> None:
    proof = verify_nic(planned, there, answers, leased, AT)
    assert {each.check for each in proof.evidence} == set(Check)
    for each in proof.evidence:
        text = describe_evidence(each)
        assert "{" not in text
        assert text or not each.found
    for ip, macs in duplicates(planned, answers).items():
        assert OWN not in macs
        failed = [each for each in proof.evidence if each.check is Check.DUPLICATE and each.wanted == str(ip)]
        assert [each.verdict for each in failed] == [Verdict.FAILED]


@given(st.lists(WANTED, max_size=8))
def test_every_nic_is_asked_for_where_it_is(planned: list[NicExpectation]) -> None:
    asked = questions(planned)
    for each in planned:
        point = probe_point(each)
        if not isinstance(point, VerificationReason):
            assert set(each.targets) <= set(asked[point].targets)
    assert all(len(set(each.targets)) == len(each.targets) for each in asked.values())


@given(WANTED, st.text(max_size=20))
def test_what_was_not_seen_is_unknown(planned: NicExpectation, why: str) -> None:
    proof = unseen(planned, why, AT)
    assert [each.check for each in proof.evidence] == list(Check)
    assert {each.verdict for each in proof.evidence} == {Verdict.UNKNOWN}
