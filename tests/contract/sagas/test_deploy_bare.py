"""Deployments of bare machines, from the plan to the report of the system, on fakes and both databases."""

import hashlib
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.commissioning import BootAction, DhcpFacts, FoundDisk, FoundHardware, FoundNic
from hostloom.model.deployment import Deployment, DeployReport, DeployRequest, DeployStep, DiskProgress
from hostloom.model.errors.permissions import ReportRefused
from hostloom.model.errors.refusals import Refused
from hostloom.model.errors.resources import WrongState
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress
from hostloom.model.image import Flavour
from hostloom.model.machine import Machine, MachineState, PowerState
from hostloom.model.power import PowerKind
from hostloom.sagas.seeds import report_token
from hostloom.services import commissioning, deploy, deployments, disk_orders, lifecycle, power_settings
from hostloom.services.machine_reports import take_report
from hostloom.services.network_boot import boot_now
from hostloom.services.power_settings import PowerInput
from support.disk_images import a_disk_image
from support.fake_power import FakeBmc, FakePowerDrivers
from support.little_world import LittleWorld, add_disk_image, little_world
from support.seeds import KEY

MAC = MacAddress("52:54:00:ba:5e:01")
IMAGE = a_disk_image(virtual_size_bytes=10**9)
REQUEST = DeployRequest(IMAGE.name, ssh_keys=(KEY,))
DISKS = (
    FoundDisk("sda", 10**12, "Big", "BIG-1"),
    FoundDisk("sdb", 2 * 10**9, "Small", "SMALL-1"),
    # The image fits, but not with the configuration behind it.
    FoundDisk("sdc", 10**9 + 10**6, "Tiny", "TINY-1"),
)
HARDWARE = FoundHardware(
    4,
    8000,
    "amd64",
    "bios",
    disks=DISKS,
    nics=(FoundNic("eth0", MAC, carrier=True, dhcp=DhcpFacts(ip_address("10.0.0.77"))),),
)
URL = "http://10.0.0.1:5248"


def boot(world: LittleWorld) -> tuple[BootAction, str]:
    """Boot from the network; what, and the token."""
    now = boot_now(world.ports, MAC, enlist=True, has_image=lambda _: True)
    return now.decision.action, now.secret


@pytest.fixture
def world(tmp_path: Path) -> LittleWorld:
    """An enlisted and commissioned bare machine, a disk image, and a boot image that writes disks."""
    world = little_world(tmp_path, 1)
    add_disk_image(world, IMAGE, b"zstd" + bytes.fromhex("04030201"))
    assert world.ports.images is not None
    world.ports.images.build(Flavour.GENERIC, world.ports.images.fetch(Flavour.GENERIC))
    take_report(world.ports, boot(world)[1], HARDWARE)
    commissioning.commission(world.ports, LOCAL_ADMIN, machine_of(world).hostname)
    world.run()
    take_report(world.ports, boot(world)[1], HARDWARE)
    assert machine_of(world).state is MachineState.READY
    return world


def machine_of(world: LittleWorld) -> Machine:
    with world.ports.store.begin() as uow:
        machine = uow.machines.find_by_mac(MAC)
    assert machine is not None
    return machine


def deployment_of(world: LittleWorld) -> Deployment:
    with world.ports.store.begin() as uow:
        deployment = uow.deployments.find(machine_of(world).system_id)
    assert deployment is not None
    return deployment


def start(world: LittleWorld, request: DeployRequest = REQUEST) -> str:
    """Deploy, and boot the environment; its token."""
    deploy.start(world.ports, LOCAL_ADMIN, machine_of(world).hostname, request)
    operation = world.run()
    assert operation.state == "succeeded", operation.error
    action, token = boot(world)
    assert action is BootAction.DEPLOY
    return token


def orders_of(world: LittleWorld, token: str) -> dict[str, str]:
    lines = disk_orders.orders(world.ports, token, URL).splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_the_plan_names_the_smallest_disk_that_fits(world: LittleWorld) -> None:
    plan = deploy.plan(world.ports, LOCAL_ADMIN, machine_of(world).hostname, REQUEST)
    assert (plan.wiped, plan.host, plan.reports) == (DISKS[1], None, True)
    named = replace(REQUEST, disk="BIG-1")
    assert deploy.plan(world.ports, LOCAL_ADMIN, machine_of(world).hostname, named).wiped == DISKS[0]
    with pytest.raises(Refused, match="sdc"):
        deploy.plan(world.ports, LOCAL_ADMIN, machine_of(world).hostname, replace(REQUEST, disk="sdc"))
    assert machine_of(world).state is MachineState.READY


