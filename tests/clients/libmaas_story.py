"""What a user of python-libmaas does: `libmaas_story.py URL KEY`, run by the client's own interpreter."""

import json
import sys
import time

from maas.client import connect
from maas.client.enum import IPRangeType, PowerState

PATIENCE_S = 30


def main() -> None:
    """Login, network, VM host, its mode and over-commit, compose, ready, off, decompose, gone."""
    url, key = sys.argv[1:]
    client = connect(url, apikey=key)
    told = {"whoami": client.users.whoami().username}
    fabric = client.fabrics.create(name="physical")
    vlan = fabric.vlans.create(vid=20, name="dmz")
    subnet = client.subnets.create(cidr="10.0.20.0/24", vlan=vlan, gateway_ip="10.0.20.1")
    leases = client.ip_ranges.create(
        start_ip="10.0.20.100", end_ip="10.0.20.110", type=IPRangeType.DYNAMIC, subnet=subnet
    )
    told["network"] = [client.fabrics.get_default().name, subnet.cidr, leases.start_ip]
    pod = client.pods.create(type="virsh", power_address="test:///default", name="kvm1")
    pod = client.pods.get(pod.id)
    pod.default_macvlan_mode = "vepa"
    pod.save()
    client.pods.get(pod.id)._handler.update(id=pod.id, memory_over_commit_ratio="10")
    pod = client.pods.get(pod.id)
    pod.refresh()
    told["pod"] = [pod.name, pod.default_macvlan_mode, pod.memory_over_commit_ratio, pod.zone.name]
    pod.compose(hostname="vm1", cores=1, memory=1024, storage="root:1")
    until = time.monotonic() + PATIENCE_S
    while (machine := named(client, "vm1")).status_name != "Ready":
        if time.monotonic() > until:
            raise SystemExit(f"vm1 is {machine.status_name}")
        time.sleep(0.1)
    told["machine"] = [machine.memory, machine.cpus, machine.power_state is PowerState.ON]
    told["disks"] = [disk.size for disk in machine.block_devices]
    machine.power_off()
    told["off"] = named(client, "vm1").power_state is PowerState.OFF
    machine.delete()
    pod.delete()
    told["left"] = [len(client.pods.list()), [each.hostname for each in client.machines.list()]]
    print(json.dumps(told))


def named(client: object, hostname: str) -> object:
    """The machine of that name."""
    (found,) = (each for each in client.machines.list() if each.hostname == hostname)
    return found


main()
