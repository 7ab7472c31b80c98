"""The TFTP server with real clients and sockets: busybox, both families, losses, many at once."""

import hashlib
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hostloom.boot import tftp
from hostloom.boot.tftp import TftpServer
from hostloom.model.errors.server import ConfigError

CONTENT = hashlib.sha256(b"hostloom").digest() * 7000 + b"end"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TftpServer]:
    (tmp_path / "loader").write_bytes(CONTENT)
    (tmp_path / "secret").write_bytes(b"not for you")
    files = {"snponly.efi": tmp_path / "loader", "gone.efi": tmp_path / "gone"}
    found = TftpServer(files, port=0)
    found.start()
    yield found
    found.stop()


def fetch(server: TftpServer, to: Path, name: str, host: str = "127.0.0.1", *options: str) -> int:
    argv = ["busybox", "tftp", "-g", "-r", name, "-l", str(to), *options, host, str(server.port)]
    return subprocess.run(argv, capture_output=True, timeout=30, check=False).returncode


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.0.0.9"])
@pytest.mark.parametrize("options", [(), ("-b", "1468"), ("-b", "8192")])
def test_busybox_gets_the_file(
    server: TftpServer, tmp_path: Path, host: str, options: tuple[str, ...]
) -> None:
    assert fetch(server, tmp_path / "got", "snponly.efi", host, *options) == 0
    assert (tmp_path / "got").read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["secret", "loader", "../secret", "/etc/passwd", "gone.efi", "SNPONLY.EFI"])
def test_there_are_no_other_files(server: TftpServer, tmp_path: Path, name: str) -> None:
    assert fetch(server, tmp_path / "got", name) != 0
    assert b"not for you" not in ((tmp_path / "got").read_bytes() if (tmp_path / "got").exists() else b"")


def test_nothing_can_be_written(server: TftpServer, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"x")
    argv = ["busybox", "tftp", "-p", "-l", str(tmp_path / "mine"), "-r", "snponly.efi", "127.0.0.1"]
    assert subprocess.run([*argv, str(server.port)], capture_output=True, timeout=30).returncode != 0
    assert fetch(server, tmp_path / "got", "snponly.efi") == 0
    assert (tmp_path / "got").read_bytes() == CONTENT


def client(timeout_s: float = 5.0) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.bind(("127.0.0.1", 0))
    found.settimeout(timeout_s)
    return found


REQUEST = b"\0\1/snponly.efi\0octet\0"


def test_a_packet_that_is_lost_comes_again(server: TftpServer) -> None:
    with client() as mine:
        mine.sendto(REQUEST, ("127.0.0.1", server.port))
        first, peer = mine.recvfrom(2048)
        assert mine.recvfrom(2048) == (first, peer)
        mine.sendto(REQUEST, ("127.0.0.1", server.port))
        assert mine.recvfrom(2048) == (first, peer), "a request again is no second transfer"
        mine.sendto(struct.pack("!HH", 4, 1), peer)
        assert mine.recvfrom(2048)[0][:4] == struct.pack("!HH", 3, 2)


def packets(mine: socket.socket, timeout_s: float) -> int:
    """How many come until none comes for so long."""
    mine.settimeout(timeout_s)
    count = 0
    with suppress(TimeoutError):
        while mine.recv(2048):
            count += 1
    return count


STRAY = [b"x", b"\0\1", b"\0\4\0\1", b"\0\5\0\0", b"\0\1snponly.efi\0octet\0tsize\x000\0"]


@pytest.mark.parametrize("stray", [*STRAY, REQUEST], ids=[*"xraeo", "same"])
@pytest.mark.parametrize("proven", [True, False])
def test_other_packets_to_the_port_are_not_answered_with_data(
    server: TftpServer, stray: bytes, proven: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forged address must not be hit by more than a few packets, whatever is sent in its name."""
    with client() as mine:
        mine.sendto(REQUEST, ("127.0.0.1", server.port))
        _, peer = mine.recvfrom(2048)
        if proven:
            mine.sendto(struct.pack("!HH", 4, 1), peer)
            mine.recv(2048)
        for _ in range(500):
            mine.sendto(stray, ("127.0.0.1", server.port))
        assert packets(mine, 0.6 if proven else 1.6) <= (0 if proven else tftp.UNPROVEN_RESENDS)


def test_one_address_may_ask_a_few_times_only(server: TftpServer) -> None:
    answers = 0
    for _ in range(tftp.REQUESTS_BURST + 20):
        with client(0.1) as mine:
            mine.sendto(b"\0\1nothing\0octet\0", ("127.0.0.1", server.port))
            answers += packets(mine, 0.1)
    assert tftp.REQUESTS_BURST <= answers <= tftp.REQUESTS_BURST + 4


def test_addresses_of_other_networks_get_no_answer(server: TftpServer) -> None:
    server.serves = lambda address: address == "127.0.0.9"
    with client() as mine:
        mine.sendto(REQUEST, ("127.0.0.1", server.port))
        assert packets(mine, 0.5) == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine:
        mine.bind(("127.0.0.9", 0))
        mine.sendto(REQUEST, ("127.0.0.1", server.port))
        assert packets(mine, 1.5) > 0


def test_forged_requests_do_not_keep_the_places(server: TftpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tftp, "MAX_TRANSFERS", 3)
    forged = []
    for n in range(1, 7):
        forged.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        forged[-1].bind((f"127.0.2.{n}", 0))
        forged[-1].sendto(REQUEST, ("127.0.0.1", server.port))
        forged[-1].settimeout(5)
        forged[-1].recv(2048)
    with client() as mine:
        mine.sendto(REQUEST, ("127.0.0.1", server.port))
        assert mine.recv(2048)[:4] == struct.pack("!HH", 3, 1)
        assert server.transfers <= 3
    for each in forged:
        each.close()


def test_a_client_that_is_gone_is_given_up(
    server: TftpServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tftp, "RESENDS", 0)
    monkeypatch.setattr(tftp, "UNPROVEN_RESENDS", 0)
    monkeypatch.setattr(tftp, "MAX_LIFE_S", 0.0)
    with client() as mine:
        mine.sendto(REQUEST, ("127.0.0.1", server.port))
        mine.recvfrom(2048)
        until = time.monotonic() + 20
        while server.transfers:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_one_client_cannot_take_all_places(server: TftpServer) -> None:
    mine = [client(0.3) for _ in range(tftp.MAX_OF_ONE + 1)]
    for each in mine:
        each.sendto(REQUEST, ("127.0.0.1", server.port))
        if each is not mine[-1]:
            each.recvfrom(2048)
    with pytest.raises(TimeoutError):
        mine[-1].recvfrom(2048)
    assert server.transfers == tftp.MAX_OF_ONE
    for each in mine:
        each.close()


def test_many_at_once(server: TftpServer, tmp_path: Path) -> None:
    argv = ["busybox", "tftp", "-g", "-b", "1432", "-r", "snponly.efi", "-l"]
    running = [
        subprocess.Popen(
            [*argv, str(tmp_path / f"got{n}"), f"127.0.1.{n}", str(server.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for n in range(1, tftp.MAX_OF_ONE + 1)
    ]
    assert [each.wait(30) for each in running] == [0] * tftp.MAX_OF_ONE
    assert {(tmp_path / f"got{n}").read_bytes() for n in range(1, tftp.MAX_OF_ONE + 1)} == {CONTENT}


def test_a_port_that_is_taken_is_named(server: TftpServer) -> None:
    with pytest.raises(ConfigError, match="tftp_port"):
        TftpServer({}, port=server.port)
