"""What machines that become KVM hosts are deployed with, to the letter.

`UPDATE_GOLDEN=1` writes the files anew.
"""

import os
from pathlib import Path

import pytest

from hostloom.decide.deploy.install_kvm import with_kvm
from hostloom.decide.deploy.seed import render_seed
from hostloom.model.deployment import KvmOptions
from hostloom.model.node import BridgeKind
from support.seeds import KEY, a_seed_input

HERE = Path(__file__).parent / "install-kvm"
OPTIONS = {
    "static": KvmOptions(mtu=9000),
    "vlan-on-bond": KvmOptions(stp=True, forward_delay_s=4),
    "dhcp": KvmOptions(bridges=("eth1",)),
    "dual-stack": KvmOptions(bridge_kind=BridgeKind.OVS),
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("part", ["network-config", "user-data"])
def test_the_seed_of_a_kvm_host_is_as_written(name: str, part: str) -> None:
    file = HERE / f"{name}.{part}"
    text = render_seed(with_kvm(a_seed_input(name), OPTIONS[name], KEY)).files[part]
    if os.environ.get("UPDATE_GOLDEN"):
        HERE.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_model() -> None:
    assert {file.stem for file in HERE.iterdir()} == set(OPTIONS)
