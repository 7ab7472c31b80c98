"""Deployments from the request to the report of the machine, on fakes."""

from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.decide.explain.reason_texts import render_warning
from hostloom.model.access import LOCAL_ADMIN, Principal
from hostloom.model.commissioning import BootAction
from hostloom.model.deployment import Deployment, DeployReport, DeployRequest, ImageCopy, copy_volume
from hostloom.model.errors.permissions import NotPermitted, ReportRefused
from hostloom.model.errors.refusals import Refused
from hostloom.model.errors.resources import NotFound, WrongState
from hostloom.model.errors.values import InvalidValue
from hostloom.model.machine import Machine, MachineState, PowerState
from hostloom.model.request import ComposeRequest
from hostloom.sagas.seeds import report_token
from hostloom.services import deploy, deployments, hosts, lifecycle, machines, plans
from hostloom.services.network_boot import boot_now
from support.disk_images import a_disk_image
from support.fake_hypervisor import FakeHypervisor
from support.little_world import URIS, LittleWorld, add_disk_image, little_world
from support.seeds import KEY

IMAGE = a_disk_image(virtual_size_bytes=10**6)
DEPLOY = DeployRequest(IMAGE.name, ssh_keys=(KEY,))
REQUEST = ComposeRequest(interfaces="eth0:space=mgmt", hostname="web", storage="root:0.01", deploy=DEPLOY)
HOST_KEY = "ssh-ed25519 AAAA"
REPORT = DeployReport((HOST_KEY,))


@pytest.fixture
def world(tmp_path: Path) -> LittleWorld:
    """One host, and a disk image."""
    world = little_world(tmp_path, 1)
    add_disk_image(world, IMAGE)
    return world


def compose(world: LittleWorld, **changes: object) -> Machine:
    machines.compose(world.ports, LOCAL_ADMIN, replace(REQUEST, **changes))  # type: ignore[arg-type]
    operation = world.run()
    assert operation.state == "succeeded", operation.error
    return machine_of(world)


def machine_of(world: LittleWorld, name: str = "web") -> Machine:
    with world.ports.store.begin() as uow:
        machine = uow.machines.find(name)
    assert machine is not None
    return machine


def deployment_of(world: LittleWorld, name: str = "web") -> Deployment:
    machine = machine_of(world, name)
    with world.ports.store.begin() as uow:
        deployment = uow.deployments.find(machine.system_id)
    assert deployment is not None
    return deployment


def token_of(world: LittleWorld) -> str:
    return report_token(world.ports, machine_of(world), deployment_of(world).instance_id)


def refresh(world: LittleWorld) -> None:
    hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
    assert world.run().state == "succeeded"


def events(world: LittleWorld) -> list[str]:
    with world.ports.store.begin() as uow:
        return [event.kind.value for event in uow.events.list()]


def hypervisor(world: LittleWorld) -> FakeHypervisor:
    found = world.hypervisors.of("kvm1", URIS[0])
    assert isinstance(found, FakeHypervisor)
    return found


def test_a_machine_is_deployed_when_it_reports(world: LittleWorld) -> None:
    machine = compose(world)
    assert (machine.state, machine.power, machine.owner) == (
        MachineState.DEPLOYING,
        PowerState.ON,
        LOCAL_ADMIN.name,
    )
    assert [disk.name for disk in machine.disks] == ["root", "seed"]
    for _ in range(2):
        deployments.take_report(world.ports, token_of(world), REPORT)
        assert machine_of(world).state is MachineState.DEPLOYED
        assert deployment_of(world).host_keys == (HOST_KEY,)
    assert events(world).count("machine-deployed") == 1


def test_what_the_machine_reports_with_is_nowhere_but_on_its_seed(world: LittleWorld) -> None:
    compose(world)
    token = token_of(world)
    volumes = hypervisor(world).volumes
    (seed,) = (content for (_, name), content in volumes.contents.items() if ".seed." in name)
    assert token.encode() in seed
    assert b"http://10.0.0.2:5248/deployed" in seed
    with world.ports.store.begin() as uow:
        operations = str([(o.input, [s.output for s in o.steps]) for o in uow.operations.list()])
        assert token not in operations + str(uow.deployments.find(machine_of(world).system_id))


