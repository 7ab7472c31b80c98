"""Where a machine is another than planned, or than it was."""

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from hostloom.decide.explain.boot import DIFFERENCES, render_difference_found
from hostloom.decide.machines.commissioning import (
    EXTENT_BYTES,
    AfterReport,
    CommissioningDifference,
    DifferenceCode,
    differences_from_before,
    differences_from_plan,
    next_step,
)
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.commissioning import DhcpFacts, FoundDisk, FoundHardware, FoundNic
from hostloom.model.ids import HostId, MacAddress, SystemId, VlanId
from hostloom.model.machine import Disk, Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.request import AddressMode

GB = 10**9
ETH0, ETH1, OTHER = (MacAddress(f"52:54:00:00:00:0{n}") for n in (1, 2, 9))
IP = ip_address("10.0.0.10")
SERVED = {VlanId(1)}
BRIDGE = Attachment(AttachKind.BRIDGE, "br0")
MACHINE = Machine(
    SystemId("abc123"),
    "web",
    "u",
    MachineOrigin.COMPOSED,
    MachineState.READY,
    HostId(1),
    "amd64",
    2,
    2048,
    interfaces=(
        MachineInterface("eth0", ETH0, BRIDGE, VlanId(1), ips=(IP,), boot=True),
        MachineInterface("eth1", ETH1, BRIDGE, VlanId(2), AddressMode.UNCONFIGURED),
    ),
    disks=(Disk("root", "default", "x-root", 8 * GB), Disk("data", "default", "x-data", 20 * GB)),
)
FOUND = FoundHardware(
    2,
    1970,
    "amd64",
    "bios",
    disks=(FoundDisk("vda", 8 * GB, serial="root"), FoundDisk("vdb", 20 * GB, serial="data")),
    nics=(FoundNic("eth0", ETH0, True, dhcp=DhcpFacts(IP)), FoundNic("eth1", ETH1, True)),
)
(NIC0, NIC1), (VDA, VDB) = FOUND.nics, FOUND.disks


def differ(**changes: Any) -> list[CommissioningDifference]:
    return list(differences_from_plan(MACHINE, replace(FOUND, **changes), SERVED))


def test_a_machine_as_planned_differs_in_nothing() -> None:
    assert differ() == []


@pytest.mark.parametrize(
    ("changes", "code", "subject", "wanted", "found"),
    [
        ({"cores": 1}, DifferenceCode.CORES, "", "2", "1"),
        ({"memory_mib": 1024}, DifferenceCode.MEMORY, "", "2048", "1024"),
        ({"memory_mib": 2049}, DifferenceCode.MEMORY, "", "2048", "2049"),
        ({"architecture": "arm64"}, DifferenceCode.ARCHITECTURE, "", "amd64", "arm64"),
        ({"disks": (VDA,)}, DifferenceCode.DISK_MISSING, "data", str(20 * GB), ""),
        (
            {"disks": (VDA, VDB, FoundDisk("vdc", GB))},
            DifferenceCode.DISK_UNEXPECTED,
            "vdc",
            "",
            str(GB),
        ),
        (
            {"disks": (replace(VDA, size_bytes=7 * GB), VDB)},
            DifferenceCode.DISK_SIZE,
            "root",
            str(8 * GB),
            str(7 * GB),
        ),
        ({"nics": (NIC0,)}, DifferenceCode.NIC_MISSING, "eth1", str(ETH1), ""),
        (
            {"nics": (NIC0, NIC1, FoundNic("eth2", OTHER, True))},
            DifferenceCode.NIC_UNEXPECTED,
            "eth2",
            "",
            str(OTHER),
        ),
        (
            {"nics": (replace(NIC0, carrier=False, dhcp=None), NIC1)},
            DifferenceCode.NO_CARRIER,
            "eth0",
            "",
            "",
        ),
        ({"nics": (replace(NIC0, dhcp=None), NIC1)}, DifferenceCode.NO_LEASE, "eth0", str(IP), ""),
        (
            {"nics": (replace(NIC0, dhcp=DhcpFacts(ip_address("10.0.0.99"))), NIC1)},
            DifferenceCode.ADDRESS,
            "eth0",
            str(IP),
            "10.0.0.99",
        ),
    ],
)
def test_what_is_not_as_planned(
    changes: dict[str, Any], code: DifferenceCode, subject: str, wanted: str, found: str
) -> None:
    (difference,) = differ(**changes)
    assert difference == CommissioningDifference(code, subject, wanted, found)
    text = render_difference_found(difference)
    assert "{" not in text
    assert all(word in text for word in (subject, wanted, found))


