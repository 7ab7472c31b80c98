import subprocess
from pathlib import Path

import pytest

from hostloom.model.errors.outside import HostKeyChanged, HostKeyUnknown, HostUnreachable
from hostloom.remote.address import SshAddress
from hostloom.remote.connection import Remotes
from hostloom.remote.keys import PinnedKeys
from support.sshd import Sshd


def fingerprint(sshd: Sshd) -> str:
    argv = ["ssh-keygen", "-l", "-f", str(sshd.directory / "host_key.pub")]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()[1]


def logins(sshd: Sshd) -> int:
    """How often a key was offered for a login, as sshd counts."""
    return (sshd.directory / "sshd.log").read_text().count("Accepted publickey")


def test_the_offered_key_is_the_hosts(sshd: Sshd, keys: PinnedKeys) -> None:
    (key,) = keys.offered(sshd.uri)
    assert (key.kind, key.fingerprint) == ("ssh-ed25519", fingerprint(sshd))


def test_an_unknown_host_is_not_logged_in_to(sshd: Sshd, keys: PinnedKeys, remotes: Remotes) -> None:
    with pytest.raises(HostKeyUnknown) as caught:
        remotes.of(sshd.address).run(["true"])
    assert caught.value.fingerprint == fingerprint(sshd)
    assert keys.pinned(sshd.uri) is None
    assert logins(sshd) == 0


def test_a_pinned_host_is(pinned: Sshd, keys: PinnedKeys, remotes: Remotes) -> None:
    assert keys.pinned(pinned.uri) == fingerprint(pinned)
    assert remotes.of(pinned.address).run(["true"]).exit_code == 0
    assert logins(pinned) == 1


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_a_changed_key_is_refused(pinned: Sshd, keys: PinnedKeys, remotes: Remotes, kind: str) -> None:
    wanted = fingerprint(pinned)
    pinned.stop()
    pinned.renew_host_key(kind)
    pinned.start()
    with pytest.raises(HostKeyChanged) as caught:
        remotes.of(pinned.address).run(["true"])
    assert (caught.value.wanted, caught.value.found) == (wanted, fingerprint(pinned))
    assert logins(pinned) == 0
    assert keys.pinned(pinned.uri) == wanted


def test_an_rsa_key_can_be_pinned(sshd: Sshd, keys: PinnedKeys, remotes: Remotes) -> None:
    sshd.stop()
    sshd.renew_host_key("rsa")
    sshd.start()
    (key,) = keys.offered(sshd.uri)
    keys.pin(sshd.uri, key)
    assert remotes.of(sshd.address).run(["true"]).exit_code == 0


def test_a_forgotten_key_ends_the_connection(pinned: Sshd, keys: PinnedKeys, remotes: Remotes) -> None:
    remote = remotes.of(pinned.address)
    remote.run(["true"])
    keys.forget(pinned.uri)
    with pytest.raises(HostKeyUnknown):
        remote.run(["true"])


def test_the_users_own_trust_does_not_count(sshd: Sshd, keys: PinnedKeys, tmp_path: Path) -> None:
    """A user's ssh_config must not make hostloom accept an unknown host."""
    config = tmp_path / "ssh_config"
    config.write_text(
        "Host *\n StrictHostKeyChecking no\n NoHostAuthenticationForLocalhost yes\n VerifyHostKeyDNS yes\n"
        f" KnownHostsCommand /bin/cat {sshd.directory}/host_key.pub\n ControlMaster auto\n RemoteCommand id\n"
    )
    keys = PinnedKeys(keys.store, config)
    remotes = Remotes(keys, config)
    try:
        with pytest.raises(HostKeyUnknown):
            remotes.of(sshd.address).run(["true"])
        keys.pin(sshd.uri, keys.offered(sshd.uri)[0])
        assert remotes.of(sshd.address).run(["echo", "in"]).stdout == "in\n"
        sshd.stop()
        sshd.renew_host_key()
        sshd.start()
        with pytest.raises(HostKeyChanged):
            remotes.of(sshd.address).run(["true"])
    finally:
        remotes.close()


@pytest.mark.parametrize("proxy", ["", " ProxyJump jump\n"])
def test_a_name_of_the_users_ssh_config(sshd: Sshd, keys: PinnedKeys, tmp_path: Path, proxy: str) -> None:
    """The key is asked for where ssh would go, also through a proxy, and pinned under the URI's name."""
    config = tmp_path / "ssh_config"
    config.write_text(
        f"Host kvm-one\n HostName 127.0.0.1\n Port {sshd.port}\n{proxy}"
        "Host jump\n HostName 127.0.0.1\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n"
        f"Host *\n Port {sshd.port}\n IdentityFile {sshd.directory}/user_key\n"
    )
    keys = PinnedKeys(keys.store, config)
    uri = f"qemu+ssh://{sshd.address.user}@kvm-one/system"
    (key,) = keys.offered(uri)
    assert key.fingerprint == fingerprint(sshd)
    keys.pin(uri, key)
    with keys.store.begin() as uow:
        pinned = uow.ssh_keys.find("kvm-one")
    assert pinned is not None
    assert pinned.line.startswith("kvm-one ssh-ed25519 ")
    remotes = Remotes(keys, config)
    try:
        assert remotes.of(SshAddress("kvm-one", sshd.address.user)).run(["echo", "in"]).stdout == "in\n"
    finally:
        remotes.close()


def test_a_host_that_shows_no_key(sshd: Sshd, keys: PinnedKeys) -> None:
    sshd.stop()
    with pytest.raises(HostUnreachable):
        keys.offered(sshd.uri)
