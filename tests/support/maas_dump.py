"""The database of the MAAS of support.maas_estate, as pg_dump writes it; made by hand from MAAS's columns."""

import json
from collections.abc import Iterable, Mapping

from support.maas_estate import PARAMETERS, TEST_UUID

Value = str | int | bool | None
Table = tuple[str, list[tuple[Value, ...]]]

_AT = "2024-05-01 10:00:00+00"
END = "--\n-- PostgreSQL database dump complete\n--\n\n"


def tables(*, before_3_2: bool = False) -> dict[str, Table]:
    """Columns (parted by spaces) and rows of each table; before 3.2 interfaces were their nodes' own."""
    owner = "node_id" if before_3_2 else "node_config_id"
    # a node's configuration has another id than the node
    shift = 0 if before_3_2 else 100
    current = "" if before_3_2 else " current_config_id"

    def node(key: int, system_id: str, hostname: str, kind: int, *rest: Value) -> tuple[Value, ...]:
        config = () if before_3_2 else (key + shift,)
        parent = 6 if hostname == "printer" else None
        return key, _AT, system_id, hostname, kind, *rest, parent, hostname == "vm1", *config

    def nic(key: int, name: str, kind: str, mac: str, of: int, vlan: int, params: str) -> tuple[Value, ...]:
        return key, _AT, name, kind, mac, params, "{}", True, of + shift, vlan, True, 1000

    found: dict[str, Table] = {
        "auth_user": ("id password username", [(3, "pbkdf2_sha256$secret", "ann")]),
        "maasserver_zone": (
            "id created name description",
            [(1, _AT, "default", ""), (2, _AT, "east", "the new hall")],
        ),
        "maasserver_resourcepool": (
            "id name description",
            [(0, "default", "Default pool"), (1, "web", "")],
        ),
        "maasserver_domain": ("id name authoritative ttl", [(0, "maas", True, 300)]),
        "maasserver_tag": (
            "id name definition comment kernel_opts",
            [
                (1, "gpu", "//node[@class='display']", "", None),
                (2, "pod-console-logging", "", "logs", "console=tty1 console=ttyS0"),
                (3, "virtual", "", "", None),
            ],
        ),
        "maasserver_node_tags": ("id node_id tag_id", [(1, 4, 3), (2, 4, 2)]),
        "maasserver_space": ("id name description", [(1, "dmz", "")]),
        "maasserver_fabric": (
            "id name class_type description",
            [(0, None, None, ""), (1, "physical", "10g", "")],
        ),
        "maasserver_vlan": (
            (
                "id name vid mtu fabric_id dhcp_on primary_rack_id external_dhcp description relay_vlan_id"
                " space_id"
            ),
            [
                (5001, "Default VLAN", 0, 1500, 0, False, None, None, "", None, None),
                (5002, None, 0, 1500, 1, False, None, None, "", None, None),
                (5003, "dmz", 20, 9000, 1, True, 1, None, "", None, 1),
                (5004, "far", 30, 1500, 1, False, None, None, "", 5003, None),
            ],
        ),
        "maasserver_subnet": (
            "id name cidr gateway_ip dns_servers vlan_id description managed",
            [
                (1, "10.0.0.0/24", "10.0.0.0/24", "10.0.0.1", "{10.0.0.2}", 5001, "", True),
                (2, "dmz net", "10.0.20.0/24", "10.0.20.1", "{}", 5003, "", True),
                (3, "10.0.30.0/24", "10.0.30.0/24", None, None, 5004, "", False),
            ],
        ),
        "maasserver_iprange": (
            "id type start_ip end_ip comment subnet_id",
            [
                (1, "dynamic", "10.0.20.100", "10.0.20.199", "Dynamic", 2),
                (2, "reserved", "10.0.20.2", "10.0.20.9", None, 2),
            ],
        ),
        "maasserver_node": (
            (
                "id created system_id hostname node_type status owner_id architecture cpu_count memory"
                f" zone_id pool_id domain_id bmc_id hardware_uuid description parent_id locked{current}"
            ),
            [
                node(1, "abc001", "maas", 4, 4, None, "amd64/generic", 2, 2048, 1, None, 0, None, None, ""),
                node(
                    2,
                    *("kvm001", "kvm1", 0, 6, 3, "amd64/generic", 32, 131072, 1, 0, 0, 9),
                    *("4C4C4544-0042-4810-8051-B4C04F564432", ""),
                ),
                node(4, "4y3h7n", "vm1", 0, 6, 3, "amd64/generic", 2, 2048, 2, 1, 0, 1, TEST_UUID, ""),
                node(5, "lxd00v", "lx1", 0, 4, None, "amd64/generic", 2, 2048, 1, 0, 0, 2, None, ""),
                node(6, "mt0001", "Metal", 0, 4, None, "amd64/generic", 2, 2048, 1, 0, 0, None, None, ""),
                node(7, "dev001", "printer", 1, 4, 3, "amd64/generic", 2, 2048, 1, None, 0, None, None, ""),
            ],
        ),
        "maasserver_interface": (
            f"id created name type mac_address params tags enabled {owner} vlan_id link_connected link_speed",
            [
                nic(1, "eth0", "physical", "02:00:00:00:00:01", 1, 5001, ""),
                nic(10, "eth0", "physical", "02:00:00:00:00:10", 2, 5001, ""),
                nic(11, "eth1", "physical", "02:00:00:00:00:11", 2, 5002, ""),
                nic(
                    12,
                    "br0",
                    "bridge",
                    "02:00:00:00:00:10",
                    2,
                    5001,
                    '{"bridge_type": "standard", "bridge_stp": false}',
                ),
                nic(13, "eth1.20", "vlan", "02:00:00:00:00:11", 2, 5003, '{"mtu": 1500}'),
                nic(20, "eth0", "physical", "52:54:00:aa:bb:01", 4, 5003, '{"mtu": 1500}'),
                nic(21, "eth0", "physical", "00:16:3e:00:00:01", 5, 5001, ""),
                nic(30, "eno1", "physical", "02:00:00:00:00:30", 6, 5001, ""),
                nic(40, "eth0", "physical", "02:00:00:00:00:40", 7, 5001, ""),
                # no owner: seen by a lease
                (99, _AT, "eth0", "unknown", "02:00:00:00:00:99", "", "{}", True, None, 5001, True, 0),
            ],
        ),
        "maasserver_interfacerelationship": (
            "id created child_id parent_id",
            [(1, _AT, 12, 10), (2, _AT, 13, 11)],
        ),
        "maasserver_interface_ip_addresses": (
            "id interface_id staticipaddress_id",
            [
                (1, 1, 1),
                (2, 12, 2),
                (3, 20, 3),
                (4, 21, 4),
                (5, 40, 5),
                (6, 99, 8),
                (7, 30, 9),
                (8, 10, 10),
                (9, 11, 11),
            ],
        ),
        "maasserver_staticipaddress": (
            "id created ip alloc_type subnet_id user_id",
            [
                (1, _AT, "10.0.0.2", 1, 1, None),
                (2, _AT, "10.0.0.5", 1, 1, None),
                (3, _AT, "10.0.20.50", 0, 2, None),
                (4, _AT, "10.0.0.60", 0, 1, None),
                (5, _AT, "10.0.0.50", 1, 1, None),
                (6, _AT, "10.0.20.60", 4, 2, 3),
                (8, _AT, "10.0.0.99", 6, 1, None),
                (9, _AT, None, 5, 1, None),
                (10, _AT, None, 1, None, None),
                (11, _AT, None, 1, None, None),
            ],
        ),
        "maasserver_bmc": (
            (
                "id created power_type ip_address_id bmc_type name pool_id zone_id tags cpu_over_commit_ratio"
                " memory_over_commit_ratio power_parameters default_macvlan_mode"
            ),
            [
                (
                    *(1, _AT, "virsh", None, 1, "kvm1", 0, 2, '{fast,"pod-console-logging"}', "2", "1.5"),
                    *(json.dumps(PARAMETERS[1]), "vepa"),
                ),
                (2, _AT, "lxd", None, 1, "lxd1", 0, 1, "{}", "1", "1", json.dumps(PARAMETERS[2]), None),
                (7, _AT, "virsh", None, 1, "KVM_3", 1, 1, "{}", "1", "1", json.dumps(PARAMETERS[7]), None),
                (9, _AT, "ipmi", None, 0, "", None, 1, "{}", "1", "1", '{"power_pass": "x"}', None),
            ],
        ),
    }
    if not before_3_2:
        configs = [(key + shift, "discovered", key) for key in (1, 2, 4, 5, 6, 7)]
        found["maasserver_nodeconfig"] = ("id name node_id", configs)
        found["maasserver_podhints"] = ("id pod_id", [(1, 1)])
        found["maasserver_podhints_nodes"] = ("id podhints_id node_id", [(1, 1, 2)])
    else:
        # only the address says which node the host is
        columns, rows = found["maasserver_bmc"]
        found["maasserver_bmc"] = columns, [(*rows[0][:3], 2, *rows[0][4:]), *rows[1:]]
    return found


