"""Machines boot from the network, report what they are, and go on to their own disk; BIOS and UEFI."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostloom.images.cpio import ArchiveEntry, pack
from hostloom.images.directory import ImageDirectory
from hostloom_lab import guest
from support.bare import BareMachine
from support.rig import Rig
from support.waiting import wait_until

SWITCH = Path(__file__).parents[1] / "support/switch-says.sh"
#: Emulated machines beside others take their time.
BOOT_TIMEOUT_S = 120


@pytest.fixture(scope="module")
def netboot(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The rig with an image that reports, in place of the guest that is given to it elsewhere."""
    images = tmp_path_factory.mktemp("images")
    make_image(images / "tests")
    mgmt = rig.lab.plan.segment("mgmt")
    first, last = (str(mgmt.network_address + n) for n in (200, 220))
    made = rig.get("range", "create", str(mgmt), "--kind", "dynamic", "--start", first, "--end", last)
    rig.stop()
    rig.start({"image_dir": str(images), "boot_kernel": "", "boot_initrd": ""})
    try:
        yield rig
    finally:
        rig.stop()
        rig.start()
        rig.run("range", "delete", str(made["id"]), "--yes")


def make_image(folder: Path) -> None:
    """The product's, and in it a switch that always says the same; archives behind each other are one."""
    folder.mkdir(parents=True)
    image = ImageDirectory(guest.image_directory(), time.time).list()[0]
    built = guest.image_directory() / image.name
    (folder / "kernel").symlink_to(built / "kernel")
    shutil.copyfile(built / "initrd", folder / "initrd")
    with (folder / "initrd").open("ab") as initrd:
        pack({"bin/tcpdump": ArchiveEntry(SWITCH.read_bytes(), is_executable=True)}, initrd)
    about = json.loads((built / "image.json").read_bytes())
    (folder / "image.json").write_text(json.dumps(about | {"name": folder.name}))


@pytest.fixture
def tidy(netboot: Rig) -> Iterator[Rig]:
    """With no machine left over by this test."""
    yield netboot
    for machine in netboot.list("machine"):
        if machine["origin"] == "enlisted":
            netboot.run("machine", "forget", machine["hostname"], "--yes")
        else:
            netboot.decompose(machine["hostname"])


def show(rig: Rig, name: str) -> Any:
    return rig.get("machine", "show", name)


def wait_for_state(rig: Rig, name: str, state: str) -> None:
    wait_until(lambda: show(rig, name)["state"] == state, f"{name} {state}", BOOT_TIMEOUT_S)


def wait_for_found(rig: Rig, name: str, after: float = 0.0) -> Any:
    """Wait until it has reported, and return what it is."""

    def has_reported() -> bool:
        return (show(rig, name)["commissioned_at"] or 0.0) > after

    wait_until(has_reported, f"the report of {name}", BOOT_TIMEOUT_S)
    return show(rig, name)


def enlisted(rig: Rig, machine: BareMachine) -> Any:
    """The machine that appeared by itself."""
    name = f"m-{machine.mac.replace(':', '')}"

    def is_listed() -> bool:
        return any(each["hostname"] == name for each in rig.list("machine"))

    try:
        wait_until(is_listed, name, BOOT_TIMEOUT_S)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{machine.said()[-3000:]}\n{rig.log()[-2000:]}") from error
    return show(rig, name)


def test_a_composed_machine_reports_and_is_as_planned(tidy: Rig) -> None:
    made = tidy.compose("web1", "eth0:space=mgmt", "kvm1")
    assert made["network_boot"]["reason"] == "never-commissioned"
    found = wait_for_found(tidy, "web1")
    report = found["commissioning"]
    (nic,) = report["nics"]
    assert (nic["mac"], nic["dhcp"]["ip"]) == (made["interfaces"][0]["mac"], made["interfaces"][0]["ips"][0])
    assert nic["neighbour"] == {
        "chassis": "00:11:22:33:44:55",
        "port": "Ethernet1/7",
        "system_name": "",
        "vid": 20,
    }
    assert (report["firmware"], report["uuid"]) == ("bios", made["uuid"])
    assert report["differences"] == []
    assert [each["size_bytes"] for each in report["disks"]] == [10**9]
    assert (found["state"], found["network_boot"]["reason"]) == ("ready", "not-deployed")
    shown = tidy.run("machine", "show", "web1")
    assert "00:11:22:33:44:55 Ethernet1/7, VLAN 20" in shown

    tidy.run("machine", "commission", "web1")
    again = wait_for_found(tidy, "web1", after=found["commissioned_at"])
    assert again["state"] == "ready"
    assert again["network_boot"]["reason"] == "not-deployed"


def test_rescue_is_booted_once_and_reports_nothing(tidy: Rig) -> None:
    tidy.run(
        "machine",
        "compose",
        "--name",
        "sick",
        "--interfaces",
        "eth0:space=mgmt",
        "--memory",
        "256M",
        "--no-start",
    )
    tidy.run("machine", "boot", "sick", "--next", "rescue")
    assert show(tidy, "sick")["network_boot"]["action"] == "rescue"
    tidy.run("machine", "start", "sick")
    wait_until(
        lambda: "a shell to mend this machine with" in tidy.run("machine", "console-log", "sick"),
        "the rescue",
        BOOT_TIMEOUT_S,
    )
    after = show(tidy, "sick")
    assert after["network_boot"]["asked"] is None
    assert after["commissioned_at"] is None
    assert "hl.token" not in tidy.run("machine", "console-log", "sick")


def test_a_bare_machine_is_listed_unasked_let_go_and_commissioned_when_told(
    tidy: Rig, tmp_path: Path
) -> None:
    with BareMachine(tidy.lab, tmp_path, 1) as bare:
        bare.switch_on()
        machine = enlisted(tidy, bare)
        assert (machine["state"], machine["origin"], machine["host"]) == ("new", "enlisted", None)
        assert machine["uuid"] == bare.uuid
        bare.wait_for("HL booted from disk")
        name = machine["hostname"]
        node = tidy.get("node", "show", name)
        assert [(nic["mac"], nic["vlan"]) for nic in node["interfaces"]] == [(bare.mac, "physical/10")]

        told = tidy.call("machine", "commission", name)
        assert told.returncode == 0, told.stderr
        assert "switch" in told.stderr
        bare.switch_off()
        bare.switch_on()
        wait_for_state(tidy, name, "ready")
        wait_until(lambda: not bare.is_on(), "the end of the bare machine", 30)
    assert len([each for each in tidy.list("machine") if each["uuid"] == machine["uuid"]]) == 1


@pytest.mark.parametrize("rom", [True, False], ids=["ipxe in the NIC", "the firmware's own PXE"])
def test_a_bare_machine_with_uefi_is_listed_and_let_go(tidy: Rig, tmp_path: Path, *, rom: bool) -> None:
    with BareMachine(tidy.lab, tmp_path, 2, uefi=True, rom=rom) as bare:
        bare.switch_on()
        machine = enlisted(tidy, bare)
        assert machine["commissioning"]["firmware"] == "uefi"
        bare.wait_for("boots its own disk")
        if not rom:
            assert "tftp: snponly.efi to" in tidy.log()