@pytest.mark.parametrize("memory_mib", [1860, 1970, 2048])
def test_firmware_and_kernel_keep_some_memory(memory_mib: int) -> None:
    assert differ(memory_mib=memory_mib) == []


@pytest.mark.parametrize("wanted_mib", [256, 65536])
def test_a_part_of_the_memory_that_is_gone_is_seen_in_small_and_large_machines(wanted_mib: int) -> None:
    machine = replace(MACHINE, memory_mib=wanted_mib)
    for found_mib, is_near in ((wanted_mib * 15 // 16, wanted_mib < 1024), (wanted_mib // 4, False)):
        found = differences_from_plan(machine, replace(FOUND, memory_mib=found_mib), SERVED)
        assert (found == ()) is is_near


def test_volumes_are_made_of_extents() -> None:
    assert differ(disks=(replace(VDA, size_bytes=8 * GB + EXTENT_BYTES), VDB)) == []


def test_disks_without_serials_are_taken_in_their_order() -> None:
    bare = tuple(replace(each, serial="") for each in FOUND.disks)
    assert differ(disks=bare) == []
    assert [each.code for each in differ(disks=bare[::-1])] == [DifferenceCode.DISK_SIZE] * 2


def test_where_our_dhcp_does_not_answer_no_lease_is_missed() -> None:
    found = replace(FOUND, nics=(replace(NIC0, dhcp=None), NIC1))
    assert differences_from_plan(MACHINE, found, frozenset()) == ()


def test_a_lease_of_the_other_family_is_no_difference() -> None:
    assert differ(nics=(replace(NIC0, dhcp=DhcpFacts(ip_address("fd00::5"))), NIC1)) == []


def test_a_bare_machine_is_compared_with_what_it_was() -> None:
    assert differences_from_before(FOUND, replace(FOUND, memory_mib=1950, uptime_s=9)) == ()
    now = replace(
        FOUND,
        memory_mib=1024,
        disks=(replace(VDA, name="sda", size_bytes=9 * GB), FoundDisk("vdc", GB)),
        nics=(replace(NIC0, carrier=False), FoundNic("eth1", OTHER, True)),
    )
    assert [each.code for each in differences_from_before(FOUND, now)] == [
        DifferenceCode.MEMORY,
        DifferenceCode.DISK_SIZE,
        DifferenceCode.DISK_MISSING,
        DifferenceCode.DISK_UNEXPECTED,
        DifferenceCode.NO_CARRIER,
        DifferenceCode.NIC_MISSING,
        DifferenceCode.NIC_UNEXPECTED,
    ]


def test_every_difference_has_words() -> None:
    assert set(DIFFERENCES) == set(DifferenceCode)


@pytest.mark.parametrize(
    ("origin", "just_enlisted", "wanted"),
    [
        (MachineOrigin.ENLISTED, True, AfterReport.REBOOT),
        (MachineOrigin.COMPOSED, True, AfterReport.REBOOT),
        (MachineOrigin.ENLISTED, False, AfterReport.POWER_OFF),
        (MachineOrigin.COMPOSED, False, AfterReport.STAY),
    ],
)
def test_what_it_does_then(origin: MachineOrigin, just_enlisted: bool, wanted: AfterReport) -> None:
    assert next_step(origin, just_enlisted=just_enlisted) is wanted
