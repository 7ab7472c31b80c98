"""Requests are parsed once, and what is parsed goes with its text."""

from dataclasses import replace

from hostloom.decide.request.constraints import parse as parse_labels
from hostloom.decide.request.resolve import parse_batch, with_texts
from hostloom.decide.request.storage import DEFAULT_DISKS
from hostloom.decide.request.storage import parse as parse_disks
from hostloom.model.reasons import RequestCode
from hostloom.model.request import ComposeBatch, ComposeRequest
from support.a_request import a_request

NICS = "eth0:space=mgmt;eth1:vid=20"


def test_machines_that_are_alike_share_what_was_parsed() -> None:
    request = ComposeRequest(interfaces=NICS, storage="root:8")
    first, second = parse_batch(ComposeBatch((request, replace(request, cores=4)))).machines
    assert first.labels == parse_labels(NICS)
    assert first.labels is second.labels
    assert first.disks is second.disks
    assert (first.cores, second.cores) == (1, 4)


def test_another_text_is_parsed_with_it() -> None:
    request = with_texts(a_request(interfaces=NICS, cores=3), interfaces="eth0:fabric=f", storage="data:2")
    assert (request.interfaces, request.labels) == ("eth0:fabric=f", parse_labels("eth0:fabric=f"))
    assert (request.storage, request.disks) == ("data:2", parse_disks("data:2"))
    assert request.cores == 3
    assert with_texts(request, interfaces="").labels == ()


def test_a_text_that_cannot_be_read_is_told_with_its_place() -> None:
    request = a_request(interfaces="eth0:space=mgmt,colour=red")
    assert request.unreadable is not None
    assert (request.unreadable.code, request.unreadable.field) == (RequestCode.UNKNOWN_KEY, "interfaces")
    assert (request.unreadable.column, request.unreadable.value) == (17, "colour")
    assert with_texts(request, interfaces=NICS).unreadable is None


def test_a_request_without_texts_has_one_nic_and_the_default_disk() -> None:
    request = a_request()
    assert (request.labels, request.disks, request.nic_count) == ((), DEFAULT_DISKS, 1)
    assert a_request(interfaces=NICS).nic_count == 2
