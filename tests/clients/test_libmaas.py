"""python-libmaas, unchanged, in a separate environment that bin/test makes."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

from hostloom.server.secret import FileSecrets
from hostloom.server.system import SystemClock
from support.client_story import LIBMAAS, STORIES, Story
from support.disk_images import a_disk_image
from support.guest import phone_home
from support.little_world import add_disk_image, little_world
from support.maas import Maas, make_key
from support.server import running, serving
from support.waiting import wait_until


def test_its_users_work_on_unchanged(tmp_path: Path) -> None:
    assert LIBMAAS.exists(), "bin/test makes the client's environment"
    with running(tmp_path, worker=True, clock=SystemClock()) as server:
        argv = [
            str(LIBMAAS),
            str(STORIES / "libmaas_story.py"),
            f"{server.url}/MAAS/",
            make_key(server.ports),
        ]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == {
        "whoami": "ann",
        "network": ["physical", "10.0.20.0/24", "10.0.20.100"],
        "pod": ["kvm1", "vepa", 10.0, "default"],
        "machine": [1024, 1, True],
        "disks": [10**9],
        "off": True,
        "left": [0, []],
    }


def test_its_users_deploy_a_machine(tmp_path: Path) -> None:
    world = little_world(tmp_path, hosts_there=1)
    add_disk_image(world, a_disk_image(virtual_size_bytes=10**6))
    ports = replace(world.ports, secrets=FileSecrets(tmp_path / "secret"), clock=SystemClock())
    key = make_key(ports)
    wish = {"hostname": "web", "series": "debian/12", "user_data": "#cloud-config\n{}\n"}
    with serving(tmp_path, ports, worker=True) as url:
        maas = Maas(url, key, ports.clock.now())
        maas.post("pods/1/", "compose", hostname="web", interfaces="eth0:space=mgmt", storage="root:1")
        wait_until(lambda: maas.get("machines/")[0]["status_name"] == "Ready", "web is ready", 30)
        argv = [str(LIBMAAS), str(STORIES / "libmaas_deploy_story.py"), f"{url}/MAAS/", key]
        with Story(argv, tmp_path) as story:
            deploying = story.tell(wish)
            phone_home(ports, "web")
            seen = story.tell({})
    assert deploying == {"allocated": True, "status": "Deploying"}
    assert seen == {
        "system": "debian",
        "series": "12",
        "owner": "ann",
        "images": {"debian/12": ["amd64/generic", "Uploaded"]},
        "disks": ["root"],
    }
