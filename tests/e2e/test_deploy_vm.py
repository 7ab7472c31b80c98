"""A machine gets a Debian image straight onto its disk, and one logs in on a bridge and on a macvtap NIC."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.rig import Rig, wait_until

#: A Debian 12 with cloud-init and sshd; `hostloom image build debian-12` makes one if it is not there.
IMAGE_FILE = Path("/var/cache/hostloom/test-images/debian-12.qcow2")
#: An emulated Debian boots in 70 to 90 s on a quiet machine.
DEPLOY_TIMEOUT_S = 600
USER_DATA = "#cloud-config\nwrite_files:\n- path: /etc/motto\n  content: from user-data\n"


@pytest.fixture(scope="module")
def image(rig: Rig) -> Iterator[str]:
    if IMAGE_FILE.exists():
        words = ("image", "import", str(IMAGE_FILE), "--name", "debian-12")
    else:
        words = ("image", "build", "debian-12")
    done = rig.call(*words, timeout_s=1200)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{rig.log()[-3000:]}"
    yield "debian-12"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private key; the public one is beside it."""
    path = tmp_path_factory.mktemp("ssh") / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def wait_for_report(rig: Rig, name: str) -> Any:
    """Wait until the machine is deployed, and return it."""

    def is_settled() -> bool:
        return rig.get("machine", "show", name)["state"] != "deploying"

    wait_until(is_settled, f"the report of {name}", DEPLOY_TIMEOUT_S)
    machine = rig.get("machine", "show", name)
    console = rig.call("machine", "console-log", name).stdout[-3000:]
    assert machine["state"] == "deployed", f"{machine}\n{console}"
    return machine


def login(rig: Rig, key: Path, address: str, command: str) -> str:
    """Run a command in the machine, from the rack; its host key must be one that it reported."""
    known_hosts = key.with_name("known_hosts")
    (machine,) = (m for m in rig.list("machine") if any(address in nic["ips"] for nic in m["interfaces"]))
    keys = rig.get("machine", "show", machine["hostname"])["deployment"]["host_keys"]
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
    rig.run("machine", "compose", *options)
    machine = wait_for_report(rig, "web")
    assert machine["deployment"]["image"] == image
    for nic in machine["interfaces"]:
        (address,) = nic["ips"]
        told = login(rig, key, address, f"cat /etc/motto; hostname; ip -br addr show {nic['name']}")
        assert "from user-data" in told
        assert "web" in told
        assert address in told
    size = int(
        login(
            rig, key, machine["interfaces"][0]["ips"][0], "lsblk -bno SIZE -d /dev/vda; df -B1 / | tail -1"
        ).split()[0]
    )
    assert size == 3 * 10**9
