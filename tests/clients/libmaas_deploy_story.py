"""How a user of python-libmaas deploys a machine: `libmaas_deploy_story.py URL KEY`, in lines of JSON.

The first line says what to deploy. When the machine is deploying, it prints what it sees. After the next line
it waits until the machine is deployed, releases it, and prints what it saw.
"""

import json
import sys
import time

from maas.client import connect
from maas.client.enum import NodeStatus

PATIENCE_S = 60


def main() -> None:
    """Allocate, deploy, deployed, release with erased disks."""
    url, key = sys.argv[1:]
    wish = json.loads(sys.stdin.readline())
    client = connect(url, apikey=key)
    machine = client.machines.allocate(hostname=wish["hostname"])
    allocated = machine.status is NodeStatus.ALLOCATED
    machine = machine.deploy(
        user_data=wish["user_data"].encode(), distro_series=wish["series"], comment="a test", wait=False
    )
    tell({"allocated": allocated, "status": machine.status_name})

    sys.stdin.readline()
    machine = until(client, machine.system_id, NodeStatus.DEPLOYED)
    seen = {"system": machine.osystem, "series": machine.distro_series, "owner": machine.owner.username}
    images = {image.name: [image.architecture, image.type] for image in client.boot_resources.list()}
    machine.release(erase=True, comment="done", wait=False)
    machine = until(client, machine.system_id, NodeStatus.READY)
    tell(seen | {"images": images, "disks": [disk.name for disk in machine.block_devices]})


def until(client: object, system_id: str, status: object) -> object:
    """Poll a machine until it has the status."""
    last = time.monotonic() + PATIENCE_S
    while (machine := client.machines.get(system_id)).status is not status:
        if time.monotonic() > last:
            raise SystemExit(f"{machine.hostname} is {machine.status_name}")
        time.sleep(0.1)
    return machine


def tell(line: dict) -> None:
    """Print a line."""
    print(json.dumps(line), flush=True)


main()
