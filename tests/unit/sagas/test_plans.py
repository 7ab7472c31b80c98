"""Plans: what was shown is what is made, or every difference is told."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostloom.decide.dhcp.intent import dhcp_intent
from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.refusals import Refused
from hostloom.model.errors.resources import AlreadyExists, PlanGone, WrongState
from hostloom.model.errors.stale import PlanStale
from hostloom.model.errors.values import InvalidValue
from hostloom.model.grouping import COMPOSED_TAGS
from hostloom.model.ids import SubnetId
from hostloom.model.machine import Machine, PowerState
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.operation import OperationState
from hostloom.model.plan import Plan
from hostloom.model.reasons import RequestCode
from hostloom.model.request import ComposeBatch, ComposeRequest, Strategy
from hostloom.model.stored_plan import PLAN_LIFETIME_S, PlanContent, PlanDifference, StoredPlan
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.compose import COMPOSE
from hostloom.services import hosts, machines, operations, plans
from hostloom.services.machines import copies
from support.depth import examples
from support.fake_hypervisor import GIB
from support.little_world import URIS, LittleWorld, little_world
from support.saga_proofs import Proof, changed, failing

WEB = ComposeRequest(interfaces="eth0:space=mgmt;eth1:name=eth1,mode=unconfigured", hostname="web")


@pytest.fixture
def world(tmp_path: Path) -> LittleWorld:
    return little_world(tmp_path)


def keep(world: LittleWorld, *requests: ComposeRequest, strategy: Strategy | None = None) -> StoredPlan:
    stored, _ = plans.make_or_refuse(world.ports, LOCAL_ADMIN, ComposeBatch(requests or (WEB,), strategy))
    return stored


def content_of(world: LittleWorld, plan: StoredPlan) -> PlanContent:
    with world.ports.store.begin() as uow:
        return plans.get(uow, LOCAL_ADMIN, world.clock.now(), plan.id)[1]


def apply(world: LittleWorld, plan: StoredPlan) -> str:
    plans.compose(world.ports, LOCAL_ADMIN, plan.id)
    return world.run().state


def change(world: LittleWorld, write: Callable[[UnitOfWork], object]) -> None:
    with world.ports.store.begin() as uow:
        write(uow)
        uow.commit()


def machine(world: LittleWorld, name: str) -> Machine:
    with world.ports.store.begin() as uow:
        return machines.get(uow, LOCAL_ADMIN, name)


def as_planned(plan: Plan, made: Machine) -> bool:
    """To the last field that both have."""
    spec = plan.spec
    return (
        (spec.system_id, spec.name, spec.uuid, plan.host_id, spec.cores, spec.memory_mib, spec.netboot)
        == (made.system_id, made.hostname, made.uuid, made.host_id, made.cores, made.memory_mib, made.netboot)
        and spec.interfaces == made.interfaces
        and plan.disks == made.disks
        and made.power is (PowerState.ON if plan.start else PowerState.OFF)
    )


# -- what is kept --------------------------------------------------------------------------------------------


def test_a_plan_holds_nothing_and_says_all(world: LittleWorld) -> None:
    before = world.state()
    plan = keep(world)
    assert world.state() == before
    assert (plan.subject, plan.hosts, plan.requested_by) == ("machine web", ("kvm1",), LOCAL_ADMIN.name)
    assert plan.expires_at == world.clock.now() + PLAN_LIFETIME_S
    content = content_of(world, plan)
    (planned,) = content.plans
    (rendering,) = content.renderings
    assert rendering.xml is not None
    assert planned.spec.uuid in rendering.xml
    assert [(each.subnet, each.ip, each.mac, each.hostname) for each in content.dhcp] == [
        ("10.0.0.0/24", planned.interfaces[0].ips[0], planned.interfaces[0].mac, "web")
    ]
    assert content.facts_at == (world.clock.now(),)
    assert content.explanations[0].chosen == "kvm1"


def test_what_dhcp_gets_is_what_publishing_adds(world: LittleWorld) -> None:
    requests = copies(WEB, 3)
    content = content_of(world, keep(world, *requests))

    def served() -> set[Any]:
        with world.ports.store.begin() as uow:
            racks = uow.racks.list()
            intent = dhcp_intent(uow.snapshot(), uow.machines.published_nics(), racks, racks[0], lambda _: "")
        return {(str(s.cidr), r.mac, r.ip, r.hostname) for s in intent.subnets for r in s.reservations}

    before = served()
    machines.compose_batch(world.ports, LOCAL_ADMIN, ComposeBatch(requests))
    assert world.run().state == "succeeded"
    assert {each[:1] + each[2:] for each in served() - before} == {
        (each.subnet, each.ip, each.hostname) for each in content.dhcp
    }


def test_a_host_that_does_not_answer_leaves_the_xml_out(world: LittleWorld) -> None:
    world.hypervisors.of("", URIS[0]).unreachable = True
    content = content_of(
        world, keep(world, replace(WEB, host="kvm1"), replace(WEB, hostname="b", host="kvm2"))
    )
    dead, alive = content.renderings
    assert dead.xml is None
    assert "kvm1" in dead.missing
    assert alive.xml is not None
    world.hypervisors.of("", URIS[0]).calls.clear()
    keep(world, *(replace(WEB, hostname=f"w{n}", host="kvm1") for n in range(3)))
    assert len(world.hypervisors.of("", URIS[0]).calls) == 1, "a dead host is asked once a plan"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (ComposeBatch(()), InvalidValue),
        (ComposeBatch((WEB, WEB)), InvalidValue),
        (ComposeBatch((replace(WEB, hostname="No_Name"),)), InvalidValue),
        (ComposeBatch((replace(WEB, hostname="kvm1"),)), AlreadyExists),
        (ComposeBatch(copies(WEB, 1001)), InvalidValue),
    ],
)
def test_a_wrong_batch_is_neither_planned_nor_composed(
    world: LittleWorld, wrong: ComposeBatch, error: type[Exception]
) -> None:
    for ask in (plans.make, machines.compose_batch):
        with pytest.raises(error):
            ask(world.ports, LOCAL_ADMIN, wrong)


def test_a_refusal_names_the_machine_without_a_place(world: LittleWorld) -> None:
    batch = ComposeBatch((WEB, replace(WEB, hostname="big", memory_mib=10**7)))
    with pytest.raises(Refused, match="machine big: no host fits") as refused:
        plans.make_or_refuse(world.ports, LOCAL_ADMIN, batch)
    assert refused.value.code == RequestCode.NO_HOST_FITS
    with world.ports.store.begin() as uow:
        assert plans.list_(uow, LOCAL_ADMIN, world.clock.now()) == []


# -- what is made --------------------------------------------------------------------------------------------


requests = st.builds(
    ComposeRequest,
    interfaces=st.sampled_from(
        (
            "",
            "eth0:space=mgmt",
            "eth0:space=mgmt;eth1:name=eth1,mode=unconfigured",
            "eth0:space=mgmt;eth1:attach=macvlan,macvlan_mode=private,name=eth2,mode=unconfigured",
            "a:space=mgmt;b:space=mgmt,mode=dhcp",
        )
    ),
    storage=st.sampled_from(("", "root:1", "root:1,data:2(default)")),
    cores=st.integers(1, 3),
    memory_mib=st.integers(1, 3000),
    netboot=st.booleans(),
    qcow2=st.booleans(),
    start=st.booleans(),
    tags=st.sampled_from(((), ("blue",))),
    anti_affinity=st.sampled_from((None, None, "apart")),
)


@settings(max_examples=examples(25, shallow=8), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(requests, min_size=1, max_size=4), st.sampled_from((None, *Strategy)), st.integers(0, 3))
def test_a_fresh_plan_gives_exactly_what_was_planned(
    wanted: list[ComposeRequest], strategy: Strategy | None, there: int
) -> None:
    with TemporaryDirectory() as directory:
        world = little_world(Path(directory))
        for number in range(there):
            machines.compose(world.ports, LOCAL_ADMIN, replace(WEB, hostname=f"there-{number}"))
            assert world.run().state == "succeeded"
        planned = plans.make(world.ports, LOCAL_ADMIN, ComposeBatch(tuple(wanted), strategy))
        if planned.stored is None:
            assert planned.decision.explanations[0].refusal is not None
            return
        assert apply(world, planned.stored) == "succeeded"
        for plan, request in zip(planned.decision.plans, wanted, strict=True):
            made = machine(world, plan.spec.name)
            assert as_planned(plan, made)
            assert set(made.tags) == {*request.tags, *COMPOSED_TAGS}
        world.ports.store.close()


def test_composing_a_plan_twice_is_one_operation(world: LittleWorld) -> None:
    plan = keep(world)
    first = plans.compose(world.ports, LOCAL_ADMIN, plan.id)
    assert plans.compose(world.ports, LOCAL_ADMIN, plan.id).id == first.id
    assert world.run().state == "succeeded"
    again = plans.compose(world.ports, LOCAL_ADMIN, plan.id)
    assert (again.id, again.state) == (first.id, OperationState.SUCCEEDED)


def test_a_plan_makes_its_machine_once(world: LittleWorld) -> None:
    plan = keep(world)
    assert apply(world, plan) == "succeeded"
    machines.decompose(world.ports, LOCAL_ADMIN, "web")
    assert world.run().state == "succeeded"
    with pytest.raises(WrongState, match="it made machine web"):
        plans.compose(world.ports, LOCAL_ADMIN, plan.id)


def test_a_plan_whose_operation_was_undone_can_be_applied_again(world: LittleWorld) -> None:
    plan = keep(world)
    proof = Proof(world, COMPOSE, lambda w: plans.compose(w.ports, LOCAL_ADMIN, plan.id))
    proof.begin(world)
    assert proof.run(changed(COMPOSE, "power", failing)).state == "failed"
    assert apply(world, plan) == "succeeded"
    assert as_planned(content_of(world, plan).plans[0], machine(world, "web"))


def test_a_plan_that_expires_while_it_is_applied_is_applied(world: LittleWorld) -> None:
    plan = keep(world)
    plans.compose(world.ports, LOCAL_ADMIN, plan.id)
    world.clock.time += PLAN_LIFETIME_S + 1
    keep(world, replace(WEB, hostname="other"))
    assert world.run().state == "succeeded"
    with pytest.raises(PlanGone):
        plans.compose(world.ports, LOCAL_ADMIN, plan.id)


def test_changed_facts_that_change_no_plan_are_no_reason(world: LittleWorld) -> None:
    plan = keep(world)
    for number, more in ((0, 1000), (1, 100_000)):
        host = world.hypervisors.of("", URIS[number])
        host.observed = replace(host.observed, cores=32, memory_mib=65536 + more)
        hosts.refresh(world.ports, LOCAL_ADMIN, f"kvm{number + 1}")
        assert world.run().state == "succeeded"
    # Open, the machine would go to the other host now; the plan's can still do exactly what was planned.
    assert content_of(world, keep(world, replace(WEB, hostname="open"))).plans[0].host_name == "kvm2"
    assert apply(world, plan) == "succeeded"
    assert as_planned(content_of(world, plan).plans[0], machine(world, "web"))


# -- what is out of date -------------------------------------------------------------------------------------


def stale(world: LittleWorld, plan: StoredPlan) -> list[PlanDifference]:
    """Told when asked; and, where the world changes only later, by the operation too."""
    with pytest.raises(PlanStale) as told:
        plans.compose(world.ports, LOCAL_ADMIN, plan.id)
    assert len(told.value.text) == len(told.value.differences)
    return [each for each in told.value.differences if isinstance(each, PlanDifference)]


def take(ip: str, comment: str = "") -> Callable[[UnitOfWork], object]:
    held = HeldAddress(ip_address(ip), AddressKind.RESERVED, SubnetId(1), comment=comment)
    return lambda uow: uow.addresses.hold(held)


def test_an_address_that_was_taken_is_told_with_its_taker(world: LittleWorld) -> None:
    plan = keep(world)
    ip = content_of(world, plan).plans[0].interfaces[0].ips[0]
    assert apply(world, keep(world, replace(WEB, hostname="web2", host="kvm1"))) == "succeeded"
    (found,) = stale(world, plan)
    assert found == PlanDifference("web", "eth0 ip", str(ip), str(ip + 1), "web2")
    with pytest.raises(PlanStale, match=f"web eth0 ip: {ip} -> {ip + 1}: taken by web2"):
        plans.compose(world.ports, LOCAL_ADMIN, plan.id)


def test_an_operation_tells_what_changed_after_it_was_asked_for(world: LittleWorld) -> None:
    plan = keep(world)
    ip = content_of(world, plan).plans[0].interfaces[0].ips[0]
    before = world.hypervisors.world()
    plans.compose(world.ports, LOCAL_ADMIN, plan.id)
    change(world, take(str(ip), "for a printer"))
    ended = world.run()
    assert (ended.state, ended.error_code) == (OperationState.FAILED, "plan-stale")
    assert f"web eth0 ip: {ip} -> {ip + 1}: taken by reservation 'for a printer'" in ended.error
    assert world.hypervisors.world() == before


def test_a_host_that_is_read_anew_and_differs_is_told(world: LittleWorld) -> None:
    """Only `observe` sees it; the record is unchanged."""
    plan = keep(world)
    kvm1 = world.hypervisors.of("", URIS[0])
    (emulation,) = kvm1.observed.emulations
    kvm1.observed = replace(kvm1.observed, emulations=(replace(emulation, machine_type="pc-q35-99"),))
    plans.compose(world.ports, LOCAL_ADMIN, plan.id)
    ended = world.run()
    assert ended.error_code == "plan-stale"
    assert "web machine type: q35 -> pc-q35-99" in ended.error


def test_a_host_without_room_is_told_as_refused(world: LittleWorld) -> None:
    plan = keep(world)
    full = replace(WEB, hostname="big", host="kvm1", memory_mib=65000)
    assert apply(world, keep(world, full)) == "succeeded"
    (found,) = stale(world, plan)
    assert (found.machine, found.field, found.planned, found.now) == ("web", "host", "kvm1", "refused")
    assert found.refusal is not None
    assert found.refusal.code is RequestCode.NOT_ENOUGH_MEMORY


def test_every_machine_of_a_batch_that_differs_is_named(world: LittleWorld) -> None:
    plan = keep(world, *copies(WEB, 3))
    first = min(each.interfaces[0].ips[0] for each in content_of(world, plan).plans)
    change(world, take(str(first)))
    assert {each.machine for each in stale(world, plan)} == {"web-1", "web-2", "web-3"}


def test_a_subnet_that_is_no_longer_ours_to_give_is_told(world: LittleWorld) -> None:
    plan = keep(world, replace(WEB, interfaces="eth0:name=br0"))

    def renumber(uow: UnitOfWork) -> None:
        subnet = uow.subnets.get(SubnetId(1))
        uow.subnets.update(replace(subnet, managed=False))

    change(world, renumber)
    assert stale(world, plan)


def test_a_name_that_was_taken_is_refused(world: LittleWorld) -> None:
    plan = keep(world)
    assert apply(world, keep(world, replace(WEB, host="kvm2"))) == "succeeded"
    with pytest.raises(AlreadyExists, match="node 'web'"):
        plans.compose(world.ports, LOCAL_ADMIN, plan.id)


def test_a_pool_that_filled_up_is_told(world: LittleWorld) -> None:
    plan = keep(world, replace(WEB, storage="root:400"))
    kvm1 = world.hypervisors.of("", URIS[0])
    (pool,) = kvm1.observed.storage_pools
    kvm1.observed = replace(kvm1.observed, storage_pools=(replace(pool, free_bytes=GIB),))
    plans.compose(world.ports, LOCAL_ADMIN, plan.id)
    ended = world.run()
    assert ended.error_code == "plan-stale"
    assert "web host: kvm1 -> refused: disk root" in ended.error


def test_a_cancelled_batch_leaves_nothing(world: LittleWorld) -> None:
    before = world.state()
    begun = machines.compose_batch(world.ports, LOCAL_ADMIN, ComposeBatch(copies(WEB, 3)))

    def cancel(method: str) -> None:
        if method == "ensure_machine":
            with world.ports.store.begin() as uow:
                operations.cancel(uow, LOCAL_ADMIN, begun.id)
                uow.commit()

    world.hypervisors.of("", URIS[0]).before_call = cancel
    assert world.run().state is OperationState.CANCELLED
    world.hypervisors.of("", URIS[0]).before_call = None
    assert world.state() == before
