"""What Ansible's collection for MAAS sends, byte for byte, and every key that it reads of the answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from support.maas import HTTP, ROOT, Maas, read_until

#: It shows these of each thing, and fails where one is missing.
HOST = {
    *("id", "name", "cpu_over_commit_ratio", "memory_over_commit_ratio", "default_macvlan_mode"),
    *("tags", "zone", "pool"),
}
MACHINE = {
    *("fqdn", "hostname", "system_id", "memory", "cpu_count", "domain", "zone", "pool", "tag_names"),
    *("interface_set", "blockdevice_set", "status_name", "osystem", "distro_series", "hwe_kernel"),
    *("min_hwe_kernel", "power_type", "architecture", "pod"),
}
NIC = {
    *("id", "name", "mac_address", "system_id", "tags", "effective_mtu", "links", "vlan", "discovered"),
}
DISK = {"id", "name", "size"}
FABRIC = {"id", "name", "vlans", "resource_uri", "class_type"}
SPACE = {"id", "name", "vlans", "subnets", "resource_uri"}
VLAN = {
    *("id", "name", "vid", "mtu", "dhcp_on", "external_dhcp", "relay_vlan", "space", "fabric_id"),
    *("secondary_rack", "fabric", "primary_rack", "resource_uri"),
}
SUBNET = {"id", "name", "cidr", "vlan", "gateway_ip", "dns_servers"}
RANGE = {"id", "type", "start_ip", "end_ip", "comment", "subnet"}


@dataclass
class Ansible:
    """Its way with requests, over the signature of another client."""

    maas: Maas

    def send(
        self, method: str, path: str, data: Mapping[str, Any] | None = None, *, op: str = ""
    ) -> httpx.Response:
        """Forms are plain multipart with a quoted boundary; nothing follows the last delimiter."""
        headers = {"Authorization": self.maas.header(), "Accept": "application/json"}
        content = None
        if data is not None:
            headers["Content-type"] = 'multipart/form-data; boundary="BB"'
            parts = [
                f'--BB\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in data.items()
            ]
            content = "".join([*parts, "--BB--"]).encode()
        address = f"{self.maas.url}{ROOT}{path}" + (f"?op={op}" if op else "")
        return HTTP.request(method, address, content=content, headers=headers, timeout=10)

    def get(self, path: str) -> Any:
        """It takes 200 and 404, and parses both."""
        found = self.send("GET", path)
        assert found.status_code == 200, found.text
        return found.json()

    def post(self, path: str, data: Mapping[str, Any], op: str = "") -> Any:
        found = self.send("POST", path, data, op=op)
        assert found.status_code in (200, 201), found.text
        return found.json()

    def put(self, path: str, data: Mapping[str, Any]) -> Any:
        found = self.send("PUT", path, data)
        assert found.status_code == 200, found.text
        return found.json()

    def delete(self, path: str) -> None:
        found = self.send("DELETE", path)
        assert found.status_code in (200, 204), found.text

    def find(self, path: str, name: str) -> Any:
        """It lists everything, and looks for the name itself."""
        (found,) = [each for each in self.get(path) if each["name"] == name]
        return found


@pytest.fixture
def ansible(fleet: Maas) -> Ansible:
    return Ansible(fleet)


def test_the_network_modules(ansible: Ansible) -> None:
    fabric = ansible.post("fabrics/", {"name": "east", "description": "", "class_type": ""})
    space = ansible.post("spaces/", {"name": "dmz"})
    assert ansible.find("spaces/", "dmz").keys() >= SPACE
    vlans = f"fabrics/{fabric['id']}/vlans/"
    assert ansible.send("GET", f"{vlans}20/").status_code == 404
    vlan = ansible.post(
        vlans, {"vid": 20, "name": "dmz", "mtu": 1500, "dhcp_on": False, "space": space["id"]}
    )
    assert vlan.keys() >= VLAN
    changed = ansible.put(f"{vlans}20/", {"name": "outside", "mtu": 9000})
    assert (changed["name"], changed["mtu"], changed["space"]) == ("outside", 9000, "dmz")
    shown = ansible.find("fabrics/", "east")
    assert shown.keys() >= FABRIC
    assert changed in shown["vlans"]

    wanted = {"cidr": "10.9.0.0/24", "vlan": vlan["id"], "managed": True, "allow_dns": True}
    subnet = ansible.post("subnets/", wanted)
    assert subnet.keys() >= SUBNET
    assert subnet["vlan"].keys() >= {"id", "name", "fabric", "fabric_id"}
    changed = ansible.put(f"subnets//{subnet['id']}/", {"gateway_ip": "10.9.0.1", "dns_servers": "10.9.0.2"})
    assert (changed["gateway_ip"], changed["dns_servers"]) == ("10.9.0.1", ["10.9.0.2"])
    leases = {"type": "dynamic", "start_ip": "10.9.0.100", "end_ip": "10.9.0.110", "subnet": subnet["id"]}
    made = ansible.post("ipranges/", leases)
    assert made.keys() >= RANGE
    assert made["subnet"]["name"] == subnet["name"]
    ansible.delete(f"ipranges//{made['id']}/")
    ansible.delete(f"subnets//{subnet['id']}/")
    ansible.delete(f"{vlans}20/")
    ansible.delete(f"fabrics/{fabric['id']}/")
    ansible.delete(f"spaces/{space['id']}/")


def test_the_modules_of_vm_hosts_and_their_machines(ansible: Ansible) -> None:
    host = ansible.find("vm-hosts/", "kvm1")
    assert host.keys() >= HOST
    path = f"vm-hosts/{host['id']}/"
    ratios = {"cpu_over_commit_ratio": 2.0, "memory_over_commit_ratio": 3, "default_macvlan_mode": "vepa"}
    changed = ansible.put(path, ratios | {"tags": "fast,new", "zone": "default", "pool": "default"})
    assert {name: changed[name] for name in ratios} == ratios
    assert changed["tags"] == ["fast", "new"]

    wanted = {"hostname": "vm1", "cores": 2, "memory": 2048, "zone": host["zone"]["id"]}
    wanted |= {"pool": host["pool"]["id"], "domain": ansible.get("domains/")[0]["id"]}
    wanted["interfaces"] = "my_first:subnet_cidr=10.0.0.0/24,ip=10.0.0.77,name=br0"
    wanted["storage"] = "label:3,label:5"
    made = ansible.post(path, wanted, op="compose")
    machine = f"machines/{made['system_id']}/"
    shown = read_until(lambda: ansible.get(machine), "Ready", "Commissioning")
    assert shown.keys() >= MACHINE
    assert (shown["memory"], shown["cpu_count"], shown["pod"]["name"]) == (2048, 2, "kvm1")
    (nic,) = shown["interface_set"]
    assert nic.keys() >= NIC
    assert nic["name"] == "my_first"
    (link,) = nic["links"]
    assert (link["subnet"]["cidr"], link["ip_address"]) == ("10.0.0.0/24", "10.0.0.77")
    assert all(each.keys() >= DISK for each in shown["blockdevice_set"])
    assert [each["size"] // 10**9 for each in shown["blockdevice_set"]] == [3, 5]
    assert shown in ansible.get("machines/")
    assert None not in link.values()
    ansible.delete(machine)
    assert ansible.send("GET", machine).status_code == 404
    ansible.delete(path)
    assert ansible.get("vm-hosts/") == []
