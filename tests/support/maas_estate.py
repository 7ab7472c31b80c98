"""A small MAAS as its API shows it, made from the shapes that are documented; written by hand."""

from typing import Any

Body = dict[str, Any]

#: The machine of libvirt's test driver.
TEST_UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"
SECRET = "correct-horse-battery-staple"

DEFAULT_ZONE = {"id": 1, "name": "default", "description": ""}
EAST = {"id": 2, "name": "east", "description": "the new hall"}
DEFAULT_POOL = {"id": 0, "name": "default", "description": "Default pool"}
WEB = {"id": 1, "name": "web", "description": ""}
DOMAIN = {"id": 0, "name": "maas", "authoritative": True, "ttl": 300}


def _vlan(key: int, fabric: int, vid: int, name: str, **more: Any) -> Body:
    names = {0: "fabric-0", 1: "physical"}
    return {
        "id": key,
        "fabric_id": fabric,
        "fabric": names[fabric],
        "vid": vid,
        "name": name,
        "mtu": 1500,
        "dhcp_on": False,
        "external_dhcp": None,
        "relay_vlan": None,
        "space": "undefined",
        "primary_rack": None,
        "secondary_rack": None,
        "resource_uri": f"/MAAS/api/2.0/vlans/{key}/",
        **more,
    }


OFFICE = _vlan(5001, 0, 0, "untagged")
TRUNK = _vlan(5002, 1, 0, "untagged")
DMZ = _vlan(5003, 1, 20, "dmz", space="dmz", dhcp_on=True, primary_rack="abc001", mtu=9000)
FAR = _vlan(5004, 1, 30, "far", relay_vlan=DMZ)


def _subnet(key: int, cidr: str, vlan: Body, **more: Any) -> Body:
    return {
        "id": key,
        "name": cidr,
        "cidr": cidr,
        "vlan": vlan,
        "space": vlan["space"],
        "gateway_ip": None,
        "dns_servers": [],
        "managed": True,
        "description": "",
        **more,
    }


OFFICE_NET = _subnet(1, "10.0.0.0/24", OFFICE, gateway_ip="10.0.0.1", dns_servers=["10.0.0.2"])
DMZ_NET = _subnet(2, "10.0.20.0/24", DMZ, name="dmz net", gateway_ip="10.0.20.1")
FAR_NET = _subnet(3, "10.0.30.0/24", FAR, managed=False)


def _link(ip: str, subnet: Body, mode: str = "auto") -> Body:
    return {"id": int(ip.rpartition(".")[2]), "mode": mode, "ip_address": ip, "subnet": subnet}


def _nic(key: int, name: str, mac: str, vlan: Body | None, *links: Body, **more: Any) -> Body:
    return {
        "id": key,
        "name": name,
        "type": "physical",
        "mac_address": mac,
        "vlan": vlan,
        "links": list(links),
        "discovered": None,
        "parents": [],
        "children": [],
        "enabled": True,
        "link_connected": True,
        "effective_mtu": 1500,
        "link_speed": 1000,
        "tags": [],
        "params": "",
        **more,
    }


def _node(system_id: str, hostname: str, kind: int, *nics: Body, **more: Any) -> Body:
    return {
        "system_id": system_id,
        "hostname": hostname,
        "fqdn": f"{hostname}.maas",
        "node_type": kind,
        "interface_set": list(nics),
        "zone": DEFAULT_ZONE,
        "pool": DEFAULT_POOL if kind == 0 else None,
        "domain": DOMAIN,
        "tag_names": [],
        "description": "",
        "status": 4,
        "status_name": "Ready",
        "architecture": "amd64/generic",
        "cpu_count": 2,
        "memory": 2048,
        "owner": None,
        "pod": None,
        "hardware_uuid": None,
        **more,
    }


CONTROLLER = _node(
    "abc001",
    "maas",
    4,
    _nic(1, "eth0", "02:00:00:00:00:01", OFFICE, _link("10.0.0.2", OFFICE_NET, "static")),
    pool=None,
)
KVM1 = _node(
    "kvm001",
    "kvm1",
    0,
    _nic(10, "eth0", "02:00:00:00:00:10", OFFICE, {"id": 9, "mode": "link_up"}),
    _nic(11, "eth1", "02:00:00:00:00:11", TRUNK, {"id": 8, "mode": "link_up"}),
    _nic(
        12,
        "br0",
        "02:00:00:00:00:10",
        OFFICE,
        _link("10.0.0.5", OFFICE_NET, "static"),
        type="bridge",
        parents=["eth0"],
        params={"bridge_type": "standard", "bridge_stp": False},
    ),
    _nic(13, "eth1.20", "02:00:00:00:00:11", DMZ, type="vlan", parents=["eth1"], params={"mtu": 1500}),
    status=6,
    status_name="Deployed",
    owner="ann",
    hardware_uuid="4C4C4544-0042-4810-8051-B4C04F564432",
    cpu_count=32,
    memory=131072,
)
VM1 = _node(
    "4y3h7n",
    "vm1",
    0,
    _nic(20, "eth0", "52:54:00:aa:bb:01", DMZ, _link("10.0.20.50", DMZ_NET), params={"mtu": 1500}),
    status=6,
    status_name="Deployed",
    zone=EAST,
    pool=WEB,
    tag_names=["virtual", "pod-console-logging"],
    owner="ann",
    locked=True,
    pod={"id": 1, "name": "kvm1", "resource_uri": "/MAAS/api/2.0/pods/1/"},
    hardware_uuid=TEST_UUID,
)
LXD_VM = _node(
    "lxd00v",
    "lx1",
    0,
    _nic(21, "eth0", "00:16:3e:00:00:01", OFFICE, _link("10.0.0.60", OFFICE_NET)),
    pod={"id": 2, "name": "lxd1", "resource_uri": "/MAAS/api/2.0/pods/2/"},
)
METAL = _node(
    "mt0001",
    "Metal",
    0,
    _nic(30, "eno1", "02:00:00:00:00:30", OFFICE, {"id": 31, "mode": "dhcp", "subnet": OFFICE_NET}),
)
PRINTER = _node(
    "dev001",
    "printer",
    1,
    _nic(40, "eth0", "02:00:00:00:00:40", OFFICE, _link("10.0.0.50", OFFICE_NET, "static")),
    owner="ann",
    parent="mt0001",
)