def test_without_a_boot_image_that_writes_disks_nothing_begins(world: LittleWorld) -> None:
    assert world.ports.images is not None
    for image in world.ports.images.list():
        world.ports.images.delete(image.name)
    with pytest.raises(WrongState, match="a generic boot image must be built"):
        deploy.start(world.ports, LOCAL_ADMIN, machine_of(world).hostname, REQUEST)


def test_from_the_orders_to_the_report_of_the_system(world: LittleWorld) -> None:
    token = start(world)
    orders = orders_of(world, token)
    assert (orders["order"], orders["end"]) == ("deploy", "orders")
    assert (orders["disk_serial"], orders["disk_size_bytes"]) == ("SMALL-1", str(2 * 10**9))
    assert orders["stream_checksum"] == "01020304"
    assert orders["raw_size_bytes"] == str(IMAGE.virtual_size_bytes)
    seed = disk_orders.seed(world.ports, token, URL)
    assert hashlib.sha256(seed).hexdigest() == orders["seed_sha256"]
    assert disk_orders.stream(world.ports, token).read_bytes().startswith(b"zstd")

    before = deployment_of(world).deadline
    world.clock.time += 60
    disk_orders.take_progress(world.ports, token, DiskProgress(DeployStep.WRITE, 5, 9))
    deployment = deployment_of(world)
    assert (deployment.step, deployment.done_bytes, deployment.total_bytes) == (DeployStep.WRITE, 5, 9)
    assert before is not None and deployment.deadline is not None and deployment.deadline > before

    done = DiskProgress(DeployStep.BOOT, 9, 9, is_done=True)
    for _ in range(2):  # its answer may have been lost
        disk_orders.take_progress(world.ports, token, done)
    assert deployment_of(world).step is DeployStep.PHONE_HOME
    assert boot(world)[0] is BootAction.LOCAL
    with pytest.raises(ReportRefused):
        disk_orders.take_progress(world.ports, token, DiskProgress(DeployStep.WRITE, 5, 9))

    machine = machine_of(world)
    report = report_token(world.ports, machine, deployment_of(world).instance_id)
    deployments.take_report(world.ports, report, DeployReport(("ssh-ed25519 AAAA",)))
    assert machine_of(world).state is MachineState.DEPLOYED
    assert boot(world)[0] is BootAction.LOCAL


def test_a_machine_that_is_restarted_in_the_middle_begins_again(world: LittleWorld) -> None:
    first = start(world)
    disk_orders.take_progress(world.ports, first, DiskProgress(DeployStep.WRITE, 5, 9))
    action, second = boot(world)
    assert action is BootAction.DEPLOY
    assert orders_of(world, second)["disk_serial"] == "SMALL-1"
    with pytest.raises(ReportRefused):
        disk_orders.orders(world.ports, first, URL)


def test_a_failure_has_its_step_remedy_and_console_and_deploy_runs_again(world: LittleWorld) -> None:
    token = start(world)
    failure = DiskProgress(DeployStep.VERIFY, 0, 0, failure="it reads back differently", output=("a", "b"))
    disk_orders.take_progress(world.ports, token, failure)
    deployment = deployment_of(world)
    assert machine_of(world).state is MachineState.FAILED_DEPLOYMENT
    assert "step verify: it reads back differently; its disk" in deployment.failure
    assert (deployment.step, deployment.boot_output) == (DeployStep.VERIFY, "a\nb")
    assert boot(world)[0] is BootAction.LOCAL
    with pytest.raises(ReportRefused):
        disk_orders.orders(world.ports, token, URL)
    again = start(world, replace(REQUEST, disk="sda"))
    assert orders_of(world, again)["disk_serial"] == "BIG-1"
    assert deployment_of(world).failure == ""


def test_a_machine_that_never_boots_the_environment_fails_and_boots_its_disk(world: LittleWorld) -> None:
    start(world)
    world.clock.time += world.ports.settings.deploy_timeout_s + 1
    deployments.give_up_overdue(world.ports)
    assert machine_of(world).state is MachineState.FAILED_DEPLOYMENT
    assert boot(world)[0] is BootAction.LOCAL


def test_a_token_for_another_report_gives_no_orders(world: LittleWorld) -> None:
    commissioning.commission(world.ports, LOCAL_ADMIN, machine_of(world).hostname)
    world.run()
    action, token = boot(world)
    assert action is BootAction.COMMISSION
    for call in (disk_orders.orders, disk_orders.seed):
        with pytest.raises(ReportRefused):
            call(world.ports, token, URL)
    with pytest.raises(ReportRefused):
        disk_orders.stream(world.ports, token)


def deployed(world: LittleWorld) -> None:
    """A bare machine whose system runs."""
    disk_orders.take_progress(world.ports, start(world), DiskProgress(DeployStep.BOOT, 9, 9, is_done=True))
    token = report_token(world.ports, machine_of(world), deployment_of(world).instance_id)
    deployments.take_report(world.ports, token, DeployReport(()))
    assert machine_of(world).state is MachineState.DEPLOYED


