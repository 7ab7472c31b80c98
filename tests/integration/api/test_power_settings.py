"""Power settings over the API: who sees what, and where the password is not."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.ids import MacAddress
from hostloom.services.enlisting import EnlistInput, enlist
from support.fake_power import PASSWORD, FakePowerDrivers
from support.server import Running

IPMI = {"kind": "ipmi", "address": "10.0.0.9", "user": "admin", "password": PASSWORD}
PATH = "/machines/bare/power-settings"


@pytest.fixture
def bare(server: Running) -> FakePowerDrivers:
    """A bare machine `bare`, and the BMCs that answer."""
    with server.ports.store.begin() as uow:
        enlist_input = EnlistInput("bare", "amd64", (MacAddress("52:54:00:99:00:01"),))
        enlist(uow, LOCAL_ADMIN, server.ports.ids, enlist_input)
        uow.commit()
    assert isinstance(server.ports.power, FakePowerDrivers)
    server.ports.power.add("10.0.0.9")
    return server.ports.power


@pytest.fixture
def ann(http: httpx.Client) -> dict[str, str]:
    """The header of a user who is no administrator."""
    http.post("/users", json={"name": "ann"})
    return {"Authorization": f"Bearer {http.post('/tokens', json={'user': 'ann'}).json()['text']}"}


def test_settings_are_set_shown_checked_and_deleted(http: httpx.Client, bare: FakePowerDrivers) -> None:
    assert http.get(PATH).status_code == 404
    shown = http.put(PATH, json=IPMI)
    assert shown.status_code == 200
    assert shown.json()["has_password"] is True
    assert http.get(PATH).json() == shown.json()
    assert http.post(f"{PATH}/check").json() == {"power": "off"}
    assert http.post("/machines/bare/start").json()["power"] == "on"
    assert http.get("/machines/bare/power").json() == {"power": "on"}
    assert http.delete(PATH).status_code == 204
    assert http.get(PATH).status_code == 404


def test_users_see_kind_and_address_only(
    http: httpx.Client, bare: FakePowerDrivers, ann: dict[str, str]
) -> None:
    http.put(PATH, json=IPMI)
    seen = http.get(PATH, headers=ann).json()
    assert (seen["kind"], seen["address"], seen["user"]) == ("ipmi", "10.0.0.9", "")
    for request in (
        lambda: http.put(PATH, json=IPMI, headers=ann),
        lambda: http.delete(PATH, headers=ann),
        lambda: http.post(f"{PATH}/check", headers=ann),
    ):
        assert request().status_code == 403


def test_the_errors_of_a_bmc_are_told_apart(http: httpx.Client, bare: FakePowerDrivers) -> None:
    http.put(PATH, json=IPMI | {"password": "wr0ng"})
    refused = http.post(f"{PATH}/check")
    assert (refused.status_code, refused.json()["code"]) == (502, "power-refused")
    http.put(PATH, json=IPMI | {"address": "10.0.0.66"})
    silent = http.post(f"{PATH}/check")
    assert (silent.status_code, silent.json()["code"]) == (503, "power-unreachable")


@pytest.mark.parametrize(
    "change", [{"password": 5}, {"password": "x" * 21}, {"password": "a\nb"}, {"port": 0}, {"kind": "magic"}]
)
def test_a_refused_body_does_not_repeat_the_password(
    http: httpx.Client, bare: FakePowerDrivers, change: dict[str, object]
) -> None:
    answer = http.put(PATH, json=IPMI | change)
    assert answer.status_code == 422
    assert str(change.get("password", PASSWORD)) not in json.loads(answer.text)["detail"]
    assert PASSWORD not in answer.text


def test_the_password_is_nowhere(
    http: httpx.Client,
    server: Running,
    bare: FakePowerDrivers,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in answers, logs, events, operations or any file of the server, also not in kept answers."""
    caplog.set_level("DEBUG")
    answers: list[str] = []
    requests: list[Callable[[], httpx.Response]] = [
        lambda: http.put(PATH, json=IPMI, headers={"Idempotency-Key": "power-settings-1"}),
        lambda: http.put(PATH, json=IPMI, headers={"Idempotency-Key": "power-settings-1"}),
        lambda: http.get(PATH),
        lambda: http.post(f"{PATH}/check"),
        lambda: http.post("/machines/bare/commission"),
        lambda: http.get("/operations"),
        lambda: http.get("/events"),
        lambda: http.get("/machines/bare"),
    ]
    for request in requests:
        answer = request()
        assert answer.status_code < 300, answer.text
        answers.append(answer.text)
    captured = capfd.readouterr()
    assert PASSWORD not in "".join([*answers, captured.out, captured.err, caplog.text])
    directory = Path(server.socket).parent
    files = [file for file in directory.rglob("*") if file.is_file()]
    assert any(file.name.endswith(".db") or "db" in file.name for file in files)
    assert not [file for file in files if PASSWORD.encode() in file.read_bytes()]
