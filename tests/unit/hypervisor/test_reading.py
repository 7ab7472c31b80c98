"""How many calls a reading takes, and what it makes of what cannot be read."""

import libvirt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.hypervisor.pools import PoolsRead
from hostloom.hypervisor.reading import DiskSizes, read_host
from hostloom.model.host import StoragePool
from hostloom.model.machine import Disk, PowerState
from hostloom.model.observed import ObservedHost
from support.depth import examples
from support.fake_libvirt import DOMAIN, FakeHost, FakeNetwork, libvirt_error, uuid_of

DEFAULT = StoragePool("default", "dir", 100, 10, path="/pools/default")


def read(host: FakeHost, *pools: StoragePool, sizes: DiskSizes | None = None) -> ObservedHost:
    return read_host(host, (), PoolsRead(pools or (DEFAULT,)), sizes=sizes)


def parts_of(seen: ObservedHost) -> list[str]:
    return [finding.part for finding in seen.findings]


def test_one_call_for_all_machines_and_one_for_each() -> None:
    host = FakeHost(machines=50)
    found = read(host)
    assert len(found.machines) == 50
    assert host.calls == {"getAllDomainStats": 1, "XMLDesc": 50}


def test_power_and_disks_come_from_the_statistics() -> None:
    (machine,) = read(FakeHost(machines=1)).machines
    assert machine.power is PowerState.ON
    assert machine.disks == (
        Disk("vda", "default", "m0.raw", 8),
        Disk("vdb", "", "/elsewhere/m0.raw", 9),
    )


def test_a_machine_that_is_deleted_meanwhile_is_not_there() -> None:
    found = read(FakeHost(machines=3, gone="m1"))
    assert [each.name for each in found.machines] == ["m0", "m2"]
    assert (found.findings, found.unread) == ((), ())


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<domain",
        "<domain/>",
        "<domain><uuid>none</uuid></domain>",
        "<domain>" + "<a>" * 5000,
        "<domain><name>x</name><uuid>" + "9" * 5000 + "</uuid></domain>",
        "\x00",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><domain>&a;</domain>",
        f"<domain><description>{'x' * (4 << 20)}</description></domain>",
    ],
    ids=range(9),
)
def test_a_machine_that_cannot_be_read_is_there_and_named(xml: str) -> None:
    found = read(FakeHost(machines=3, xml={"m1": xml or " "}))
    assert [each.name for each in found.machines] == ["m0", "m2"]
    assert found.unread == (uuid_of("m1"),)
    assert found.machines_listed
    assert parts_of(found) == ["machine m1"]


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ("<vcpu>1</vcpu>", "<vcpu>abc</vcpu>", "machine m1: vcpu"),
        ("<vcpu>1</vcpu>", f"<vcpu>{'9' * 5000}</vcpu>", "machine m1: vcpu"),
        ("<vcpu>1</vcpu>", "<vcpu>-1</vcpu>", "machine m1: vcpu"),
        ("<vcpu>1</vcpu>", "<vcpu>1.5</vcpu>", "machine m1: vcpu"),
        ("<vcpu>1</vcpu>", "", "machine m1: vcpu"),
        ("unit='KiB'", "unit='stone'", "machine m1: memory"),
        ("65536", "much", "machine m1: memory"),
        ("65536", "9" * 19, "machine m1: memory"),
        ("<devices>", "<devices><interface type='user'/>", "machine m1: NIC 1"),
        ("<devices>", "<devices><interface><mac address='x'/></interface>", "machine m1: NIC 1"),
    ],
)
def test_a_machine_that_can_be_read_in_part_is_read_in_part(before: str, after: str, part: str) -> None:
    xml = DOMAIN.format(name="m1", uuid=uuid_of("m1")).replace(before, after)
    found = read(FakeHost(machines=3, xml={"m1": xml}))
    assert [each.name for each in found.machines] == ["m0", "m1", "m2"]
    assert len(found.machines[1].disks) == 2
    assert parts_of(found) == [part]


def test_of_two_nics_with_one_mac_one_is_kept_and_the_other_named() -> None:
    nics = "".join(
        f"<interface type='bridge'><mac address='{mac}'/><source bridge='br0'/></interface>"
        for mac in ("52:54:00:00:00:01", "52:54:00:00:00:01", "52:54:00:00:00:02")
    )
    xml = DOMAIN.format(name="m0", uuid=uuid_of("m0")).replace("<devices>", f"<devices>{nics}")
    found = read(FakeHost(machines=1, xml={"m0": xml}))
    assert [str(nic.mac)[-2:] for nic in found.machines[0].interfaces] == ["01", "02"]
    assert parts_of(found) == ["machine m0: NIC 2"]