def release_and_erase(world: LittleWorld, *, quick: bool = False) -> None:
    name = machine_of(world).hostname
    released = lifecycle.release(world.ports, LOCAL_ADMIN, name, erase=True, quick=quick)
    assert released.operation is not None
    operation = world.run()
    assert operation.state == "succeeded", operation.error


def with_bmc(world: LittleWorld) -> FakeBmc:
    """Give the machine a BMC that needs no password."""
    with world.ports.store.begin() as uow:
        power_input = PowerInput(PowerKind.IPMI, "10.0.0.9", user="admin")
        power_settings.put(uow, world.ports, LOCAL_ADMIN, machine_of(world).hostname, power_input)
        uow.commit()
    assert isinstance(world.ports.power, FakePowerDrivers)
    bmc = world.ports.power.add("10.0.0.9")
    bmc.password = ""
    return bmc


def asked_of_persons(world: LittleWorld) -> list[str]:
    with world.ports.store.begin() as uow:
        return [event.message for event in uow.events.list() if event.kind == "machine-power-by-hand"]


def erasing(world: LittleWorld) -> str:
    """Release and erase; the token with which it erases."""
    deployed(world)
    release_and_erase(world)
    assert machine_of(world).state is MachineState.RELEASING
    action, token = boot(world)
    assert action is BootAction.DEPLOY
    return token


def test_released_it_is_free_at_once(world: LittleWorld) -> None:
    deployed(world)
    lifecycle.release(world.ports, LOCAL_ADMIN, machine_of(world).hostname)
    machine = machine_of(world)
    assert (machine.state, machine.owner, machine.next_boot) == (MachineState.READY, "", None)
    with world.ports.store.begin() as uow:
        assert uow.deployments.find(machine.system_id) is None


def test_released_with_erase_it_is_free_when_its_disk_is_erased(world: LittleWorld) -> None:
    token = erasing(world)
    orders = orders_of(world, token)
    assert (orders["order"], orders["mode"], orders["disk_serial"]) == ("erase", "full", "SMALL-1")
    disk_orders.take_progress(world.ports, token, DiskProgress(DeployStep.ERASE, 5, 9))
    assert deployment_of(world).done_bytes == 5
    disk_orders.take_progress(world.ports, token, DiskProgress(DeployStep.ERASE, 9, 9, is_done=True))
    machine = machine_of(world)
    assert (machine.state, machine.owner, machine.next_boot) == (MachineState.READY, "", None)
    assert boot(world)[0] is BootAction.LOCAL


@pytest.mark.parametrize("silent", [True, False])
def test_a_disk_that_was_not_erased_breaks_the_machine(world: LittleWorld, silent: bool) -> None:
    token = erasing(world)
    if silent:
        world.clock.time += world.ports.settings.deploy_timeout_s + 1
        deployments.give_up_overdue(world.ports)
    else:
        failure = DiskProgress(DeployStep.ERASE, 0, 0, failure="it still has data")
        disk_orders.take_progress(world.ports, token, failure)
    assert machine_of(world).state is MachineState.BROKEN
    with pytest.raises(ReportRefused):
        disk_orders.orders(world.ports, token, URL)


ERASED = DiskProgress(DeployStep.ERASE, 9, 9, is_done=True)
WRITTEN = DiskProgress(DeployStep.BOOT, 9, 9, is_done=True)


@pytest.mark.parametrize("running", [False, True])
def test_a_bmc_boots_the_environment_and_then_the_disk(world: LittleWorld, *, running: bool) -> None:
    bmc = with_bmc(world)
    bmc.state = PowerState.ON if running else PowerState.OFF
    asked = asked_of_persons(world)
    token = start(world)
    assert bmc.calls == [*(["power off"] if running else []), "boot from network", "power on"]
    assert machine_of(world).power is PowerState.ON
    for _ in range(2):
        disk_orders.take_progress(world.ports, token, WRITTEN)
        assert bmc.boots_from == "disk"
    assert asked_of_persons(world) == asked


def test_a_bmc_that_fails_changes_nothing(world: LittleWorld) -> None:
    bmc, before = with_bmc(world), machine_of(world)
    bmc.lies = True
    deploy.start(world.ports, LOCAL_ADMIN, before.hostname, REQUEST)
    operation = world.run()
    assert (operation.state, operation.error_code) == ("failed", "power-unconfirmed")
    after = machine_of(world)
    assert (after.state, after.owner, after.next_boot) == (before.state, before.owner, before.next_boot)
    assert boot(world)[0] is not BootAction.DEPLOY


