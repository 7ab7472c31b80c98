"""Everyday commands against a whole server: several machines, lists, tags, events, DHCP that others need."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from integration.test_odd_values import Ended, run
from support.server import running
from support.stories import at_home

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def served() -> Iterator[Path]:
    with TemporaryDirectory() as name, running(Path(name), worker=True):
        yield Path(name)


@pytest.fixture
def cli(served: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    at_home(served, monkeypatch)

    def call(*words: str, code: int = 0) -> Ended:
        ended = run(list(words), monkeypatch)
        assert ended.code == code, (words, ended)
        return ended

    return call


@pytest.fixture
def estate(cli: Run) -> Run:
    """One host with room, and three machines that are off."""
    if "kvm1" not in cli("host", "list", "-q").out:
        cli("host", "add", "kvm1", "test:///default", "--memory-over-commit", "10", "--cpu-over-commit", "4")
        words = ("--count", "3", "--memory", "256M", "--storage", "root:1", "--no-start")
        cli("machine", "compose", "--name", "job", *words)
    return cli


def answer(ended: Ended) -> Any:
    return json.loads(ended.out)


def test_several_machines_are_started_stopped_and_restarted_at_once(estate: Run) -> None:
    assert estate("machine", "start", "job-1", "job-2").out.count("power on") == 2
    off = estate("machine", "stop", "job-1", "job-2", "--wait").out
    assert off == "machine job-1: power off\nmachine job-2: power off\n"
    assert estate("machine", "restart", "job-1", "job-2").out.count("power on") == 2
    both = answer(estate("machine", "stop", "job-1", "job-2", "--force", "--yes", "-o", "json"))
    assert [machine["power"] for machine in both] == ["off", "off"]


def test_one_that_fails_does_not_keep_the_others_from_it(estate: Run) -> None:
    ended = estate("machine", "start", "job-1", "nosuch", "job-2", code=1)
    assert ended.out.count("power on") == 2
    assert "there is no machine 'nosuch'" in ended.err


def test_all_machines_want_an_answer(estate: Run) -> None:
    for words in (("decompose", "--all"), ("stop", "--all", "--force"), ("restart", "--all", "--force")):
        assert "this was not confirmed" in estate("machine", *words, code=2).err
    estate("machine", "start", code=2)
    estate("machine", "start", "job-1", "--all", code=2)
    estate("machine", "start", "job-1", "--host", "kvm1", code=2)


def test_all_of_a_host_is_all_of_a_host(estate: Run) -> None:
    names = answer(estate("machine", "start", "--all", "--host", "kvm1", "--yes", "-o", "json"))
    listed = estate("machine", "list", "--host", "kvm1", "-q").out.split()
    assert sorted(machine["hostname"] for machine in names) == sorted(listed)


def test_machines_start_with_their_host_unless_told_otherwise(estate: Run) -> None:
    assert answer(estate("machine", "show", "job-1", "-o", "json"))["autostart"] is True
    changed = answer(estate("machine", "update", "job-1", "--no-autostart", "-o", "json"))
    assert changed["autostart"] is False
    estate("host", "refresh", "kvm1")
    assert answer(estate("machine", "show", "job-1", "-o", "json"))["autostart"] is False
    assert answer(estate("machine", "show", "job-2", "-o", "json"))["autostart"] is True


def test_lists_are_sorted_filtered_and_cut_down(estate: Run) -> None:
    jobs = estate("machine", "list", "-q", "--filter", "hostname=job-*").out.split()
    assert jobs == ["job-1", "job-2", "job-3"]
    backwards = estate("machine", "list", "-q", "--filter", "origin=composed", "--sort=-hostname").out.split()
    assert backwards == ["job-3", "job-2", "job-1"]
    named = estate("machine", "list", "--columns", "uuid,hostname", "--filter", "origin!=adopted").out
    assert named.split()[:2] == ["UUID", "HOSTNAME"]
    assert answer(estate("machine", "list", "--filter", "hostname=none", "-o", "json")) == []
    assert set(answer(estate("host", "list", "--columns", "name,uri", "-o", "json"))[0]) == {"name", "uri"}


def test_tags_are_added_and_removed_one_by_one(estate: Run) -> None:
    estate("host", "update", "kvm1", "--tag", "ssd", "--tag", "rack-a")
    added = answer(estate("host", "update", "kvm1", "--add-tag", "fast", "-o", "json"))
    assert added["tags"] == ["ssd", "rack-a", "fast"]
    removed = answer(estate("host", "update", "kvm1", "--remove-tag", "ssd", "-o", "json"))
    assert removed["tags"] == ["rack-a", "fast"]
    before = answer(estate("machine", "show", "job-1", "-o", "json"))["tags"]
    for word in ("x", "y"):
        estate("machine", "update", "job-1", "--add-tag", word)
    assert answer(estate("machine", "show", "job-1", "-o", "json"))["tags"] == [*before, "x", "y"]


def test_events_of_one_subject(estate: Run) -> None:
    for subject in ("job-3", "machine job-3"):
        events = answer(estate("event", "list", "--subject", subject, "-o", "json"))
        assert events and {event["subject"] for event in events} <= {"machine job-3"}
    assert answer(estate("event", "list", "--subject", "job", "-o", "json")) == []
    assert answer(estate("event", "list", "--subject", "%", "-o", "json")) == []


def test_events_of_a_kind_and_of_a_severity(estate: Run) -> None:
    estate("machine", "compose", "--name", "giant", "--memory", "900G", code=3)
    (refused,) = answer(estate("event", "list", "--severity", "warning", "--subject", "giant", "-o", "json"))
    assert (refused["kind"], refused["severity"]) == ("machine-refused", "warning")
    subject = {name: refused[name] for name in ("subject_kind", "subject_key", "subject_name")}
    assert subject == {"subject_kind": "machine", "subject_key": "", "subject_name": "giant"}
    machine = answer(estate("machine", "show", "job-1", "-o", "json"))
    (composed,) = answer(
        estate("event", "list", "--kind", "machine-composed", "--subject", "job-1", "-o", "json")
    )
    assert composed["subject_key"] == machine["system_id"]
    kinds = {
        event["kind"]
        for event in answer(
            estate("event", "list", "--kind", "host-added", "--kind", "machine-composed", "-o", "json")
        )
    }
    assert kinds == {"host-added", "machine-composed"}
    assert answer(estate("event", "list", "--kind", "host-added", "--severity", "error", "-o", "json")) == []
    assert "'host-gone'" in estate("event", "list", "--kind", "host-gone", code=2).err


def test_dhcp_that_others_need_is_not_turned_off_without_an_answer(estate: Run) -> None:
    estate("fabric", "create", "lan")
    estate("subnet", "create", "10.9.0.0/24", "--vlan", "lan/0")
    estate("address", "reserve", "10.9.0.9")
    estate("vlan", "dhcp", "off", "lan/0")  # it is not served
    estate("vlan", "dhcp", "on", "lan/0")
    refused = estate("vlan", "dhcp", "off", "lan/0", code=2).err
    assert "VLAN lan/0: Stop serving DHCP there?" in refused and "`--yes` confirms it" in refused
    assert answer(estate("vlan", "show", "lan/0", "-o", "json"))["dhcp"] == "on"
    estate("vlan", "create", "lan/20")
    estate("vlan", "dhcp", "relay", "lan/20", "--via", "lan/0")  # no client was affected
    estate("vlan", "dhcp", "relay", "lan/20", "--via", "lan/0", code=2)
    estate("vlan", "dhcp", "off", "lan/20", "--yes")
    estate("vlan", "dhcp", "off", "lan/0", "--yes")


def test_a_list_without_rows_says_what_that_means(estate: Run) -> None:
    assert estate("operation", "list", "--unfinished").err == "no operation is running or stuck\n"
    assert estate("machine", "list", "--filter", "state=broken").err == "no row matches the filters\n"
