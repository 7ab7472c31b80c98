from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hostloom.ports import OfferedKey
from hostloom.remote.keys import PinnedKeys, parse_line

#: RFC 8032's first test key, as an SSH key; its fingerprint by `ssh-keygen -l`.
BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
FINGERPRINT = "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8"


@pytest.fixture
def keys(tmp_path: Path) -> PinnedKeys:
    return PinnedKeys(tmp_path / "state" / "known_hosts")


@pytest.fixture
def key() -> OfferedKey:
    found = parse_line(f"h ssh-ed25519 {BLOB} comment")
    assert found is not None
    return found


@pytest.mark.parametrize("line", ["", "# h:22 SSH-2.0-OpenSSH", "h ssh-ed25519", "h ssh-ed25519 not*base64"])
def test_lines_without_a_key(line: str) -> None:
    assert parse_line(line) is None


def test_the_fingerprint_is_that_of_ssh_keygen(key: OfferedKey) -> None:
    assert key == OfferedKey("ssh-ed25519", FINGERPRINT, f"h ssh-ed25519 {BLOB}")


def test_pin_find_forget(keys: PinnedKeys, key: OfferedKey) -> None:
    uri = "qemu+ssh://u@[2001:db8::5]:2222/system"
    assert keys.pinned(uri) is None
    keys.pin(uri, key)
    assert keys.pinned(uri) == key.fingerprint
    assert keys.file.read_text() == f"[2001:db8::5]:2222 ssh-ed25519 {BLOB}\n"
    assert keys.file.stat().st_mode & 0o777 == 0o600
    assert keys.pinned("qemu+ssh://other@[2001:db8:0::5]:2222/system?socket=/x") == key.fingerprint
    assert keys.pinned("qemu+ssh://u@[2001:db8::5]/system") is None
    keys.forget(uri)
    assert keys.pinned(uri) is None


def test_a_host_has_one_key(keys: PinnedKeys, key: OfferedKey) -> None:
    keys.pin("qemu+ssh://h/system", key)
    keys.pin("qemu+ssh://h/system", key)
    assert len(keys.file.read_text().splitlines()) == 1


def test_uris_without_ssh_need_none(keys: PinnedKeys, key: OfferedKey) -> None:
    assert keys.offered("qemu:///system") == ()
    keys.pin("qemu:///system", key)
    assert keys.pinned("qemu:///system") is None
    assert not keys.file.exists()


def test_many_at_once_lose_none(keys: PinnedKeys, key: OfferedKey) -> None:
    another = PinnedKeys(keys.file)
    with ThreadPoolExecutor(8) as pool:
        for n in range(40):
            pool.submit((keys if n % 2 else another).pin, f"qemu+ssh://h{n}/system", key)
    assert len(keys.file.read_text().splitlines()) == 40
