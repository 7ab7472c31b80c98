from pathlib import Path

import pytest

from hostloom.cli.session import DEFAULT_SOCKET, ServerChoice, find_target, read_login, write_login
from hostloom.client import Target


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_a_login_is_readable_by_its_user_only() -> None:
    path = write_login("http://x", "t")
    assert path.stat().st_mode & 0o777 == 0o600
    write_login("http://y", "u")
    assert read_login() == Target(url="http://y", token="u")


def test_options_go_before_the_login_and_that_before_the_local_socket() -> None:
    assert find_target(ServerChoice()) == Target(socket=DEFAULT_SOCKET)
    write_login("http://x", "t")
    assert find_target(ServerChoice()) == Target(url="http://x", token="t")
    assert find_target(ServerChoice(token="u")) == Target(url="http://x", token="u")
    assert find_target(ServerChoice(socket=Path("/s"))) == Target(socket=Path("/s"))


def test_a_stored_token_is_shown_to_its_own_server_only() -> None:
    write_login("http://x", "t")
    assert find_target(ServerChoice(url="http://x")).token == "t"
    assert find_target(ServerChoice(url="http://y")).token == ""


def test_a_token_does_not_appear_in_what_is_printed() -> None:
    assert "secret" not in repr(Target(url="http://x", token="secret"))
