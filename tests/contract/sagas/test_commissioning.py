"""Network boot, tokens, reports, enlisting and commissioning, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from hostloom.decide.machines.boot import BootReason
from hostloom.decide.machines.commissioning import AfterReport
from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.commissioning import BootAction, DhcpFacts, FoundDisk, FoundHardware, FoundNic
from hostloom.model.errors.permissions import ReportRefused
from hostloom.model.errors.resources import NotFound, WrongState
from hostloom.model.event import Event
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine, MachineOrigin, MachineState, PowerState
from hostloom.model.node import NodeKind
from hostloom.model.observed import ObservedInterface, ObservedMachine
from hostloom.model.operation import OperationState
from hostloom.model.request import ComposeRequest
from hostloom.recording.host_readings import refresh_now
from hostloom.sagas.commission import give_up_overdue
from hostloom.services import commissioning, machines, nodes
from hostloom.services.commissioning import NextBoot
from hostloom.services.machine_reports import take_report
from hostloom.services.network_boot import TOKEN_LIFE_S, BootNow, boot_now
from support.little_world import URIS, LittleWorld

BARE, SECOND, THIRD = (MacAddress(f"52:54:00:99:00:0{n}") for n in (1, 2, 3))
UUID = "6e0b0a4e-0000-4000-8000-0000000000aa"


def boot(world: LittleWorld, mac: MacAddress, *, enlist: bool = True, image: bool = True) -> BootNow:
    return boot_now(world.ports, mac, enlist=enlist, has_image=lambda _: image)


def hardware(*macs: MacAddress, **changes: Any) -> FoundHardware:
    """A machine with these NICs, the first with a lease."""
    nics = [FoundNic(f"eth{n}", mac, carrier=True) for n, mac in enumerate(macs)]
    nics[0] = replace(nics[0], dhcp=DhcpFacts(ip_address("10.0.0.77")))
    disks = (FoundDisk("sda", 10**12, serial="S1"),)
    found = FoundHardware(4, 8000, "amd64", "uefi", uuid=UUID, disks=disks, nics=tuple(nics))
    return replace(found, **changes)


def enlist(world: LittleWorld, *macs: MacAddress, **changes: Any) -> Machine:
    """Have a bare machine boot and report; it must be listed then."""
    secret = boot(world, macs[0]).secret
    assert take_report(world.ports, secret, hardware(*macs, **changes)) is AfterReport.REBOOT
    found = machine_with(world, macs[0])
    assert found is not None
    return found


def compose(world: LittleWorld, **changes: Any) -> Machine:
    request = ComposeRequest(interfaces="eth0:space=mgmt", hostname="web", **changes)
    machines.compose(world.ports, LOCAL_ADMIN, request)
    assert world.run().state is OperationState.SUCCEEDED
    return machine(world, "web")


def machine(world: LittleWorld, name: str) -> Machine:
    with world.ports.store.begin() as uow:
        return machines.get(uow, LOCAL_ADMIN, name)


def machine_with(world: LittleWorld, mac: MacAddress) -> Machine | None:
    with world.ports.store.begin() as uow:
        return uow.machines.find_by_mac(mac)


def count(world: LittleWorld) -> int:
    with world.ports.store.begin() as uow:
        return len(uow.machines.list())


def told(world: LittleWorld, kind: str) -> list[Event]:
    with world.ports.store.begin() as uow:
        return [each for each in uow.events.list() if each.kind == kind]


def ask(world: LittleWorld, name: str, wanted: NextBoot) -> Machine:
    with world.ports.store.begin() as uow:
        changed = commissioning.set_next_boot(uow, LOCAL_ADMIN, name, wanted)
        uow.commit()
    return changed


def as_planned(planned: Machine, **changes: Any) -> FoundHardware:
    """What a composed machine finds in itself."""
    (nic,) = planned.interfaces
    found = FoundHardware(
        planned.cores,
        planned.memory_mib - 60,
        "amd64",
        "bios",
        uuid=planned.uuid,
        disks=tuple(FoundDisk("vda", each.size_bytes, serial=each.name) for each in planned.disks),
        nics=(FoundNic("eth0", nic.mac, carrier=True, dhcp=DhcpFacts(nic.ips[0])),),
    )
    return replace(found, **changes)


# -- tokens ------------------------------------------------------------------------------------------------


def test_a_composed_machine_boots_to_report_and_then_its_disk(world: LittleWorld) -> None:
    web = compose(world)
    mac = web.interfaces[0].mac
    now = boot(world, mac)
    assert (now.decision.action, now.decision.reason) == (
        BootAction.COMMISSION,
        BootReason.NEVER_COMMISSIONED,
    )
    assert take_report(world.ports, now.secret, as_planned(web)) is AfterReport.STAY
    again = boot(world, mac).decision
    assert (again.action, again.reason) == (BootAction.COMMISSION, BootReason.NOT_DEPLOYED)
    assert again.tries_disk_first
    (event,) = told(world, "machine-commissioned")
    assert str(event.subject) == "machine web"
    assert told(world, "machine-differs") == []
    assert machine(world, "web").state is MachineState.READY


def test_a_token_counts_once_and_nothing_of_it_is_told(world: LittleWorld) -> None:
    web = compose(world)
    secret = boot(world, web.interfaces[0].mac).secret
    take_report(world.ports, secret, as_planned(web))
    with pytest.raises(ReportRefused) as refused:
        take_report(world.ports, secret, as_planned(web, cores=9))
    assert secret not in str(refused.value)
    with world.ports.store.begin() as uow:
        assert uow.commissionings.of([web.system_id])[web.system_id].hardware.cores == web.cores
        assert all(secret not in repr(each) for each in uow.events.list())


def test_a_wrong_token_changes_nothing(world: LittleWorld) -> None:
    web = compose(world)
    boot(world, web.interfaces[0].mac)
    with pytest.raises(ReportRefused):
        take_report(world.ports, "a-guess", as_planned(web))
    assert told(world, "machine-commissioned") == []


def test_a_token_expires(world: LittleWorld) -> None:
    secret = boot(world, BARE).secret
    world.clock.time += TOKEN_LIFE_S
    with pytest.raises(ReportRefused):
        take_report(world.ports, secret, hardware(BARE))
    assert machine_with(world, BARE) is None


def test_a_report_must_have_the_nic_that_booted_and_may_come_again(world: LittleWorld) -> None:
    secret = boot(world, BARE).secret
    with pytest.raises(ReportRefused):
        take_report(world.ports, secret, hardware(SECOND))
    assert take_report(world.ports, secret, hardware(BARE)) is AfterReport.REBOOT


def test_a_nics_last_token_counts(world: LittleWorld) -> None:
    first, second = boot(world, BARE).secret, boot(world, BARE).secret
    with pytest.raises(ReportRefused):
        take_report(world.ports, first, hardware(BARE))
    take_report(world.ports, second, hardware(BARE))


def test_without_an_image_no_token_is_issued_and_no_rescue_is_used_up(world: LittleWorld) -> None:
    web = compose(world)
    ask(world, "web", NextBoot.RESCUE)
    now = boot(world, web.interfaces[0].mac, image=False)
    assert (now.decision.action, now.secret) == (BootAction.RESCUE, "")
    assert machine(world, "web").next_boot is BootAction.RESCUE
    assert boot(world, BARE, image=False).secret == ""


# -- what was found ----------------------------------------------------------------------------------------


def test_differences_from_the_plan_are_reported_and_shown(world: LittleWorld) -> None:
    web = compose(world, cores=2)
    secret = boot(world, web.interfaces[0].mac).secret
    take_report(world.ports, secret, as_planned(web, cores=1))
    (event,) = told(world, "machine-differs")
    assert event.details["differences"] == [{"code": "cores", "subject": "", "wanted": "2", "found": "1"}]
    assert "1 cores instead of 2" in event.message
    with world.ports.store.begin() as uow:
        found = commissioning.found_in(uow, machine(world, "web"))
        assert found is not None
        assert [each.code for each in found.differences] == ["cores"]
    assert machine(world, "web").cores == 2, "the plan stays what it was"


def test_a_report_while_the_compose_runs_leaves_the_state_to_it(world: LittleWorld) -> None:
    machines.compose(world.ports, LOCAL_ADMIN, ComposeRequest(interfaces="eth0:space=mgmt", hostname="web"))
    reported: list[MachineState] = []

    def report(method: str) -> None:
        if method == "start" and not reported:
            web = machine(world, "web")
            take_report(world.ports, boot(world, web.interfaces[0].mac).secret, as_planned(web))
            reported.append(machine(world, "web").state)

    world.hypervisors.of("", URIS[0]).before_call = report
    assert world.run().state is OperationState.SUCCEEDED
    assert reported == [MachineState.COMMISSIONING]
    assert machine(world, "web").state is MachineState.READY


# -- unknown machines ------------------------------------------------------------------------------------


def test_a_bare_machine_is_listed_as_new_and_not_touched(world: LittleWorld) -> None:
    bare = enlist(world, BARE, SECOND)
    assert (bare.origin, bare.state, bare.host_id) == (MachineOrigin.ENLISTED, MachineState.NEW, None)
    assert (bare.hostname, bare.uuid, bare.interfaces) == ("m-525400990001", UUID, ())
    assert (bare.cores, bare.memory_mib, bare.architecture) == (4, 8000, "amd64")
    for mac in (BARE, SECOND):
        assert boot(world, mac).decision.reason is BootReason.NEW
    (event,) = told(world, "machine-enlisted")
    assert str(event.subject) == "machine m-525400990001"


def test_its_nics_are_on_the_vlans_of_their_leases_which_are_not_kept_as_addresses(
    world: LittleWorld,
) -> None:
    bare = enlist(world, BARE, SECOND)
    with world.ports.store.begin() as uow:
        node = uow.nodes.get(bare.system_id)
        (vlan,) = [each for each in uow.vlans.list() if each.vid == 10]
        before = len(uow.vlans.list()), len(uow.subnets.list())
    assert node.kind is NodeKind.MACHINE
    assert [(nic.name, nic.mac, nic.vlan_id, nic.addresses) for nic in node.interfaces] == [
        ("eth0", BARE, vlan.id, ()),
        ("eth1", SECOND, None, ()),
    ]
    other = replace(hardware(THIRD).nics[0], dhcp=DhcpFacts(ip_address("192.0.2.7")))
    enlist(world, THIRD, nics=(other,), uuid="")
    with world.ports.store.begin() as uow:
        assert (len(uow.vlans.list()), len(uow.subnets.list())) == before, "a lease shows no new network"


def test_it_never_appears_twice(world: LittleWorld) -> None:
    bare = enlist(world, BARE, SECOND)
    here = count(world)
    secret = boot(world, THIRD).secret
    assert take_report(world.ports, secret, hardware(THIRD)) is AfterReport.REBOOT
    assert count(world) == here, "a NIC was changed: its UUID is the same"
    assert machine(world, bare.hostname).state is MachineState.NEW
    with world.ports.store.begin() as uow:
        assert [nic.mac for nic in uow.nodes.get(bare.system_id).interfaces] == [THIRD]


def test_by_both_nics_at_once_it_is_one(world: LittleWorld) -> None:
    secrets = [boot(world, mac).secret for mac in (BARE, SECOND)]
    found = hardware(BARE, SECOND, uuid="")
    with ThreadPoolExecutor(2) as pool:
        assert (
            list(pool.map(lambda each: take_report(world.ports, each, found), secrets))
            == [AfterReport.REBOOT] * 2
        )
    first, second = machine_with(world, BARE), machine_with(world, SECOND)
    assert first is not None
    assert first == second
    assert count(world) == 1


@pytest.mark.parametrize(
    "uuid", ["", "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"]
)
def test_a_uuid_that_many_boards_share_identifies_none(world: LittleWorld, uuid: str) -> None:
    first, second = enlist(world, BARE, uuid=uuid), enlist(world, SECOND, uuid=uuid)
    assert first.system_id != second.system_id
    assert first.uuid != second.uuid


def test_a_machine_on_a_host_is_matched_by_its_uuid_not_doubled(world: LittleWorld) -> None:
    web = compose(world)
    secret = boot(world, BARE).secret
    take_report(world.ports, secret, as_planned(web, nics=(FoundNic("eth9", BARE, carrier=True),)))
    assert count(world) == 1
    assert str(told(world, "machine-commissioned")[0].subject) == "machine web"


@pytest.mark.parametrize("shared", ["mac", "uuid"])
def test_an_enlisted_machine_whose_host_is_added_later_is_adopted_not_doubled(
    world: LittleWorld, shared: str
) -> None:
    hypervisor = world.hypervisors.of("", URIS[0])
    nic = ObservedInterface(BARE if shared == "mac" else THIRD, Attachment(AttachKind.BRIDGE, "br0"))
    uuid = UUID if shared == "uuid" else "6e0b0a4e-0000-4000-8000-0000000000bb"
    bare = enlist(world, BARE)
    seen = ObservedMachine(uuid, "their-name", 4, 8192, PowerState.ON, "amd64", (nic,))
    hypervisor._machines[uuid] = seen
    refresh_now(world.ports, "kvm1")
    assert count(world) == 1
    adopted = machine(world, bare.hostname)
    assert (adopted.system_id, adopted.origin, adopted.uuid) == (bare.system_id, MachineOrigin.ADOPTED, uuid)
    assert adopted.host_id is not None


def test_a_host_that_boots_by_another_nic_stays_a_host(world: LittleWorld) -> None:
    with world.ports.store.begin() as uow:
        kvm1 = nodes.get(uow, LOCAL_ADMIN, "kvm1")
        known = next(nic.mac for nic in kvm1.interfaces if nic.mac is not None)
    assert boot(world, known).decision.reason is BootReason.OTHER_NODE
    secret = boot(world, BARE).secret
    assert take_report(world.ports, secret, hardware(BARE, known)) is AfterReport.REBOOT
    assert count(world) == 0
    assert str(told(world, "node-reported")[0].subject) == "node kvm1"


def test_no_machine_is_enlisted_if_that_is_off(world: LittleWorld) -> None:
    now = boot(world, BARE, enlist=False)
    assert (now.decision.action, now.secret) == (BootAction.LOCAL, "")


def test_an_enlisted_machine_can_be_forgotten_and_comes_again(world: LittleWorld) -> None:
    bare = enlist(world, BARE)
    commissioning.forget(world.ports, LOCAL_ADMIN, bare.hostname)
    with pytest.raises(NotFound):
        machine(world, bare.hostname)
    assert boot(world, BARE).decision.reason is BootReason.UNKNOWN
    enlist(world, BARE)


def test_others_are_not_forgotten(world: LittleWorld) -> None:
    compose(world)
    with pytest.raises(WrongState):
        commissioning.forget(world.ports, LOCAL_ADMIN, "web")


# -- commission, and the user's word -----------------------------------------------------------------------


def commission(world: LittleWorld, name: str) -> None:
    commissioning.commission(world.ports, LOCAL_ADMIN, name)
    assert world.run().state is OperationState.SUCCEEDED


def test_a_bare_machine_is_commissioned_when_told(world: LittleWorld) -> None:
    bare = enlist(world, BARE)
    commission(world, bare.hostname)
    assert machine(world, bare.hostname).state is MachineState.COMMISSIONING
    now = boot(world, BARE)
    assert now.decision.action is BootAction.COMMISSION
    found = hardware(BARE, SECOND, memory_mib=16000)
    assert take_report(world.ports, now.secret, found) is AfterReport.POWER_OFF
    after = machine(world, bare.hostname)
    assert (after.state, after.next_boot, after.commission_by) == (MachineState.READY, None, None)
    assert after.memory_mib == 16000
    codes = [each["code"] for each in told(world, "machine-differs")[0].details["differences"]]
    assert codes == ["memory", "nic-unexpected"]
    assert boot(world, BARE).decision.action is BootAction.LOCAL


def test_a_composed_machine_is_restarted_for_it(world: LittleWorld) -> None:
    web = compose(world, start=False)
    hypervisor = world.hypervisors.of("", URIS[0])
    assert hypervisor.power(web.uuid) is PowerState.OFF
    commission(world, "web")
    assert hypervisor.power(web.uuid) is PowerState.ON
    assert machine(world, "web").power is PowerState.ON
    now = boot(world, web.interfaces[0].mac)
    take_report(world.ports, now.secret, as_planned(web))
    assert machine(world, "web").state is MachineState.READY


def test_a_machine_that_reports_too_late_has_failed_and_can_be_commissioned_again(world: LittleWorld) -> None:
    bare = enlist(world, BARE)
    commission(world, bare.hostname)
    world.clock.time += world.ports.settings.commission_timeout_s - 1
    give_up_overdue(world.ports)
    assert machine(world, bare.hostname).state is MachineState.COMMISSIONING
    world.clock.time += 1
    give_up_overdue(world.ports)
    failed = machine(world, bare.hostname)
    assert (failed.state, failed.next_boot) == (MachineState.FAILED_COMMISSIONING, None)
    assert [str(each.subject) for each in told(world, "commissioning-failed")] == [f"machine {bare.hostname}"]
    assert boot(world, BARE).decision.action is BootAction.LOCAL
    give_up_overdue(world.ports)
    assert len(told(world, "commissioning-failed")) == 1
    commission(world, bare.hostname)
    take_report(world.ports, boot(world, BARE).secret, hardware(BARE))
    assert machine(world, bare.hostname).state is MachineState.READY


def test_waiting_for_a_report_can_be_ended(world: LittleWorld) -> None:
    bare = enlist(world, BARE)
    with world.ports.store.begin() as uow, pytest.raises(WrongState):
        commissioning.abort(uow, LOCAL_ADMIN, bare.hostname)
    commission(world, bare.hostname)
    secret = boot(world, BARE).secret
    with world.ports.store.begin() as uow:
        commissioning.abort(uow, LOCAL_ADMIN, bare.hostname)
        uow.commit()
    assert machine(world, bare.hostname).state is MachineState.NEW
    assert boot(world, BARE).decision.action is BootAction.LOCAL
    take_report(world.ports, secret, hardware(BARE))
    assert machine(world, bare.hostname).state is MachineState.NEW, "what comes too late is recorded, no more"


def test_a_machine_is_not_commissioned_twice_at_once(world: LittleWorld) -> None:
    bare = enlist(world, BARE)
    commission(world, bare.hostname)
    with pytest.raises(WrongState):
        commissioning.commission(world.ports, LOCAL_ADMIN, bare.hostname)


@pytest.mark.parametrize("wanted", [NextBoot.RESCUE, NextBoot.COMMISSION])
def test_a_machine_without_network_boot_cannot_be_commissioned(world: LittleWorld, wanted: NextBoot) -> None:
    compose(world, netboot=False)
    with pytest.raises(WrongState, match="network boot"):
        ask(world, "web", wanted)
    with pytest.raises(WrongState, match="network boot"):
        commissioning.commission(world.ports, LOCAL_ADMIN, "web")


def test_rescue_is_once_and_local_until_changed(world: LittleWorld) -> None:
    mac = compose(world).interfaces[0].mac
    ask(world, "web", NextBoot.RESCUE)
    rescued = boot(world, mac)
    assert (rescued.decision.action, rescued.secret) == (BootAction.RESCUE, "")
    assert boot(world, mac).decision.action is BootAction.COMMISSION
    ask(world, "web", NextBoot.LOCAL)
    assert [boot(world, mac).decision.action for _ in range(2)] == [BootAction.LOCAL] * 2
    ask(world, "web", NextBoot.DEFAULT)
    assert boot(world, mac).decision.action is BootAction.COMMISSION


def test_a_commission_that_was_asked_for_is_once(world: LittleWorld) -> None:
    web = compose(world)
    mac = web.interfaces[0].mac
    take_report(world.ports, boot(world, mac).secret, as_planned(web))
    ask(world, "web", NextBoot.COMMISSION)
    now = boot(world, mac)
    assert now.decision.reason is BootReason.ASKED
    take_report(world.ports, now.secret, as_planned(web))
    assert boot(world, mac).decision.reason is BootReason.NOT_DEPLOYED
    assert machine(world, "web").state is MachineState.READY
