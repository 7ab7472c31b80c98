"""Every mistake of a world file is told with its file and line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.cli.world_files import WorldFile, load, load_all
from support.depth import examples
from support.worlds import ACCEPTANCE

GOOD = """\
world: 1
fabrics:
  - name: lan
    class: null
    vlans:
      - {vid: 0, name: untagged, space: mgmt, dhcp: true, mtu: 1500}
      - {vid: 20, relay: lan/0}
subnets:
  - cidr: 10.0.0.0/24
    vlan: lan/0
    gateway: 10.0.0.1
    ranges:
      - {type: dynamic, start: 10.0.0.200, end: 10.0.0.250}
    used: [10.0.0.20]
nodes:
  - name: rack1
    type: rack_controller
    interfaces: [{name: eth0, addresses: [10.0.0.2/24]}]
hosts:
  - name: kvm1
    address: qemu+ssh://u@10.0.0.5/system
    installed_by: manual
    cores: 8
    memory_over_commit_ratio: 1.5
    interfaces:
      - {name: eth0, mac: 52:54:00:00:00:01}
      - {name: br0, type: bridge, parents: [eth0], vlan: lan/0}
    machines:
      - name: vm1
        interfaces:
          - {attach: macvlan, source: eth0, mode: private}
    libvirt_networks:
      - {name: default, bridge: virbr0, forward: nat}
    storage_pools:
      - {name: default, total_gb: 100, tags: [ssd]}
cases:
  - name: first
    request:
      interfaces: "eth0:space=mgmt"
      memory_mib: 1024
    expect:
      host: kvm1
      interfaces:
        - {name: eth0, source: br0, vlan: lan/0, ip: 10.0.0.2}
      warnings: []
      rejected: {eth0: interface-is-member}
  - name: second
    request: {count: 3, strategy: spread}
    expect:
      hosts: {kvm1: 3}
