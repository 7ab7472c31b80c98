"""The composition root's own doings."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.server import app
from hostloom.server.config import Settings
from hostloom.server.periodic import Reports
from hostloom.server.setting_values import Listen
from support.little_world import little_world
from support.sshd import free_port

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture
def handlers() -> Iterator[None]:
    """A server takes the process's signals: give them back."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_before_it_listens_is_handled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    ports = little_world(tmp_path, hosts_there=0).ports
    monkeypatch.setattr(app, "warm_up", lambda _ports: signal.raise_signal(number))
    late = threading.Timer(15, signal.raise_signal, (signal.SIGTERM,))
    late.start()
    settings = Settings(
        state_dir=tmp_path, socket=tmp_path / "s", listen=Listen("127.0.0.1", free_port()), workers=1
    )
    app.run(settings, ports, Reports())
    assert late.is_alive(), "only the second signal ended it"
    late.cancel()
    assert not (tmp_path / "s").exists()
    ports.store.close()
