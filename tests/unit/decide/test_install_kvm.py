"""The first boot of a machine that becomes a KVM host."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from hostloom.decide.deploy.install_kvm import with_kvm
from hostloom.decide.deploy.seed import SeedInput, render_seed
from hostloom.model.deployment import KvmOptions
from hostloom.model.errors.values import InvalidValue
from hostloom.model.node import BridgeKind
from support.seeds import KEY, a_seed_input

#: Programs that keep a record of their calls; `virsh` lists the networks and pools of two files.
_PROGRAM = """#!/bin/sh
echo "$(basename "$0") $*" >> "$STATE/calls"
case "$(basename "$0") $*" in
"systemctl is-enabled"*) test -e "$STATE/modular" ;;
"systemctl is-active"*" ssh.service") ;;
"systemctl is-active"*) false ;;
"virsh uri") test ! -e "$STATE/no-libvirt" ;;
"virsh net-list"*) cat "$STATE/networks" ;;
"virsh pool-list"*) cat "$STATE/pools" ;;
esac
"""


class Machine:
    """A folder in which the setup runs as on a machine."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state = folder / "root", folder / "state"
        programs = folder / "bin"
        for path in (self.root / "run/openvswitch", self.state, programs):
            path.mkdir(parents=True)
        for name in ("virsh", "systemctl", "sshd", "chgrp"):
            (programs / name).write_text(_PROGRAM)
            (programs / name).chmod(0o755)
        for name in ("networks", "pools", "calls"):
            (self.state / name).touch()
        (self.root / "run/openvswitch/db.sock").touch()
        self._environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "STATE": str(self.state),
        }

    def set_up(self, seed_input: SeedInput) -> subprocess.CompletedProcess[str]:
        """Run the last command of the seed."""
        command = list(seed_input.commands[-1])
        for folder in ("/etc/", "/var/", "/run/"):
            command[-1] = command[-1].replace(f" {folder}", f" {self.root}{folder}")
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)

    def set(self, **files: str) -> None:
        """Write what the programs answer from."""
        for name, text in files.items():
            (self.state / name.replace("_", "-")).write_text(text)

    @property
    def calls(self) -> list[str]:
        """What was run."""
        return (self.state / "calls").read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def kvm(options: KvmOptions | None = None, **changes: object) -> SeedInput:
    return with_kvm(a_seed_input(**changes), options or KvmOptions(), KEY)


def test_the_account_has_a_restricted_key_and_no_password() -> None:
    document = yaml.safe_load(render_seed(kvm()).user_data)
    account = document["users"][-1]
    assert account["name"] == "hostloom" and account["groups"] == ["libvirt"]
    assert account["lock_passwd"] is True and "system" not in account and "sudo" not in account
    assert account["ssh_authorized_keys"] == [f"restrict,port-forwarding {KEY}"]
    assert document["ssh_pwauth"] is False


def test_the_account_cannot_be_that_of_the_user() -> None:
    with pytest.raises(InvalidValue, match="user 'hostloom' is the account of hostloom itself"):
        kvm(user="hostloom")


def test_the_setup_comes_after_other_commands() -> None:
    assert kvm(commands=(("touch", "/first"),)).commands[0] == ("touch", "/first")


def test_a_fresh_machine_gets_a_pool_and_loses_the_default_network(machine: Machine) -> None:
    machine.set(networks="default\n")
    assert machine.set_up(kvm()).returncode == 0
    assert machine.calls == [
        "sshd -t",
        "systemctl is-active --quiet ssh.service",
        "systemctl reload-or-restart ssh.service",
        "systemctl is-enabled --quiet virtqemud.socket",
        "systemctl enable --now libvirtd.service",
        "virsh uri",
        "virsh net-list --name",
        "virsh net-destroy default",
        "virsh net-list --all --name",
        "virsh net-undefine default",
        "virsh pool-list --all --name",
        "virsh pool-define-as default dir --target " + f"{machine.root}/var/lib/libvirt/images",
        "virsh pool-list --name",
        "virsh pool-start default",
        "virsh pool-autostart default",
    ]


def test_what_is_in_order_stays(machine: Machine) -> None:
    machine.set(pools="default\n", networks="office\n")
    assert machine.set_up(kvm()).returncode == 0
    changes = [call for call in machine.calls if call.startswith("virsh") and "-list" not in call]
    assert changes == ["virsh uri", "virsh pool-autostart default"]


def test_separate_daemons_are_enabled_where_the_distribution_has_them(machine: Machine) -> None:
    machine.set(modular="")
    assert machine.set_up(kvm()).returncode == 0
    assert any("enable --now virtqemud.socket" in call for call in machine.calls)
    assert not any("libvirtd.service" in call for call in machine.calls)


def test_the_setup_fails_without_libvirt(machine: Machine) -> None:
    machine.set(no_libvirt="")
    assert machine.set_up(kvm()).returncode != 0
    assert machine.calls[-1] == "virsh uri"


def test_the_database_of_open_vswitch_may_be_read(machine: Machine) -> None:
    assert machine.set_up(kvm(KvmOptions(bridge_kind=BridgeKind.OVS))).returncode == 0
    assert machine.calls[-1] == f"chgrp libvirt {machine.root}/run/openvswitch/db.sock"
    drop_in = machine.root / "etc/systemd/system/ovsdb-server.service.d/hostloom.conf"
    assert "ExecStartPost=/bin/chgrp libvirt" in drop_in.read_text()


def test_sshd_lets_the_account_forward_sockets_and_nothing_else(machine: Machine, tmp_path: Path) -> None:
    machine.set_up(kvm())
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    file = machine.root / "etc/ssh/sshd_config.d/10-hostloom.conf"
    settings = {}
    for user in ("hostloom", "debian"):
        words = ["/usr/sbin/sshd", "-T", "-C", f"user={user},host=h,addr=10.0.0.1", "-f", file, "-h", key]
        output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        settings[user] = dict(line.partition(" ")[::2] for line in output.splitlines())
    for user in settings:
        assert (
            settings[user]["passwordauthentication"] == settings[user]["kbdinteractiveauthentication"] == "no"
        )
    account = settings["hostloom"]
    assert (account["allowstreamlocalforwarding"], account["authenticationmethods"]) == ("local", "publickey")
    assert {
        account[name] for name in ("allowtcpforwarding", "permittty", "x11forwarding", "permittunnel")
    } == {"no"}
    assert settings["debian"]["permittty"] == "yes"
