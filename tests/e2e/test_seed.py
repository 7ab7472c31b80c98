"""cloud-init itself configures a copy of this machine with a seed, from the first stage to the report."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hostloom.decide.deploy.phone_home import PhoneHome
from hostloom.decide.deploy.seed import SeedAccount, render_seed
from support import cloud_init_machine
from support.cloud_init_machine import NAMESPACES, PORT
from support.seeds import KEY, a_seed_input

pytestmark = pytest.mark.lab

USER_DATA = """\
#cloud-config
users: [{name: bob}]
runcmd: [[touch, /made-by-the-user]]
write_files: [{path: /made-by-write-files, content: x}]
"""


def configured(folder: Path, *commands: tuple[str, ...]) -> Any:
    """What becomes of a machine with a seed, the user's own user-data and these commands."""
    seed_input = a_seed_input(
        user="ann",
        user_data=USER_DATA,
        accounts=(SeedAccount("keeper", (KEY,), ("users",)),),
        commands=(("touch", "/made-by-us"), *commands),
        phone_home=PhoneHome(f"http://127.0.0.1:{PORT}/deployed", "t0ken"),
    )
    for name, text in render_seed(seed_input).files.items():
        (folder / name).write_text(text)
    argv = [*NAMESPACES, sys.executable, cloud_init_machine.__file__, str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "outcome.json").read_text())


def test_a_machine_becomes_what_the_seed_says_and_reports(tmp_path: Path) -> None:
    outcome = configured(tmp_path)
    files = outcome["files"]
    assert json.loads(files["run/cloud-init/result.json"])["v1"]["errors"] == []
    assert files["etc/hostname"].strip() == "web1"
    assert "127.0.1.1\tweb1.example.com\tweb1" in files["etc/hosts"]
    users = {line.split(":")[0] for line in files["etc/passwd"].splitlines()}
    assert {"ann", "bob", "keeper"} <= users
    assert KEY in files["home/ann/.ssh/authorized_keys"]
    assert KEY in files["home/keeper/.ssh/authorized_keys"]
    assert "10.0.0.10/24" in files["etc/netplan/50-cloud-init.yaml"]
    assert {link["ifname"]: link["address"] for link in outcome["links"]}["eth0"] == cloud_init_machine.MAC
    assert outcome["made"] == ["made-by-the-user", "made-by-us", "made-by-write-files"]
    (report,) = outcome["reports"]
    assert (report["path"], report["authorization"]) == ("/deployed", "Bearer t0ken")
    assert report["body"]["errors"] == []
    assert "ssh-ed25519" in {key.split()[0] for key in report["body"]["host_keys"]}
    assert outcome["scripts"] == []


def test_a_machine_reports_what_cloud_init_could_not_do(tmp_path: Path) -> None:
    outcome = configured(tmp_path, ("sh", "-c", "exit 3"))
    (report,) = outcome["reports"]
    assert len(report["body"]["errors"]) == 1
    assert "scripts" in report["body"]["errors"][0]
