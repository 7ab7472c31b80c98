"""What a user of python-libmaas does with KVM hosts: `libmaas_hosts_story.py URL KEY`, in lines of JSON.

Told what to make by a line, it prints what it sees when all is ready; at the next line it takes everything
apart, and prints what is left. What is printed has the same shape as with the story of gomaasapi.
"""

import json
import sys
import time

from maas.client import connect
from maas.client.bones import CallError
from maas.client.enum import PowerState

PATIENCE_S = 60


def main() -> None:
    """Login, VM host, its mode and over-commit, compose, ready; decompose, gone."""
    url, key = sys.argv[1:]
    wish = json.loads(sys.stdin.readline())
    client = connect(url, apikey=key)
    pod = client.pods.create(**wish["host"])
    pod = client.pods.get(pod.id)
    pod.default_macvlan_mode = "sideways"
    wrong = refused(pod.save)
    pod = client.pods.get(pod.id)
    # The client cannot send a ratio by `save`: its writer of forms knows no floats.
    pod._handler.update(id=pod.id, **wish["changes"])
    pod.refresh()
    pod = client.pods.get(pod.id)
    machines = [compose(client, pod, each) for each in wish["machines"]]
    tell(
        {
            "whoami": client.users.whoami().username,
            "wrong_mode": wrong,
            "host": see_host(pod),
            "machines": machines,
        }
    )

    sys.stdin.readline()
    left = {"refused": refused(pod.delete)}
    for each in machines:
        client.machines.get(each["system_id"]).delete()
    pod.delete()
    names = {each["hostname"] for each in machines}
    left["machines"] = len([each for each in client.machines.list() if each.hostname in names])
    left["host"] = refused(lambda: client.pods.get(pod.id))
    tell(left)


def compose(client: object, pod: object, wanted: dict) -> dict:
    """Make a machine, and watch it until it is ready."""
    made = pod.compose(**wanted)
    states = []
    until = time.monotonic() + PATIENCE_S
    while (machine := client.machines.get(made["system_id"])).status_name != "Ready":
        states.append(machine.status_name)
        if time.monotonic() > until:
            raise SystemExit(f"{machine.hostname} is {states}")
        time.sleep(0.1)
    return see(machine) | {"states": [*dict.fromkeys(states), "Ready"]}


def see_host(pod: object) -> dict:
    """What was set of a host."""
    names = ("name", "type", "default_macvlan_mode", "cpu_over_commit_ratio", "memory_over_commit_ratio")
    return {name: getattr(pod, name) for name in names}


def see(machine: object) -> dict:
    """A machine as the client's objects show it."""
    return {
        "system_id": machine.system_id,
        "hostname": machine.hostname,
        "power": "on" if machine.power_state is PowerState.ON else "off",
        "memory": machine.memory,
        "cores": machine.cpus,
        "zone": machine.zone.name,
        "pool": machine.pool.name,
        "ips": machine.ip_addresses,
        "boot": machine.boot_interface.name,
        "nics": [see_nic(each) for each in machine.interfaces],
        "disks": [each.size for each in machine.block_devices],
    }


def see_nic(nic: object) -> dict:
    """A NIC and its links."""
    links = list(nic.links)
    return {
        "name": nic.name,
        "mac": nic.mac_address,
        "vid": nic.vlan.vid if nic.vlan else -1,
        "modes": [each.mode.value for each in links],
        "cidrs": [each.subnet.cidr for each in links if each.subnet],
        "ips": [each.ip_address or "" for each in links],
    }


def refused(call: object) -> dict:
    """The status and the words of an answer that must be an error."""
    try:
        call()
    except CallError as error:
        return {"status": error.status, "words": error.content.decode()}
    raise SystemExit("this was not refused")


def tell(found: dict) -> None:
    """Print a line."""
    print(json.dumps(found), flush=True)


main()
