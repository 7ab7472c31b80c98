"""No URI that a client sends makes the server read its own files or connect to its own sockets."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.server import KEY, Running

URIS = (
    "test:///etc/shadow",
    "test:///etc/hostname",
    "qemu:///embed?root=/tmp/embedded",
    "qemu:///session",
    "qemu+ssh://10.0.0.5/session",
    "qemu+unix:///system?socket=/run/hostloom/api.sock",
    "qemu+tls://10.0.0.5/system?no_verify=1",
    "qemu+ssh://10.0.0.5/system?keyfile=/etc/shadow",
)


@pytest.fixture
def working_http(working: Running) -> Iterator[httpx.Client]:
    with working.http() as client:
        yield client


@pytest.mark.parametrize("uri", URIS)
def test_such_a_host_is_refused_before_anything_is_begun(http: httpx.Client, uri: str) -> None:
    wanted = {"name": "kvm1", "uri": uri, "accept_key": KEY.fingerprint}
    refused = http.post("/hosts", json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-value")
    assert http.get("/operations").json()["items"] == []


def test_a_host_is_not_changed_to_such_a_uri(working_http: httpx.Client, tmp_path: Path) -> None:
    http = working_http
    begun = http.post("/hosts", json={"name": "kvm1", "uri": "test:///default"}).json()
    while not http.get(f"/operations/{begun['id']}").json()["finished"]:
        time.sleep(0.02)
    for uri in URIS:
        refused = http.patch("/hosts/kvm1", json={"uri": uri})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid-value"), uri
    assert http.get("/hosts/kvm1").json()["uri"] == "test:///default"
