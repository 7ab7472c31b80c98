from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.ports.hosts import OfferedKey
from hostloom.remote.address import SshAddress
from hostloom.remote.keys import PinnedKeys, import_known_hosts, parse_line
from hostloom.services.racks import key_uri
from hostloom.store.engine import open_store
from support.template_database import copy_template

#: RFC 8032's first test key, as an SSH key; its fingerprint by `ssh-keygen -l`.
BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
FINGERPRINT = "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8"


@pytest.fixture
def keys(tmp_path: Path) -> PinnedKeys:
    return PinnedKeys(open_store(copy_template(tmp_path / "hostloom.db")))


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
    pinned = keys.find(SshAddress("2001:db8::5", port=2222))
    assert pinned == replace(key, line=f"[2001:db8::5]:2222 ssh-ed25519 {BLOB}")
    assert keys.pinned("qemu+ssh://other@[2001:db8:0::5]:2222/system") == key.fingerprint
    assert keys.pinned("qemu+ssh://u@[2001:db8::5]/system") is None
    keys.forget(uri)
    assert keys.pinned(uri) is None


def test_a_server_has_one_key(keys: PinnedKeys, key: OfferedKey) -> None:
    other = replace(key, fingerprint="SHA256:other")
    keys.pin("qemu+ssh://h/system", key)
    keys.pin("qemu+ssh://root@h/system", other)
    assert keys.pinned("qemu+ssh://h/system") == "SHA256:other"


def test_a_key_stays_while_another_uri_needs_it(keys: PinnedKeys, key: OfferedKey) -> None:
    """Whoever pinned it first, and however the other came to need it."""
    first, second, elsewhere = "qemu+ssh://h/system", "qemu+ssh://root@h:22/system", "qemu+ssh://g/system"
    keys.pin(first, key)
    keys.retain(second)
    keys.release(elsewhere)
    keys.release(first)
    assert keys.pinned(first) == keys.pinned(second) == key.fingerprint
    keys.release(second)
    assert keys.pinned(first) is None


def test_nothing_is_retained_where_nothing_is_pinned(keys: PinnedKeys) -> None:
    keys.retain("qemu+ssh://h/system")
    assert keys.pinned("qemu+ssh://h/system") is None


def test_uris_without_ssh_need_none(keys: PinnedKeys, key: OfferedKey) -> None:
    assert keys.offered("qemu:///system") == ()
    keys.pin("qemu:///system", key)
    keys.retain("qemu:///system")
    assert keys.pinned("qemu:///system") is None


def test_what_one_server_pins_another_one_trusts(keys: PinnedKeys, key: OfferedKey, tmp_path: Path) -> None:
    another = PinnedKeys(open_store(f"sqlite:///{tmp_path}/hostloom.db"))
    with ThreadPoolExecutor(8) as pool:
        for number in range(40):
            pool.submit((keys if number % 2 else another).pin, f"qemu+ssh://h{number % 30}/system", key)
    for number in range(30):
        assert another.pinned(f"qemu+ssh://h{number}/system") == key.fingerprint


def test_keys_of_an_earlier_version_are_imported_once(
    keys: PinnedKeys, key: OfferedKey, tmp_path: Path
) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"kvm1 ssh-ed25519 {BLOB}\n[10.0.0.5]:2222 ssh-ed25519 {BLOB}\ngone ssh-ed25519 {BLOB}\n")
    uris = [
        "qemu+ssh://kvm1/system",
        "qemu+ssh://root@10.0.0.5:2222/system",
        "qemu+ssh://new/system",
        "qemu:///system",
    ]
    import_known_hosts(keys, file, lambda: uris)
    assert [keys.pinned(uri) for uri in uris] == [key.fingerprint, key.fingerprint, None, None]
    assert keys.pinned("qemu+ssh://gone/system") is None
    assert not file.exists()
    import_known_hosts(keys, file, lambda: uris)


def test_a_rack_that_goes_leaves_the_key_of_a_host_at_its_address(keys: PinnedKeys, key: OfferedKey) -> None:
    host, rack = "qemu+ssh://root@h/system", key_uri("ssh://root@h/run/kea/kea4-ctrl-socket")
    assert rack is not None
    keys.pin(host, key)
    keys.retain(rack)
    keys.release(rack)
    assert keys.pinned(host) == key.fingerprint
    keys.retain(rack)
    keys.release(host)
    assert keys.pinned(rack) == key.fingerprint