#: Schemas that MAAS 3.5 and later have beside `public`, with tables of equal names, and one of a user.
OTHER_SCHEMAS: dict[str, dict[str, Table]] = {
    "temporal": {
        "schema_version": ("version_partition db_name", [(0, "temporal")]),
        "schema_update_history": ("version_partition description", [(0, "initial version")]),
        "executions": ("shard_id data", [(1, "COPY public.maasserver_zone (id) FROM stdin;")]),
    },
    "temporal_visibility": {
        "schema_version": ("version_partition db_name", [(0, "temporal_visibility")]),
        "schema_update_history": ("version_partition description", [(0, "initial version")]),
    },
    "Old copy": {
        "maasserver_zone": ("id name", [(9, "elsewhere")]),
        "maasserver_fan": ("id name", [(9, "elsewhere")]),
        "auth_user": ("id username", [(9, "elsewhere")]),
    },
}


def as_sql(
    public: Mapping[str, Table], end: str = END, others: Mapping[str, Mapping[str, Table]] | None = None
) -> str:
    """The text of a dump; as pg_dump has it, schemas with a capital are before `public`, others after it."""
    parts = ["--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n"]
    for schema, contents in sorted({"public": public, **(others or {})}.items()):
        parts += _copied(schema, contents)
    return "".join([*parts, end])


def _copied(schema: str, contents: Mapping[str, Table]) -> Iterable[str]:
    prefix = schema if schema.islower() else f'"{schema}"'
    for name, (columns, rows) in contents.items():
        yield f"\nCREATE TABLE {prefix}.{name} (\n    id integer NOT NULL\n);\n"
        yield f"COPY {prefix}.{name} ({', '.join(columns.split())}) FROM stdin;\n"
        yield from (_line(row) for row in rows)
        yield "\\.\n\n"


def _line(row: Iterable[Value]) -> str:
    return "\t".join(_cell(each) for each in row) + "\n"


def _cell(value: Value) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
