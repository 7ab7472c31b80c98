"""What the commissioning environment reports, by its own shell functions on trees of files."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostloom.boot.commissioning_report import parse_hardware
from hostloom.images.initramfs import SCRIPTS
from hostloom.model.commissioning import FoundHardware

IOMEM = """\
00000000-00000fff : Reserved
00001000-0009fbff : System RAM
000a0000-000bffff : PCI Bus 0000:00
00100000-0ffdffff : System RAM
  01000000-01e00000 : Kernel code
"""


def shell(code: str, tree: Path | None = None, **more: str) -> str:
    where = {} if tree is None else {name: str(tree / name.lower()) for name in ("SYS", "PROC", "RUN")}
    done = subprocess.run(
        ["busybox", "ash", "-c", f". {SCRIPTS}/found.sh; . {SCRIPTS}/network.sh; {code}"],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **where, **more},
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return done.stdout.decode()


def write(file: Path, content: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    proc, system = tmp_path / "proc", tmp_path / "sys"
    write(proc / "cpuinfo", 'processor\t: 0\nmodel name\t: A "CPU" \\ x\n\nprocessor\t: 1\nmodel name\t: B\n')
    write(proc / "iomem", IOMEM)
    write(proc / "meminfo", "MemTotal:         229376 kB\nMemFree: 1 kB\n")
    write(proc / "uptime", "3.82 1.00\n")
    write(proc / "cmdline", "quiet hl.url=http://10.0.0.1:5248 BOOTIF=01-52-54-00-AA-bb-02 hl.token=a=b\n")
    for name, value in (("sys_vendor", "ACME, Inc."), ("product_name", "  Box 9  "), ("product_uuid", "u-1")):
        write(system / f"class/dmi/id/{name}", f"{value}\n")
    nic(tmp_path, "eth0", "52:54:00:aa:bb:01", carrier="0", speed="-1")
    nic(tmp_path, "eth1", "52:54:00:aa:bb:02", carrier="1", speed="10000")
    write(system / "class/net/lo/address", "00:00:00:00:00:00\n")
    disk(tmp_path, "vda", sectors=2097152, rotational="1")
    write(system / "block/vda/serial", "web-root")
    disk(tmp_path, "sda", sectors=4, rotational="0")
    write(system / "block/sda/device/model", "Fast Disk       \n")
    write(system / "block/sda/device/vpd_pg80", b"\x00\x80\x00\x08  SER-9 \n")
    return tmp_path


def nic(tree: Path, name: str, mac: str, carrier: str, speed: str) -> None:
    path = tree / "sys/class/net" / name
    for each, value in (("address", mac), ("carrier", carrier), ("speed", speed)):
        write(path / each, f"{value}\n")
    driver = tree / "sys/drivers/e1000e"
    driver.mkdir(parents=True, exist_ok=True)
    (path / "device").mkdir()
    (path / "device/driver").symlink_to(driver)


def disk(tree: Path, name: str, sectors: int, rotational: str, removable: str = "0") -> None:
    path = tree / "sys/block" / name
    for each, value in (
        ("size", str(sectors)),
        ("removable", removable),
        ("queue/rotational", rotational),
        ("device/uevent", ""),
    ):
        write(path / each, f"{value}\n")


def report(tree: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shell("found", tree))
    return found


def taken(tree: Path) -> FoundHardware:
    """The report as the server takes it, which refuses what it does not know."""
    return parse_hardware(shell("found", tree).encode())


def test_what_the_server_takes_of_it(tree: Path) -> None:
    found = taken(tree)
    assert (found.cores, found.memory_mib, found.firmware) == (2, 256, "bios")
    assert (found.vendor, found.product, found.uuid, found.serial) == ("ACME, Inc.", "Box 9", "u-1", "")
    assert found.cpu_model == 'A "CPU" \\ x'
    assert found.uptime_s == 3.82
    assert [(each.name, each.size_bytes, each.rotational) for each in found.disks] == [
        ("sda", 2048, False),
        ("vda", 1073741824, True),
    ]
    assert [(each.model, each.serial) for each in found.disks] == [("Fast Disk", "SER-9"), ("", "web-root")]
    assert [(each.name, each.carrier, each.link_speed, each.driver) for each in found.nics] == [
        ("eth0", False, 0, "e1000e"),
        ("eth1", True, 10000, "e1000e"),
    ]


def test_what_dhcp_and_the_switch_said(tree: Path) -> None:
    for name, value in (("ip", "10.0.0.9"), ("server", "10.0.0.1"), ("gateway", ""), ("lease_time_s", "600")):
        write(tree / "run/dhcp.eth1" / name, f"{value}\n")
    frame = "0180c200000e00aabbccddee88cc02070400aabbccddee0403053337060200780000"
    write(tree / "run/lldp.eth1", frame)
    first, second = taken(tree).nics
    assert first.dhcp is None and first.neighbour is None
    assert second.dhcp is not None
    assert (str(second.dhcp.ip), str(second.dhcp.server)) == ("10.0.0.9", "10.0.0.1")
    assert (second.dhcp.gateway, second.dhcp.lease_time_s) == (None, 600)
    assert second.neighbour is not None
    assert (second.neighbour.chassis, second.neighbour.port) == ("00:aa:bb:cc:dd:ee", "37")


def test_uefi(tree: Path) -> None:
    (tree / "sys/firmware/efi").mkdir(parents=True)
    assert report(tree)["firmware"] == "uefi"


def test_the_kernels_own_count_where_the_map_of_memory_cannot_be_read(tree: Path) -> None:
    (tree / "proc/iomem").unlink()
    assert report(tree)["memory_mib"] == 224


def test_cds_sticks_and_made_up_disks_are_none(tree: Path) -> None:
    disk(tree, "sr0", sectors=100, rotational="1", removable="1")
    disk(tree, "sdb", sectors=0, rotational="1")
    write(tree / "sys/block/loop0/size", "8\n")
    assert [each["name"] for each in report(tree)["disks"]] == ["sda", "vda"]


def test_a_machine_without_disks_and_dmi(tree: Path) -> None:
    for name in ("vda", "sda"):
        (tree / f"sys/block/{name}").rename(tree / name)
    (tree / "sys/class/dmi").rename(tree / "dmi")
    found = taken(tree)
    assert (found.disks, found.vendor) == ((), "")


def test_the_nic_that_booted_is_known_with_and_without_pxes_prefix(tree: Path) -> None:
    assert shell("boot_nic", tree) == "eth1\n"
    write(tree / "proc/cmdline", "BOOTIF=52:54:00:aa:bb:01\n")
    assert shell("boot_nic", tree) == "eth0\n"
    write(tree / "proc/cmdline", "BOOTIF=52:54:00:aa:bb:99\n")
    assert shell("boot_nic", tree) == ""


def test_an_option_may_have_an_equals_sign(tree: Path) -> None:
    assert shell("option hl.token", tree) == "a=b\n"


@given(st.binary(max_size=80).filter(lambda data: b"\0" not in data))
def test_any_text_is_json(data: bytes) -> None:
    done = subprocess.run(
        ["busybox", "ash", "-c", f'. {SCRIPTS}/found.sh; text "$(cat)"'],
        input=data,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    printable = bytes(each for each in data if 32 <= each < 127)
    assert json.loads(done.stdout) == printable.decode().strip(" ")


@pytest.mark.parametrize(
    ("given", "number"), [("007", 7), ("0", 0), ("", 0), ("-1", 0), ("12x", 0), ("40", 40)]
)
def test_any_text_for_a_number_is_one(given: str, number: int) -> None:
    assert json.loads(shell(f"number '{given}'")) == number


@pytest.mark.parametrize("script", sorted(SCRIPTS.iterdir()), ids=lambda each: each.name)
def test_busybox_can_read_every_script(script: Path) -> None:
    done = subprocess.run(["busybox", "ash", "-n", str(script)], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
