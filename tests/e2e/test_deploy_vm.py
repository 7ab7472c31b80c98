"""A machine gets a Debian image straight onto its disk, and one logs in on a bridge and on a macvtap NIC."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hostloom_lab.disk_image import built_image
from support.rig import HOSTLOOM, Rig

#: An emulated Debian boots in 70 to 90 s on a quiet machine.
DEPLOY_TIMEOUT_S = 600
USER_DATA = "#cloud-config\nwrite_files:\n- path: /etc/motto\n  content: from user-data\n"


@pytest.fixture(scope="module")
def image(rig: Rig) -> str:
    """Debian 12, by name."""
    words = ("image", "import", str(built_image()), "--name", "debian-12")
    done = rig.call(*words, timeout_s=1200)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{rig.log()[-3000:]}"
    return "debian-12"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private key; the public one is beside it."""
    path = tmp_path_factory.mktemp("ssh") / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def run_long(rig: Rig, *words: str) -> None:
    """Run a command that ends when the machine has reported."""
    done = rig.call(*words, timeout_s=DEPLOY_TIMEOUT_S)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{rig.log()[-3000:]}"


def settled(rig: Rig, name: str) -> Any:
    """The machine, which is deployed."""
    machine = rig.get("machine", "show", name)
    console = rig.call("machine", "console-log", name).stdout[-3000:]
    assert machine["state"] == "deployed", f"{machine}\n{console}"
    return machine


def login(rig: Rig, key: Path, name: str, command: str) -> str:
    """Run a command in the machine by `machine ssh`, from the rack, which reaches the machines."""
    words = [*HOSTLOOM, "machine", "ssh", name, "-i", str(key), "--", command]
    environment = {**os.environ, "HOSTLOOM_SOCKET": str(rig.socket), "XDG_CACHE_HOME": str(key.parent)}
    done = subprocess.run(
        rig.lab.in_rack(words), env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def login_at(rig: Rig, key: Path, machine: Any, address: str, command: str) -> str:
    """Run a command in the machine over one of its addresses; only a reported host key is accepted."""
    known_hosts = key.with_name("known_hosts")
    keys = machine["deployment"]["host_keys"]
    known_hosts.write_text("".join(f"{address} {line}\n" for line in keys))
    options = [
        *("-o", f"UserKnownHostsFile={known_hosts}", "-o", "StrictHostKeyChecking=yes"),
        *("-o", "BatchMode=yes", "-o", "ConnectTimeout=60", "-i", str(key)),
    ]
    argv = rig.lab.in_rack(["ssh", "-F", "/dev/null", *options, f"debian@{address}", command])
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_logs_in_on_a_bridge_and_on_a_macvtap_nic(
    clean: Rig, image: str, key: Path, tmp_path: Path
) -> None:
    rig, user_data = clean, tmp_path / "user-data"
    user_data.write_text(USER_DATA)
    options = (
        *("--host", rig.lab.plan.hosts[0].name, "--name", "web", "--image", image),
        *("--ssh-key", f"{key}.pub", "--user-data", str(user_data)),
        *("--memory", "1G", "--cores", "2", "--storage", "root:3"),
        *("--interfaces", "eth0:space=mgmt,attach=bridge;eth1:vid=20,attach=macvlan"),
    )
    run_long(rig, "machine", "compose", *options)
    machine = settled(rig, "web")
    assert machine["image"] == machine["deployment"]["image"] == image
    for nic in machine["interfaces"]:
        (address,) = nic["ips"]
        told = login_at(
            rig, key, machine, address, f"cat /etc/motto; hostname; ip -br addr show {nic['name']}"
        )
        assert "from user-data" in told
        assert "web" in told
        assert address in told
    size, *rest = login(
        rig, key, "web", "lsblk -bno SIZE -d /dev/vda; df -B1 --output=size / | tail -1"
    ).split()
    assert int(size) == 3 * 10**9
    assert int(rest[0]) > 2 * 10**9  # the file system has grown with the disk


def test_an_existing_machine_is_deployed_and_released(clean: Rig, image: str, key: Path) -> None:
    rig = clean
    rig.run(
        *("machine", "compose", "--host", rig.lab.plan.hosts[0].name, "--name", "db", "--memory", "1G"),
        *("--cores", "2", "--storage", "root:3", "--interfaces", "eth0:space=mgmt"),
    )
    words = ("machine", "deploy", "db", "--image", image, "--ssh-key", f"{key}.pub")
    planned = rig.get(*words, "--plan")
    assert (planned["wiped"]["name"], planned["is_copied"], planned["reports"]) == ("root", True, True)
    assert rig.get("machine", "show", "db")["state"] == "ready"
    run_long(rig, *words, "--yes")
    machine = settled(rig, "db")
    assert [disk["name"] for disk in machine["disks"]] == ["root", "seed"]
    assert login(rig, key, "db", "hostname").strip() == "db"
    run_long(rig, "machine", "release", "db", "--erase", "--yes")
    freed = rig.get("machine", "show", "db")
    assert (freed["state"], freed["power"], freed["image"]) == ("ready", "off", None)
    assert [disk["name"] for disk in freed["disks"]] == ["root"]