def test_a_network_that_cannot_be_read_is_named() -> None:
    networks = [FakeNetwork("a"), FakeNetwork("b", "<network/>"), FakeNetwork("c", "<net")]
    found = read(FakeHost(networks=networks))
    assert [each.name for each in found.libvirt_networks] == ["a"]
    assert parts_of(found) == ["libvirt network b", "libvirt network c"]


@pytest.mark.parametrize("domain", [libvirt.VIR_FROM_NETWORK, libvirt.VIR_FROM_RPC])
def test_what_another_daemon_of_libvirt_does_not_tell_takes_nothing_away(domain: int) -> None:
    errors = {call: libvirt_error(domain=domain) for call in ("listAllNetworks", "getHostname")}
    found = read(FakeHost(machines=1, errors=errors))
    assert (len(found.machines), found.networks_listed, found.hostname) == (1, False, "")
    assert parts_of(found) == ["hostname", "libvirt networks"]
    lost = libvirt_error(domain=libvirt.VIR_FROM_RPC)
    with pytest.raises(libvirt.libvirtError):
        read(FakeHost(errors={"listAllNetworks": lost}, alive=False))


def test_where_the_list_of_machines_does_not_come_none_is_said_to_be_gone() -> None:
    found = read(FakeHost(machines=1, errors={"getAllDomainStats": libvirt_error()}))
    assert (found.machines, found.machines_listed) == ((), False)
    assert parts_of(found) == ["machines"]


def test_while_a_pool_does_not_answer_disks_keep_the_sizes_that_were_known() -> None:
    sizes, host = DiskSizes(), FakeHost(machines=2)
    before = read(host, sizes=sizes).machines
    hangs = StoragePool("default", "dir", 100, 10, path="/pools/default", active=False, trouble="hangs")
    assert read(host, hangs, sizes=sizes).machines == before
    (machine, _) = read(host, hangs).machines
    assert [disk.size_bytes for disk in machine.disks] == [0, 0]


CELLS = """<topology><cells num='2'>
<cell id='0'><pages unit='KiB' size='4'>500</pages><pages unit='KiB' size='2048'>512</pages></cell>
<cell id='1'><pages unit='KiB' size='4'>500</pages><pages unit='KiB' size='2048'>256</pages>
<pages unit='KiB' size='1048576'>1</pages></cell></cells></topology>"""


def test_memory_that_is_kept_as_huge_pages_is_not_for_ordinary_machines() -> None:
    seen = read(FakeHost(topology=CELLS))
    assert (seen.memory_mib, seen.huge_pages_mib) == (4096 - 2560, 2560)
    # The arm64 kernel's own pages have 64 KiB.
    big = "<topology><cells><cell><pages unit='KiB' size='64'>65536</pages></cell></cells></topology>"
    assert read(FakeHost(topology=big)).huge_pages_mib == 0


def test_huge_pages_that_a_machine_has_count_with_the_machine() -> None:
    xml = DOMAIN.format(name="m0", uuid=uuid_of("m0")).replace("65536", str(1 << 20))
    xml = xml.replace("<vcpu>", "<memoryBacking><hugepages/></memoryBacking><vcpu>")
    seen = read(FakeHost(machines=1, xml={"m0": xml}, topology=CELLS))
    assert seen.memory_mib == 4096 - (2560 - 1024)


@pytest.mark.parametrize("number", ["x", "", "-1", "9" * 5000])
def test_huge_pages_that_cannot_be_read_are_named(number: str) -> None:
    seen = read(FakeHost(topology=CELLS.replace("512", number)))
    assert (seen.memory_mib, parts_of(seen)) == (4096, ["huge pages"])


@settings(max_examples=examples(200), deadline=None)
@given(data=st.data())
def test_noise_in_one_machine_never_takes_another_away(data: st.DataObject) -> None:
    text = DOMAIN.format(name="m1", uuid=uuid_of("m1"))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    noise = data.draw(st.text(max_size=20) | st.sampled_from(["<", "</devices>", "<disk/>", "9" * 5000]))
    found = read(FakeHost(machines=3, xml={"m1": text[:start] + noise + text[end:]}))
    names = [each.name for each in found.machines if each.uuid != uuid_of("m1")]
    assert {"m0", "m2"} <= set(names)
    assert len(found.machines) + len(found.unread) == 3
    assert all(str(finding).isprintable() for finding in found.findings)