def test_a_wrong_token_is_refused(world: LittleWorld) -> None:
    compose(world)
    assert not deployments.knows_token(world.ports, "x" * 32)
    with pytest.raises(ReportRefused):
        deployments.take_report(world.ports, "x" * 32, REPORT)
    assert machine_of(world).state is MachineState.DEPLOYING


def test_errors_of_cloud_init_are_shown(world: LittleWorld) -> None:
    compose(world)
    deployments.take_report(world.ports, token_of(world), DeployReport((HOST_KEY,), ("no locale", "no disk")))
    assert machine_of(world).state is MachineState.FAILED_DEPLOYMENT
    assert deployment_of(world).failure == "no locale; no disk"
    assert events(world).count("deployment-failed") == 1


def test_a_machine_that_does_not_report_in_time_has_failed_until_it_does(world: LittleWorld) -> None:
    compose(world)
    world.clock.time += world.ports.settings.deploy_timeout_s - 1
    deployments.give_up_overdue(world.ports)
    assert machine_of(world).state is MachineState.DEPLOYING
    world.clock.time += 1
    for _ in range(2):
        deployments.give_up_overdue(world.ports)
        assert machine_of(world).state is MachineState.FAILED_DEPLOYMENT
    deployment = deployment_of(world)
    assert "no report came" in deployment.failure
    assert deployment.boot_output == "web is on\n"
    assert events(world).count("deployment-failed") == 1
    deployments.take_report(world.ports, token_of(world), REPORT)
    assert machine_of(world).state is MachineState.DEPLOYED
    assert deployment_of(world).failure == ""


def test_a_console_that_cannot_be_read_is_no_reason_to_wait(world: LittleWorld) -> None:
    compose(world)
    hypervisor(world).unreachable = True
    world.clock.time += world.ports.settings.deploy_timeout_s
    deployments.give_up_overdue(world.ports)
    assert machine_of(world).state is MachineState.FAILED_DEPLOYMENT
    assert "could not be read" in deployment_of(world).boot_output


@pytest.mark.parametrize(
    ("report", "state"),
    [(REPORT, MachineState.DEPLOYED), (DeployReport((), ("broken",)), MachineState.FAILED_DEPLOYMENT)],
)
def test_a_machine_that_reports_before_its_operation_has_ended_is_settled_with_it(
    world: LittleWorld, report: DeployReport, state: MachineState
) -> None:
    machines.compose(world.ports, LOCAL_ADMIN, REQUEST)
    started: list[str] = []

    def after_start(method: str) -> None:
        if started and not started[1:]:
            started.append(method)
            deployments.take_report(world.ports, token_of(world), report)
        elif method == "start":
            started.append(method)

    hypervisor(world).before_call = after_start
    assert world.run().state == "succeeded"
    assert started[1:]
    assert machine_of(world).state is state


def test_a_machine_that_cannot_report_is_deployed_when_it_runs(world: LittleWorld) -> None:
    request = replace(REQUEST, interfaces="eth0:name=eth1,mode=unconfigured", netboot=False)
    stored, content = plans.make_or_refuse(world.ports, LOCAL_ADMIN, machines.ComposeBatch((request,)))
    (text,) = (render_warning(w) for w in content.plans[0].warnings if w.code == "cannot-report")
    assert "cannot report" in text
    plans.compose(world.ports, LOCAL_ADMIN, stored.id)
    assert world.run().state == "succeeded"
    assert machine_of(world).state is MachineState.DEPLOYED
    assert deployment_of(world).token_sha256 == ""


def test_a_deployed_machine_boots_its_disk(world: LittleWorld) -> None:
    machine = compose(world)
    boot = boot_now(world.ports, machine.interfaces[0].mac, enlist=True, has_image=lambda _: True)
    assert boot.decision.action is BootAction.LOCAL


# -- copies of images ------------------------------------------------------------------------------------


def uploads(world: LittleWorld) -> int:
    return sum(method == "upload_image" for method, _ in hypervisor(world).calls)