def test_a_written_disk_counts_although_the_bmc_is_silent(world: LittleWorld) -> None:
    bmc = with_bmc(world)
    token = start(world)
    bmc.is_silent = True
    disk_orders.take_progress(world.ports, token, WRITTEN)
    assert deployment_of(world).step is DeployStep.PHONE_HOME
    assert any("boot from its disk" in text for text in asked_of_persons(world))


def test_without_a_bmc_a_person_is_asked_to_restart_it(world: LittleWorld) -> None:
    asked = asked_of_persons(world)
    start(world)
    assert len(asked_of_persons(world)) == len(asked) + 1
    assert machine_of(world).power is PowerState.UNKNOWN


def test_an_erase_uses_the_bmc_and_its_last_report_may_come_twice(world: LittleWorld) -> None:
    deployed(world)
    bmc = with_bmc(world)
    bmc.state = PowerState.ON
    release_and_erase(world)
    assert bmc.calls == ["power off", "boot from network", "power on"]
    token = boot(world)[1]
    for _ in range(2):
        disk_orders.take_progress(world.ports, token, ERASED)
        machine = machine_of(world)
        assert (machine.state, machine.owner, machine.power) == (MachineState.READY, "", PowerState.OFF)
    deploy.start(world.ports, LOCAL_ADMIN, machine.hostname, REQUEST)
    assert world.run().state == "succeeded"
    with pytest.raises(ReportRefused):
        disk_orders.take_progress(world.ports, token, ERASED)
    assert deployment_of(world).step is DeployStep.IMAGE


def test_a_quick_erase_is_ordered_only_with_erase(world: LittleWorld) -> None:
    deployed(world)
    with pytest.raises(InvalidValue, match="quick"):
        lifecycle.release(world.ports, LOCAL_ADMIN, machine_of(world).hostname, quick=True)
    release_and_erase(world, quick=True)
    assert orders_of(world, boot(world)[1])["mode"] == "quick"


def test_an_erase_needs_a_boot_image_that_writes_disks(world: LittleWorld) -> None:
    deployed(world)
    assert world.ports.images is not None
    for image in world.ports.images.list():
        world.ports.images.delete(image.name)
    with pytest.raises(WrongState, match="a generic boot image must be built"):
        lifecycle.release(world.ports, LOCAL_ADMIN, machine_of(world).hostname, erase=True)
    assert machine_of(world).state is MachineState.DEPLOYED


@pytest.mark.parametrize("again", [False, True])
def test_a_machine_released_while_it_writes_stops_at_its_next_report(world: LittleWorld, again: bool) -> None:
    bmc = with_bmc(world)
    token = start(world)
    disk_orders.take_progress(world.ports, token, DiskProgress(DeployStep.WRITE, 5, 9))
    lifecycle.release(world.ports, LOCAL_ADMIN, machine_of(world).hostname)
    machine = machine_of(world)
    assert (machine.state, machine.owner, machine.next_boot) == (MachineState.READY, "", None)
    assert bmc.state is PowerState.OFF
    if again:  # the new deployment is not the one that the old environment writes
        deploy.start(world.ports, LOCAL_ADMIN, machine.hostname, REQUEST)
        assert world.run().state == "succeeded"
    for progress in (DiskProgress(DeployStep.WRITE, 6, 9), WRITTEN):
        with pytest.raises(ReportRefused):
            disk_orders.take_progress(world.ports, token, progress)


def test_an_environment_that_writes_is_not_taken_for_the_one_that_erases(world: LittleWorld) -> None:
    token = start(world)
    release_and_erase(world)
    with pytest.raises(ReportRefused):
        disk_orders.take_progress(world.ports, token, WRITTEN)
    assert machine_of(world).state is MachineState.RELEASING


@pytest.mark.parametrize("erase", [False, True])
def test_a_machine_is_not_released_while_an_operation_begins(world: LittleWorld, erase: bool) -> None:
    deployed(world)
    name = machine_of(world).hostname
    lifecycle.release(world.ports, LOCAL_ADMIN, name, erase=True)
    with pytest.raises(WrongState):
        lifecycle.release(world.ports, LOCAL_ADMIN, name, erase=erase)
    assert machine_of(world).state is MachineState.DEPLOYED


def test_without_an_environment_a_deployment_fails_and_an_erase_waits(world: LittleWorld) -> None:
    start(world)
    disk_orders.fail_without_environment(world.ports, machine_of(world))
    assert machine_of(world).state is MachineState.FAILED_DEPLOYMENT
    assert "hostloom image build generic" in deployment_of(world).failure
    assert boot(world)[0] is BootAction.LOCAL
    deployed(world)
    release_and_erase(world)
    disk_orders.fail_without_environment(world.ports, machine_of(world))
    assert machine_of(world).state is MachineState.RELEASING
