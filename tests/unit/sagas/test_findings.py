"""What a reading cannot make out is on the host, is told once, and takes nothing else away."""

from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostKeyChanged, HostRefused, HostUnreachable, HostUnreadable
from hostloom.model.finding import MAX_FINDINGS, PART_LENGTH, Finding, Findings, printable
from hostloom.model.host import Host, StoragePool
from hostloom.model.operation import OperationState
from hostloom.services import hosts
from support.fake_hypervisor import GIB
from support.little_world import LittleWorld, little_world

BAD_ROUTE = Finding("route 10.1.0.0/16", "JSON", "no JSON")


@pytest.fixture
def world(tmp_path: Path) -> LittleWorld:
    return little_world(tmp_path)


def host_of(world: LittleWorld) -> Host:
    with world.ports.store.begin() as uow:
        host = uow.hosts.find("kvm1")
    assert host is not None
    return host


def told(world: LittleWorld) -> list[tuple[str, str]]:
    """Kind and message of the events about parts, oldest first."""
    with world.ports.store.begin() as uow:
        events = uow.events.list()
    return [(each.kind, each.message) for each in reversed(events) if each.kind.startswith("host-part")]


def refresh(world: LittleWorld) -> None:
    hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
    operation = world.run()
    assert operation.state is OperationState.SUCCEEDED, operation.error


def see(world: LittleWorld, *findings: Finding, **changes: object) -> None:
    hypervisor = world.hypervisors.of("kvm1", host_of(world).uri)
    hypervisor.observed = replace(hypervisor.observed, findings=findings, **changes)


def test_a_part_is_told_when_it_appears_and_when_it_clears(world: LittleWorld) -> None:
    refresh(world)
    generation = host_of(world).generation
    see(world, BAD_ROUTE)
    refresh(world)
    refresh(world)
    assert host_of(world).findings == (BAD_ROUTE,)
    assert host_of(world).generation == generation
    see(world)
    refresh(world)
    assert host_of(world).findings == ()
    assert told(world) == [
        ("host-part-unreadable", "route 10.1.0.0/16: expected JSON, found no JSON"),
        ("host-part-readable", "route 10.1.0.0/16: it is read as expected again, or no longer exists"),
    ]


@pytest.mark.parametrize(
    "error",
    [
        HostUnreachable("kvm1", "no answer within 20 s"),
        HostRefused("kvm1", "the user's shell there ended at once"),
        HostUnreadable("kvm1", "links", "there is no `ip` command"),
    ],
)
def test_a_host_whose_links_cannot_be_read_keeps_them_and_is_used(
    world: LittleWorld, monkeypatch: pytest.MonkeyPatch, error: DriverError
) -> None:
    before = host_of(world)
    with world.ports.store.begin() as uow:
        assert before.correlation.system_id is not None
        node = uow.nodes.get(before.correlation.system_id)

    def fail(_uri: str) -> None:
        raise error

    monkeypatch.setattr(world.scanner, "scan", fail)
    see(world, cores=99)
    refresh(world)
    after = host_of(world)
    assert (after.reachable, after.cores) == (True, 99)
    assert after.correlation.system_id == before.correlation.system_id
    assert [(finding.part, finding.found) for finding in after.findings] == [("links", error.cause)]
    with world.ports.store.begin() as uow:
        assert uow.nodes.get(node.system_id).interfaces == node.interfaces


def test_a_key_that_has_changed_is_no_mere_finding(
    world: LittleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:

    def fail(_uri: str) -> None:
        raise HostKeyChanged("kvm1", "SHA256:a", "SHA256:b")

    monkeypatch.setattr(world.scanner, "scan", fail)
    hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
    assert world.run().state is OperationState.FAILED


def test_a_pool_that_cannot_be_read_keeps_its_figures_and_is_not_active(world: LittleWorld) -> None:
    see(world, storage_pools=(StoragePool("default", "", 0, 0, active=False, trouble="no answer"),))
    refresh(world)
    (pool,) = host_of(world).storage_pools
    assert (pool.kind, pool.path, pool.total_bytes) == ("dir", "/var/lib/images", 500 * GIB)
    assert (pool.active, pool.trouble, pool.is_default) == (False, "no answer", False)


def test_pools_that_were_not_listed_are_kept_but_not_used(world: LittleWorld) -> None:
    local = StoragePool("local", "dir", GIB, GIB)
    see(world, storage_pools=(local,), pools_listed=False)
    refresh(world)
    pools = {pool.name: pool for pool in host_of(world).storage_pools}
    assert pools["local"] == local
    assert not pools["default"].active
    assert "did not list" in pools["default"].trouble


def test_the_boundary_turns_parsing_errors_into_findings_and_nothing_else() -> None:
    findings = Findings()
    for number, value in enumerate(["x", "9" * 5000, None, []]):
        with findings.reading(f"part {number}", "a number"):
            int(value)  # type: ignore[call-overload]
    with findings.reading("part 4", "a key"):
        _ = {}["gone"]
    with findings.reading("part 5", "five"):
        assert int("5") == 5
    with pytest.raises(HostUnreachable), findings.reading("part 6", "an answer"):
        raise HostUnreachable("kvm1", "it is off")
    assert [finding.part for finding in findings.all()] == [f"part {number}" for number in range(5)]


def test_findings_are_few_short_and_printable() -> None:
    findings = Findings()
    for number in range(MAX_FINDINGS + 7):
        findings.add(f"link \x1b[31m{number}\n" + "x" * 5000, "é" * 5000, "\ud800\x00")
    found = findings.all()
    assert len(found) == MAX_FINDINGS + 1
    assert "7 more" in found[-1].found
    assert all(len(finding.part) <= PART_LENGTH and str(finding).isprintable() for finding in found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("eth0", "eth0"), ("a\x1b[31mb", r"a\x1b[31mb"), ("näs 1", "näs 1"), ("\u202ex", r"\u202ex")],
)
def test_what_a_terminal_could_act_on_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
