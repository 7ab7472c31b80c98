"""cloud-init and netplan themselves read what machines are deployed with."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hostloom.decide.deploy.install_kvm import with_kvm
from hostloom.decide.deploy.phone_home import SCRIPT_PATH
from hostloom.decide.deploy.seed import SeedAccount, render_seed
from hostloom.model.deployment import KvmOptions
from hostloom.model.node import BridgeKind
from support.seeds import KEY, MODELS, a_seed_input

READER = Path(__file__).parents[2] / "support/cloud_init_reads.py"
CONFIG = """\
#cloud-config
hostname: mine
packages: [jq]
users: [{name: bob}]
runcmd: [[touch, /first]]
write_files: [{path: /mine, content: x}]
growpart: {mode: "off"}
"""
SCRIPT = "#!/bin/sh\necho hello\n"
MULTIPART = f"""\
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/x-shellscript

{SCRIPT}
--b
Content-Type: text/cloud-config

{CONFIG}
--b--
"""
USER_DATA = {"config": CONFIG, "script": SCRIPT, "multipart": MULTIPART, "none": ""}


def run(*argv: str | Path) -> str:
    result = subprocess.run(argv, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def read_seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which cloud-init read the seed of every model, and each kind of user-data."""
    folder = tmp_path_factory.mktemp("seeds")
    for name in MODELS:
        (folder / name).mkdir()
        (folder / name / "network-config").write_text(render_seed(a_seed_input(name)).network_config)
    for name, user_data in USER_DATA.items():
        (folder / name).mkdir()
        seed = render_seed(a_seed_input(user_data=user_data, commands=(("touch", "/last"),)))
        (folder / name / "user-data").write_text(seed.user_data)
    output = run("/usr/bin/python3", READER, folder)
    assert "Skipping" not in output
    assert "Failed" not in output
    return folder


@pytest.mark.parametrize("name", MODELS)
def test_netplan_accepts_what_cloud_init_makes_of_the_network(name: str, read_seeds: Path) -> None:
    root = read_seeds / name / "netplan"
    run("netplan", "generate", "--root-dir", root)
    networks = {file.stem.removeprefix("10-netplan-") for file in root.glob("run/systemd/network/*.network")}
    assert networks == {interface.name for interface in MODELS[name]}


def test_netplan_would_refuse_nonsense(tmp_path: Path) -> None:
    (tmp_path / "etc/netplan").mkdir(parents=True)
    document = {"network": yaml.safe_load(render_seed(a_seed_input("bond")).network_config)}
    document["network"]["bonds"]["bond0"]["parameters"]["mode"] = "no-such-mode"
    (tmp_path / "etc/netplan/seed.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(AssertionError, match="no-such-mode"):
        run("netplan", "generate", "--root-dir", tmp_path)


@pytest.mark.parametrize("name", MODELS)
def test_distributions_without_netplan_configure_every_interface(name: str, read_seeds: Path) -> None:
    folder = read_seeds / name / "sysconfig/etc/sysconfig/network-scripts"
    files = {file.name.removeprefix("ifcfg-") for file in folder.glob("ifcfg-*")}
    assert files == {interface.name for interface in MODELS[name]}
    gateways = [file for file in folder.glob("ifcfg-*") if "\nGATEWAY=" in file.read_text()]
    assert len(gateways) <= 1


def test_cloud_init_finds_the_user_data_valid(tmp_path: Path) -> None:
    accounts = (SeedAccount("hostloom", (KEY,), ("libvirt",)),)
    seed = render_seed(a_seed_input(user="ann", accounts=accounts, commands=(("sh", "-c", "echo done"),)))
    user_data = tmp_path / "user-data"
    user_data.write_text(seed.user_data)
    assert "Valid" in run("cloud-init", "schema", "-c", user_data)


@pytest.mark.parametrize("kind", BridgeKind)
def test_cloud_init_finds_the_user_data_of_a_kvm_host_valid(kind: BridgeKind, tmp_path: Path) -> None:
    seed = render_seed(with_kvm(a_seed_input(), KvmOptions(bridge_kind=kind), KEY))
    user_data = tmp_path / "user-data"
    user_data.write_text(seed.user_data)
    assert "Valid" in run("cloud-init", "schema", "-c", user_data)


@pytest.mark.parametrize("name", MODELS)
def test_netplan_accepts_the_bridges_of_a_kvm_host(name: str, tmp_path: Path) -> None:
    seed = render_seed(with_kvm(a_seed_input(name), KvmOptions(stp=True), KEY))
    (tmp_path / "etc/netplan").mkdir(parents=True)
    file = tmp_path / "etc/netplan/seed.yaml"
    file.write_text(yaml.safe_dump({"network": yaml.safe_load(seed.network_config)}))
    file.chmod(0o600)
    run("netplan", "generate", "--root-dir", tmp_path)


def merged(read_seeds: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((read_seeds / name / "merged.yaml").read_text())
    return document


@pytest.mark.parametrize("name", ["config", "multipart"])
def test_neither_part_of_the_user_data_is_lost(name: str, read_seeds: Path) -> None:
    document = merged(read_seeds, name)
    assert document["packages"] == ["jq"]
    assert document["users"] == [{"name": "bob"}, "default"]
    assert document["runcmd"] == [["touch", "/first"], ["touch", "/last"]]
    assert [file["path"] for file in document["write_files"]] == ["/mine", SCRIPT_PATH]
    assert document["ssh_authorized_keys"] == [KEY]


def test_single_values_of_the_user_come_first(read_seeds: Path) -> None:
    document = merged(read_seeds, "config")
    assert (document["hostname"], document["fqdn"]) == ("mine", "web1.example.com")
    assert document["growpart"] == {"mode": "off", "devices": ["/"]}


@pytest.mark.parametrize("name", ["script", "multipart"])
def test_a_script_of_the_user_is_kept_as_it_is(name: str, read_seeds: Path) -> None:
    assert (read_seeds / name / "text-x-shellscript").read_text().strip() == SCRIPT.strip()
    assert merged(read_seeds, name)["hostname"] == ("mine" if name == "multipart" else "web1")


def test_without_user_data_the_cloud_config_is_used_as_it_is(read_seeds: Path) -> None:
    text = render_seed(a_seed_input(commands=(("touch", "/last"),))).user_data
    assert text.startswith("#cloud-config\n")
    assert merged(read_seeds, "none") == yaml.safe_load(text)
