"""What MAAS's clients are told of machines whose host does not answer."""

from hostloom.reconcilers.host_pulse import MISSES, HostPulse
from support.fake_hypervisor import FakeHypervisor
from support.little_world import URIS, LittleWorld
from support.maas import Maas
from support.waiting import wait_until


def test_the_power_of_machines_on_a_lost_host_is_unknown(fleet: Maas, world: LittleWorld) -> None:
    machine = fleet.post("vm-hosts/1/", "compose", hostname="web", cores=1, memory=512)
    path = f"machines/{machine['system_id']}/"
    wait_until(lambda: fleet.get(path)["status_name"] == "Ready", "the machine", 20, 0.02)
    assert fleet.get(path)["power_state"] in ("on", "off")
    kvm1 = world.hypervisors.of("kvm1", URIS[0])
    assert isinstance(kvm1, FakeHypervisor)
    kvm1.unreachable = True
    pulse = HostPulse(world.ports)
    for _ in range(MISSES):
        pulse.look()
    assert fleet.get(path)["power_state"] == "unknown"
    assert fleet.get(path, op="query_power_state") == {"state": "unknown"}
    assert [shown["hostname"] for shown in fleet.get("machines/", power_state="unknown")] == ["web"]
    assert fleet.get("machines/", power_state="on") == fleet.get("machines/", power_state="off") == []