def test_an_image_is_copied_to_a_pool_once(world: LittleWorld) -> None:
    compose(world)
    machines.compose(world.ports, LOCAL_ADMIN, replace(REQUEST, hostname="web2"))
    assert world.run().state == "succeeded"
    assert uploads(world) == 1


def test_a_copy_that_is_gone_or_incomplete_is_made_again(world: LittleWorld) -> None:
    compose(world)
    hypervisor(world).volumes.images.clear()
    machines.compose(world.ports, LOCAL_ADMIN, replace(REQUEST, hostname="web2"))
    assert world.run().state == "succeeded"
    assert uploads(world) == 2
    with world.ports.store.begin() as uow:
        (copy,) = uow.image_copies.of_image(IMAGE.sha256)
        assert copy.complete
        uow.image_copies.put(replace(copy, complete=False, operation_id="of a server that died"))
        uow.commit()
    machines.compose(world.ports, LOCAL_ADMIN, replace(REQUEST, hostname="web3"))
    assert world.run().state == "succeeded"
    assert uploads(world) == 3


def test_a_copy_stays_when_its_compose_is_undone(world: LittleWorld) -> None:
    hypervisor(world).fail("clone")
    machines.compose(world.ports, LOCAL_ADMIN, REQUEST)
    assert world.run().state == "failed"
    assert hypervisor(world).world().volumes == ()
    with world.ports.store.begin() as uow:
        assert uow.image_copies.of_image(IMAGE.sha256) == [
            ImageCopy(
                uow.hosts.list()[0].id,
                "default",
                IMAGE.sha256,
                copy_volume(IMAGE.sha256),
                complete=True,
                operation_id=uow.operations.list()[0].id,
            )
        ]


# -- requests that are refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"deploy": replace(DEPLOY, image="nothing")}, NotFound),
        ({"deploy": replace(DEPLOY, ssh_keys=())}, InvalidValue),
        ({"deploy": replace(DEPLOY, ssh_keys=("nonsense",))}, InvalidValue),
        ({"deploy": replace(DEPLOY, user="Ann Bee")}, InvalidValue),
        ({"deploy": replace(DEPLOY, user_data="nonsense")}, InvalidValue),
        ({"start": False}, InvalidValue),
        ({"storage": "root:0.0001"}, Refused),
        ({"storage": "root:0.01,seed:0.01"}, Refused),
        ({"storage": "root:0.01,seed:0.01", "deploy": None}, Refused),
        ({"memory_mib": 256}, Refused),
    ],
)
def test_a_request_that_cannot_be_met_changes_nothing(
    world: LittleWorld, changes: dict[str, object], error: type[Exception]
) -> None:
    before = world.state()
    with pytest.raises(error):
        machines.compose(world.ports, LOCAL_ADMIN, replace(REQUEST, **changes))  # type: ignore[arg-type]
    assert world.state() == before


def test_only_machines_that_are_free_or_failed_are_deployed(world: LittleWorld) -> None:
    compose(world)
    for _ in range(2):
        with pytest.raises(WrongState):
            deploy.start(world.ports, LOCAL_ADMIN, "web", DEPLOY)
        deployments.take_report(world.ports, token_of(world), REPORT)
    with pytest.raises(NotPermitted):
        lifecycle.release(world.ports, Principal("bob", admin=False), "web")


def test_a_failed_deployment_is_tried_again_with_a_new_token(world: LittleWorld) -> None:
    compose(world)
    first = token_of(world)
    deployments.take_report(world.ports, first, DeployReport((), ("broken",)))
    planned = deploy.plan(world.ports, LOCAL_ADMIN, "web", DEPLOY)
    assert (planned.wiped.name, planned.is_copied, planned.reports) == ("root", True, True)
    deploy.start(world.ports, LOCAL_ADMIN, "web", DEPLOY)
    assert world.run().state == "succeeded"
    assert machine_of(world).state is MachineState.DEPLOYING
    assert token_of(world) != first
    with pytest.raises(ReportRefused):
        deployments.take_report(world.ports, first, REPORT)
    deployments.take_report(world.ports, token_of(world), REPORT)
    assert machine_of(world).state is MachineState.DEPLOYED