HOSTS = [
    {
        "id": 1,
        "name": "kvm1",
        "type": "virsh",
        "zone": EAST,
        "pool": DEFAULT_POOL,
        "tags": ["fast", "pod-console-logging"],
        "cpu_over_commit_ratio": 2.0,
        "memory_over_commit_ratio": 1.5,
        "default_macvlan_mode": "vepa",
        "host": {"system_id": "kvm001", "__incomplete__": True},
    },
    {
        "id": 2,
        "name": "lxd1",
        "type": "lxd",
        "zone": DEFAULT_ZONE,
        "pool": DEFAULT_POOL,
        "tags": [],
        "cpu_over_commit_ratio": 1.0,
        "memory_over_commit_ratio": 1.0,
        "default_macvlan_mode": None,
        "host": {"system_id": None, "__incomplete__": True},
    },
    {
        "id": 7,
        "name": "KVM_3",
        "type": "virsh",
        "zone": DEFAULT_ZONE,
        "pool": WEB,
        "tags": [],
        "cpu_over_commit_ratio": 1.0,
        "memory_over_commit_ratio": 1.0,
        "default_macvlan_mode": None,
        "host": {"system_id": None, "__incomplete__": True},
    },
]
PARAMETERS = {
    1: {"power_address": "test:///default"},
    2: {"power_address": "https://10.0.0.6:8443", "project": "maas", "certificate": SECRET},
    7: {"power_address": "qemu+ssh://ubuntu@10.0.0.7/system", "power_pass": SECRET},
}

RESERVED = [
    {
        "alloc_type": 4,
        "alloc_type_name": "User reserved",
        "ip": "10.0.20.60",
        "subnet": DMZ_NET,
        "owner": {"username": "ann"},
        "interface_set": [],
    },
    {"alloc_type": 0, "ip": "10.0.20.50", "subnet": DMZ_NET, "owner": None, "interface_set": [{"id": 20}]},
    {"alloc_type": 6, "ip": "10.0.20.61", "subnet": DMZ_NET, "owner": None, "interface_set": []},
]


def bodies() -> dict[str, Any]:
    """Every answer by its path, with the op after a question mark."""
    return {
        "version/": {"version": "3.4.2", "subversion": "14353-g.1", "capabilities": ["networks-management"]},
        "users/?op=whoami": {"username": "ann", "email": "ann@x", "is_superuser": True, "is_local": True},
        "zones/": [DEFAULT_ZONE, EAST],
        "resourcepools/": [DEFAULT_POOL, WEB],
        "domains/": [DOMAIN],
        "tags/": [
            {"name": "virtual", "definition": "", "comment": "", "kernel_opts": ""},
            {
                "name": "pod-console-logging",
                "definition": "",
                "comment": "logs",
                "kernel_opts": "console=tty1 console=ttyS0",
            },
            {"name": "gpu", "definition": "//node[@class='display']", "comment": "", "kernel_opts": ""},
        ],
        "spaces/": [
            {"id": -1, "name": "undefined", "vlans": [OFFICE, TRUNK, FAR], "subnets": [OFFICE_NET, FAR_NET]},
            {"id": 1, "name": "dmz", "vlans": [DMZ], "subnets": [DMZ_NET]},
        ],
        "fabrics/": [
            {"id": 0, "name": "fabric-0", "class_type": None, "vlans": [OFFICE]},
            {"id": 1, "name": "physical", "class_type": "10g", "vlans": [TRUNK, DMZ, FAR]},
        ],
        "subnets/": [OFFICE_NET, DMZ_NET, FAR_NET],
        "ipranges/": [
            {
                "id": 1,
                "type": "dynamic",
                "start_ip": "10.0.20.100",
                "end_ip": "10.0.20.199",
                "comment": "Dynamic",
                "subnet": DMZ_NET,
            },
            {
                "id": 2,
                "type": "reserved",
                "start_ip": "10.0.20.2",
                "end_ip": "10.0.20.9",
                "comment": "",
                "subnet": DMZ_NET,
            },
        ],
        "machines/": [KVM1, VM1, LXD_VM, METAL],
        "devices/": [PRINTER],
        "rackcontrollers/": [CONTROLLER],
        "regioncontrollers/": [CONTROLLER],
        "ipaddresses/?all=true": RESERVED,
        "vm-hosts/": HOSTS,
        **{f"vm-hosts/{key}/?op=parameters": value for key, value in PARAMETERS.items()},
    }
