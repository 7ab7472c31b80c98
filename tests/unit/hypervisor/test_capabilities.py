"""What a host can run, from capabilities as libvirt prints them and a probe that says yes or no."""

from dataclasses import dataclass, field
from typing import Any

import libvirt
import pytest

from hostloom.hypervisor.capabilities import emulations
from hostloom.model.finding import Findings
from hostloom.model.host import Emulation

GUEST = """<guest><os_type>{os}</os_type><arch name='{arch}'><emulator>/usr/bin/qemu-{arch}</emulator>
<machine>{machine}</machine><machine>none</machine>{domains}</arch></guest>"""


def guest(arch: str, *domains: str, machine: str = "q35", os: str = "hvm") -> str:
    types = "".join(f"<domain type='{each}'/>" for each in domains)
    return GUEST.format(os=os, arch=arch, machine=machine, domains=types)


@dataclass
class Host:
    """As much of a libvirt connection as is asked."""

    guests: str
    own: str = "x86_64"
    cpu_modes: tuple[str, ...] = ("maximum",)
    probed: list[tuple[str, str, str]] = field(default_factory=list)

    def isAlive(self) -> int:  # noqa: N802  (libvirt's name)
        return 1

    def getCapabilities(self) -> str:  # noqa: N802  (libvirt's name)
        return f"<capabilities><host><cpu><arch>{self.own}</arch></cpu></host>{self.guests}</capabilities>"

    def getDomainCapabilities(self, *_about: object) -> str:  # noqa: N802  (libvirt's name)
        if not self.cpu_modes:
            raise libvirt.libvirtError("not known")
        modes = "".join(f"<mode name='{each}' supported='yes'/>" for each in self.cpu_modes)
        return f"<domainCapabilities><cpu>{modes}</cpu></domainCapabilities>"

    def run(self, *, kvm: bool) -> tuple[Emulation, ...]:
        def probe(_connection: Any, architecture: str, emulator: str, machine: str) -> bool:
            self.probed.append((architecture, emulator, machine))
            return kvm

        return emulations(self, probe)


def test_kvm_where_the_probe_says_so() -> None:
    host = Host(guest("x86_64", "qemu", "kvm"))
    assert host.run(kvm=True) == (
        Emulation("amd64", "kvm", "q35", "/usr/bin/qemu-x86_64", "host-passthrough"),
    )
    assert host.probed == [("amd64", "/usr/bin/qemu-x86_64", "q35")]


def test_emulation_with_a_cpu_that_works_there_where_the_probe_says_no() -> None:
    assert Host(guest("x86_64", "qemu", "kvm")).run(kvm=False) == (
        Emulation("amd64", "qemu", "q35", "/usr/bin/qemu-x86_64", "maximum"),
    )


@pytest.mark.parametrize("modes", [(), ("host-model",)])
def test_the_emulators_own_cpu_where_maximum_is_not_known(modes: tuple[str, ...]) -> None:
    (found,) = Host(guest("x86_64", "qemu"), cpu_modes=modes).run(kvm=True)
    assert found.cpu_model == ""


def test_without_a_kvm_domain_type_nothing_is_probed() -> None:
    host = Host(guest("x86_64", "qemu"))
    assert host.run(kvm=True)[0].domain_type == "qemu"
    assert host.probed == []


def test_the_hosts_own_architecture_comes_first_and_unknown_ones_not_at_all() -> None:
    guests = [
        guest("aarch64", "qemu", machine="virt"),
        guest("m68k", "qemu"),
        guest("x86_64", "qemu"),
        guest("x86_64", "qemu", os="xen"),
        guest("i686", "qemu"),
    ]
    found = Host("".join(guests), own="x86_64").run(kvm=True)
    assert [(each.architecture, each.machine_type) for each in found] == [
        ("amd64", "q35"),
        ("arm64", "virt"),
        ("i386", "q35"),
    ]


def test_a_machine_type_that_is_not_there_is_left_to_libvirt() -> None:
    (found,) = Host(guest("x86_64", "qemu", machine="pc")).run(kvm=True)
    assert found.machine_type == ""


def test_an_architecture_that_cannot_be_told_is_named_and_the_others_are_there() -> None:
    host = Host(guest("x86_64", "qemu", "kvm") + guest("aarch64", "qemu", machine="virt"))
    findings = Findings()

    def probe(*_about: object) -> bool:
        raise libvirt.libvirtError("the pool is gone")

    found = emulations(host, probe, findings)
    assert [each.architecture for each in found] == ["arm64"]
    assert [finding.part for finding in findings.all()] == ["architecture amd64"]