"""


def mistake(text: str, tmp_path: Path) -> str:
    """What is said of a file with this text, without the folder."""
    path = tmp_path / "w.yaml"
    path.write_text(text, encoding="utf-8")
    found = load(path)
    assert isinstance(found, str), "no mistake was found"
    assert found.startswith(f"{path}:")
    return found.removeprefix(f"{tmp_path}/")


def test_the_file_that_mistakes_are_made_in_has_none(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(GOOD)
    found = load(path)
    assert isinstance(found, WorldFile)
    node = found.world.snapshot.node_of(found.world.snapshot.hosts[0].host)
    assert node is not None
    assert str(node.interfaces[0].mac) == "52:54:00:00:00:01"


#: What is there, what is put in its place, the line, what is said.
MISTAKES = [
    # -- unknown keys, at every level
    ("world: 1", "world: 1\ncolour: red", 2, "unknown key 'colour'; known here: world, fabrics"),
    ("class: null", "klass: x", 4, "unknown key 'klass'; known here: name, id, class, vlans"),
    ("{vid: 20,", "{vid: 20, tag: 3,", 7, "unknown key 'tag'"),
    ("gateway:", "gatewy:", 11, "unknown key 'gatewy'"),
    ("{type: dynamic,", "{type: dynamic, comment: x,", 13, "unknown key 'comment'"),
    ("type: rack_controller", "kind: rack_controller", 17, "unknown key 'kind'"),
    ("{name: eth0, addresses", "{name: eth0, ips: [], addresses", 18, "unknown key 'ips'"),
    ("cores: 8", "cpus: 8", 23, "unknown key 'cpus'"),
    ("{name: eth0, mac", "{name: eth0, speed: 1, mac", 26, "unknown key 'speed'"),
    ("- name: vm1", "- name: vm1\n        size: 1", 30, "unknown key 'size'"),
    ("{attach: macvlan,", "{attach: macvlan, nic: eth0,", 31, "unknown key 'nic'"),
    ("bridge: virbr0,", "brigde: virbr0,", 33, "unknown key 'brigde'"),
    ("total_gb: 100", "size_gb: 100", 35, "unknown key 'size_gb'"),
    ("memory_mib: 1024", "memory: 1024", 40, "unknown key 'memory'"),
    ("host: kvm1\n", "hosst: kvm1\n", 42, "unknown key 'hosst'"),
    ("ip: 10.0.0.2}", "address: 10.0.0.2}", 44, "unknown key 'address'; known here: name, attach, source"),
    ("  - name: second", "  - name: second\n    note: x", 48, "unknown key 'note'"),
    # -- keys that are missing, or there twice
    ("world: 1\n", "", 1, "the key 'world' is missing"),
    ("  - name: lan\n", "  -\n", 4, "the key 'name' is missing"),
    ("{vid: 20,", "{", 7, "the key 'vid' is missing"),
    ("cidr: 10.0.0.0/24\n    vlan: lan/0", "cidr: 10.0.0.0/24", 9, "the key 'vlan' is missing"),
    ("start: 10.0.0.200, ", "", 13, "the key 'start' is missing"),
    ("    address: qemu+ssh://u@10.0.0.5/system\n", "", 20, "the key 'address' is missing"),
    ("source: eth0, ", "", 31, "the key 'source' is missing"),
    ("cores: 8", "cores: 8\n    cores: 9", 24, "the key 'cores' appears twice"),
    # -- values of the wrong kind
    ("world: 1", "world: 2", 1, "world: expected 1, the version of the format"),
    ("world: 1", "world: one", 1, "world: expected a whole number, found text: 'one'"),
    ("- {vid: 0,", "- {vid: true,", 6, "vid: expected a whole number, found true or false: True"),
    ("dhcp: true", "dhcp: 3", 6, "dhcp: expected true or false, found a whole number: 3"),
    ("parents: [eth0]", "parents: eth0", 27, "parents: expected a list, found text: 'eth0'"),
    ("parents: [eth0]", "parents: [{a: b}]", 27, "parents: expected text, found a mapping"),
    ("tags: [ssd]", "tags: [true]", 35, "tags: expected text, found true or false: True"),
    ("used: [10.0.0.20]", "used: {}", 14, "used: expected a list, found a mapping"),
    ("name: vm1", "name: [vm1]", 29, "name: expected text, found a list"),
    ("ranges:\n      - {", "ranges:\n      - x\n      - {", 13, "expected a mapping, found text: 'x'"),
    (
        "expect:\n      hosts",
        "expect: soon\n    x:\n      hosts",
        49,
        "expected a mapping, found text: 'soon'",
    ),
    ("hosts: {kvm1: 3}", "hosts: {kvm1: many}", 50, "kvm1: expected a whole number, found text: 'many'"),
    # -- numbers out of bounds
    ("{vid: 20,", "{vid: 4095,", 7, "vid: expected 0 to 4094, found 4095"),
    ("mtu: 1500", "mtu: 5", 6, "mtu: expected 552 to 65535, found 5"),
    ("cores: 8", "cores: -1", 23, "cores: expected 0 to"),
    ("memory_mib: 1024", "memory_mib: 0", 40, "memory_mib: expected 1 to"),
    ("ratio: 1.5", "ratio: -1", 24, "memory_over_commit_ratio: expected a number from 0 to"),
    ("ratio: 1.5", "ratio: .nan", 24, "memory_over_commit_ratio: expected a number from 0 to"),
    ("total_gb: 100", "total_gb: .inf", 35, "total_gb: expected a number from 0 to"),
    ("count: 3", "count: 0", 48, "count: expected 1 to 10000, found 0"),
    # -- words that are none of theirs
    ("type: dynamic", "type: static", 13, "type: 'static' is not one of dynamic, reserved"),
    ("type: rack_controller", "type: rack", 17, "type: 'rack' is not one of machine, device"),
    ("installed_by: manual", "installed_by: hand", 22, "installed_by: 'hand' is not one of hostloom"),
    ("type: bridge", "type: tunnel", 27, "type: 'tunnel' is not one of physical"),
    ("mode: private", "mode: passthrough", 31, "mode: 'passthrough' is not one of private"),
    ("forward: nat", "forward: on", 33, "forward: expected text, found true or false"),
    ("strategy: spread", "strategy: even", 48, "strategy: 'even' is not one of spread, pack"),
    # -- addresses and MACs
    ("10.0.0.0/24", "10.0.0.1/24", 9, "cidr: 10.0.0.1/24 has host bits set"),
    ("10.0.0.0/24", "10.0.0/24", 9, "cidr: "),
    ("gateway: 10.0.0.1", "gateway: 10.0.1.1", 11, "gateway: 10.0.1.1 is not an address of 10.0.0.0/24"),
    ("gateway: 10.0.0.1", "gateway: fd00::1", 11, "gateway: fd00::1 is not an address of 10.0.0.0/24"),
    ("used: [10.0.0.20]", "used: [10.0.0.20, 10.0.0.300]", 14, "used: '10.0.0.300' does not appear"),
    ("used: [10.0.0.20]", "used: [10.1.0.20]", 14, "used: 10.1.0.20 is not an address of"),
    ("end: 10.0.0.250", "end: 10.0.0.1", 13, "10.0.0.200-10.0.0.1 is not a range of"),
    ("end: 10.0.0.250", "end: fd00::1", 13, "10.0.0.200-fd00::1 is not a range of"),
    ("[10.0.0.2/24]", "[nowhere]", 18, "addresses: 'nowhere' does not appear"),
    ("52:54:00:00:00:01", "52:54:00:00:00", 26, "mac: '52:54:00:00:00' is not a MAC address"),
    ("52:54:00:00:00:01", "12", 26, "mac: '12' is not a MAC address"),
    # -- things that are not there, or there twice
    ("relay: lan/0", "relay: lan/1", 7, "relay: there is no VLAN 'lan/1' (FABRIC/VID; known: lan/0, lan/20)"),
    ("\n    vlan: lan/0", "\n    vlan: wan/0", 10, "vlan: there is no VLAN 'wan/0'"),
    ("parents: [eth0], vlan: lan/0", "parents: [eth0], vlan: lan/9", 27, "vlan: there is no VLAN 'lan/9'"),
    ("source: br0, vlan: lan/0", "source: br0, vlan: lan/9", 44, "vlan: there is no VLAN 'lan/9'"),
    ("parents: [eth0]", "parents: [eth7]", 27, "parents: br0 has no parent 'eth7'"),
    ("parents: [eth0]", "parents: [br0]", 27, "parents: br0 has no parent 'br0'"),
    ("{vid: 20,", "{vid: 0,", 7, "vid: there are two VLANs lan/0"),
    ("fabrics:\n", "fabrics:\n  - {name: lan}\n", 4, "name: there are two fabrics 'lan'"),
    ("subnets:\n", "subnets:\n  - {cidr: 10.0.0.0/24, vlan: lan/0}\n", 10, "cidr: there are two subnets"),
    ("nodes:\n", "nodes:\n  - {name: rack1}\n", 17, "name: there are two nodes 'rack1'"),
    ("hosts:\n  -", "hosts:\n  - {name: kvm1, address: x}\n  -", 21, "name: there are two hosts 'kvm1'"),
    ("{name: br0, type", "{name: eth0, type", 27, "name: there are two interfaces 'eth0'"),
    ("machines:\n", "machines:\n      - {name: vm1}\n", 30, "name: there are two machines 'vm1'"),
    ("pools:\n", "pools:\n      - {name: default}\n", 36, "name: there are two storage pools 'default'"),
    (
        "- {name: default, bridge",
        "- {name: default}\n      - {name: default, bridge",
        34,
        "name: there are two libvirt",
    ),
    ("- name: second", "- name: first", 47, "name: there are two cases 'first'"),
    # -- expectations that nothing could meet
    ("source: br0, vlan", "attach: bond, vlan", 44, "attach: 'bond' is not one of bridge, macvlan, network"),
    ("ip: 10.0.0.2}", "ip: 10.0.0}", 44, "ip: "),
    ("warnings: []", "warnings: [none]", 45, "warnings: 'none' is not one of libvirt-dhcp-on"),
    ("interface-is-member", "member", 46, "eth0: 'member' is not one of loopback"),
    ("host: kvm1\n", "error: nope\n", 42, "error: 'nope' is not one of constraint-syntax"),
    ("host: kvm1\n", "error: pool-full\n", 43, "interfaces: a request that is refused has none"),
    ("hosts: {kvm1: 3}", "host: kvm1", 50, "host: goes with one machine; of several, say hosts"),
    ("{attach: macvlan, source: eth0,", "{source: eth0,", 31, "mode: private goes with attach: macvlan"),
    # -- no YAML
    ("cores: 8", "\tcores: 8", 23, "found character '\\t' that cannot start any token (indent with spaces)"),
    ("cores: 8", "cores: [8", 24, "expected ',' or ']'"),
    ("cores: 8", "cores 8", 23, "could not find expected ':'"),
    ("cores: 8", "cores: *eight", 23, "the anchor 'eight' does not exist"),
    ("cores: 8", "cores: !eight 8", 23, "could not determine a constructor for the tag '!eight'"),
    ("cores: 8", "cores: !!int eight", 23, "'eight' is not a valid int"),
    ("cores: 8", "cores: \x01", 23, "the character '\\x01' is not allowed"),
    ("cores: 8", "? [cores]\n    : 8", 23, "expected a key, found a list or mapping"),
    ("tags: [ssd]", "tags: &loop [*loop]", 35, "this alias refers to a list or mapping that contains it"),
    ("cores: 8", "<<: {cores: 8}", 23, "unknown key '<<'"),
    ("cores: 8", "on: 8", 23, "unknown key 'on'"),
    ("cases:", "---\ncases:", 36, "expected one document, found another"),
]


@pytest.mark.parametrize(("there", "instead", "line", "said"), MISTAKES)
def test_a_mistake_is_told_with_its_line(
    there: str, instead: str, line: int, said: str, tmp_path: Path
) -> None:
    assert there in GOOD
    found = mistake(GOOD.replace(there, instead, 1), tmp_path)
    assert found.startswith(f"w.yaml:{line}: ")
    assert said in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "w.yaml:1: expected a mapping, found nothing"),
        ("# nothing\n", "w.yaml:1: expected a mapping, found nothing"),
        ("- world: 1\n", "w.yaml:1: expected a mapping, found a list"),
        ("world\n", "w.yaml:1: expected a mapping, found text: 'world'"),
        ("world: null\n", "w.yaml:1: the key 'world' is missing"),
        ("world: 1\nfabrics: lan\n", "w.yaml:2: fabrics: expected a list, found text: 'lan'"),
        ("world: 1\ncases: [{name: x, request: [1]}]\n", "w.yaml:2: expected a mapping, found a list"),
        ("[" * 50_000, "w.yaml:1: this is nested too deeply"),
        (f"world: {'9' * 5000}", "w.yaml:1: "),
    ],
)
def test_what_is_no_world_at_all(text: str, said: str, tmp_path: Path) -> None:
    assert mistake(text, tmp_path).startswith(said)


def test_two_things_cannot_have_one_id(tmp_path: Path) -> None:
    text = GOOD.replace("{vid: 0,", "{vid: 0, id: 5,").replace("{vid: 20,", "{vid: 20, id: 5,")
    assert mistake(text, tmp_path) == "w.yaml:7: id: 5 is the id of another VLAN"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert load(tmp_path / "none.yaml") == f"{tmp_path}/none.yaml: No such file or directory"
    assert load(tmp_path) == f"{tmp_path}: Is a directory"
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"world: 1\n# caf\xe9\n")
    assert load(latin) == f"{latin}:2: this is not UTF-8 text"


def test_every_acceptance_world_is_read() -> None:
    assert load_all(sorted(ACCEPTANCE.rglob("*.yaml")))


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_no_text_raises_anything_but_a_mistake(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "drawn.yaml"
    at = data.draw(st.integers(0, len(GOOD)))
    cut = data.draw(st.integers(0, 30))
    put = data.draw(
        st.one_of(st.text(max_size=8), st.sampled_from(["{", "[", ": ", "- ", "null", "-1", "&a *a"]))
    )
    path.write_text(GOOD[:at] + put + GOOD[at + cut :], encoding="utf-8", errors="surrogatepass")
    found = load(path)
    assert isinstance(found, WorldFile) or found.startswith(f"{path}:")