def test_nothing_else_is_done_while_an_operation_deploys(world: LittleWorld) -> None:
    compose(world, deploy=None)
    deploy.start(world.ports, LOCAL_ADMIN, "web", DEPLOY)

    def interfere(method: str) -> None:
        if method == "clone":
            for action in (machines.decompose, lifecycle.release):
                with pytest.raises(WrongState, match="wait until its operation has ended"):
                    action(world.ports, LOCAL_ADMIN, "web")
            refused.append(method)

    refused: list[str] = []
    hypervisor(world).before_call = interfere
    assert world.run().state == "succeeded"
    assert refused == ["clone"]
    machines.decompose(world.ports, LOCAL_ADMIN, "web")
    assert world.run().state == "succeeded"
    assert [*hypervisor(world).world().volumes] == []


REQUESTS = {
    "decompose": lambda world: machines.decompose(world.ports, LOCAL_ADMIN, "web"),
    "deploy": lambda world: deploy.start(world.ports, LOCAL_ADMIN, "web", DEPLOY),
    "release": lambda world: lifecycle.release(world.ports, LOCAL_ADMIN, "web", erase=True),
}


@pytest.mark.parametrize("first", REQUESTS)
@pytest.mark.parametrize("second", REQUESTS)
def test_the_second_request_for_a_machine_is_refused(world: LittleWorld, first: str, second: str) -> None:
    compose(world, deploy=None, owner="bob")
    with world.ports.store.begin() as uow:
        uow.machines.update(replace(machine_of(world), on_demand=False))
        uow.commit()
    REQUESTS[first](world)
    with pytest.raises(WrongState, match="wait until its operation has ended"):
        REQUESTS[second](world)
    assert world.run().state == "succeeded"


@pytest.mark.parametrize("request_name", ["deploy", "release"])
def test_a_machine_that_broke_before_its_operation_began_is_left_alone(
    world: LittleWorld, request_name: str
) -> None:
    compose(world)
    report = DeployReport((HOST_KEY,), ("broken",))
    deployments.take_report(world.ports, token_of(world), report)
    REQUESTS[request_name](world)
    lifecycle.mark_broken(world.ports, LOCAL_ADMIN, "web")
    operation = world.run()
    assert operation.state == "failed"
    assert "'web' is broken" in operation.error
    assert machine_of(world).state is MachineState.BROKEN


@pytest.mark.parametrize("failure", ["", "broken"])
def test_a_deployed_machine_that_was_away_is_deployed_again(world: LittleWorld, failure: str) -> None:
    compose(world)
    errors = (failure,) if failure else ()
    deployments.take_report(world.ports, token_of(world), DeployReport((HOST_KEY,), errors))
    state = machine_of(world).state
    (observed,) = hypervisor(world).world().machines
    hypervisor(world).remove_machine(observed.uuid)
    refresh(world)
    assert machine_of(world).state is MachineState.MISSING
    hypervisor(world).add_machine(observed)
    refresh(world)
    assert machine_of(world).state is state


@pytest.mark.parametrize("erase", [True, False])
def test_a_released_machine_is_free_and_its_disk_is_erased_if_asked_for(
    world: LittleWorld, erase: bool
) -> None:
    compose(world)
    deployments.take_report(world.ports, token_of(world), REPORT)
    lifecycle.release(world.ports, LOCAL_ADMIN, "web", erase=erase)
    assert world.run().state == "succeeded"
    machine = machine_of(world)
    assert (machine.state, machine.owner, machine.power) == (MachineState.READY, "", PowerState.OFF)
    assert [disk.name for disk in machine.disks] == ["root"]
    (observed,) = hypervisor(world).world().machines
    assert [disk.name for disk in observed.disks] == ["root"]
    assert (("default", machine.disks[0].volume) in hypervisor(world).volumes.contents) is not erase
    with world.ports.store.begin() as uow:
        assert uow.deployments.find(machine.system_id) is None
