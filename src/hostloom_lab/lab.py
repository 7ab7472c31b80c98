"""Creates, checks and removes a lab; a second `up` repairs it, and `down` also removes an incomplete one."""

import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network
from pathlib import Path

from hostloom_lab import guest, host, machine, network, plan_files, rack
from hostloom_lab.commands import inside, namespaces, run
from hostloom_lab.errors import LabError
from hostloom_lab.plan import SEGMENTS, HostPlan, LabPlan, default_subnets, make_plan

PROGRAMS = ("ip", "unshare", "virsh", "ssh-keygen", "dpkg-deb")
DAEMONS = ("/usr/sbin/libvirtd", "/usr/sbin/sshd", "/usr/sbin/kea-dhcp4", "/bin/busybox")


@dataclass(frozen=True)
class HostStatus:
    """One host."""

    name: str
    running: bool
    libvirtd: bool
    uri_ssh: str
    uri_unix: str


@dataclass(frozen=True)
class Status:
    """The state of a lab."""

    name: str
    exists: bool
    subnet: str
    segments: dict[str, str]
    rack_running: bool
    kea: bool
    rack_url: str
    hosts: tuple[HostStatus, ...]

    @property
    def is_whole(self) -> bool:
        """Whether everything runs that should."""
        hosts = all(host_status.running and host_status.libvirtd for host_status in self.hosts)
        return self.exists and self.rack_running and self.kea and hosts


class Lab:
    """One lab by its name; several labs can run on different subnets."""

    def __init__(self, name: str = "lab") -> None:
        self.name = name
        make_plan(name, default_subnets()[0], 0)

    # -- up and down -------------------------------------------------------------------------------------

    def up(self, hosts: int = 2, subnet: IPv4Network | None = None) -> LabPlan:
        """Create or repair the lab; LabError names the missing program, the used subnet or the failure."""
        _check_machine()
        with plan_files.locked(self.name):
            plan = plan_files.choose(self.name, hosts, subnet)
            if not (plan.directory / "lab_key").exists():
                host.make_key(plan.directory / "lab_key", f"hostloom-lab-{self.name}")
            _write_ssh_config(plan)
            network.build_switch(plan)
            network.build_rack(plan)
            rack.start(plan)
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda host: self._start_host(plan, host), plan.hosts))
            rack.wait(plan)
        return plan

    @staticmethod
    def _start_host(plan: LabPlan, host_plan: HostPlan) -> None:
        directory = host.directory_of(plan, host_plan)
        directory.mkdir(parents=True, exist_ok=True)
        network.build_host(plan, host_plan)
        host.start(plan, host_plan)
        host.wait(plan, host_plan)

    def down(self) -> None:
        """Remove everything, even from an incomplete lab."""
        with plan_files.locked(self.name):
            plan = plan_files.read(self.name) or self._guess_plan()
            for host_plan in plan.hosts:
                machine.stop(host_plan.netns, host.directory_of(plan, host_plan))
            machine.stop(plan.rack, rack.directory_of(plan))
            network.remove(plan)
            shutil.rmtree(plan.directory, ignore_errors=True)
        plan_files.remove_lock(self.name)

    # -- state -------------------------------------------------------------------------------------------

    @property
    def plan(self) -> LabPlan:
        """The plan of a lab that is up; LabError if it is not."""
        plan = plan_files.read(self.name)
        if plan is None:
            raise LabError(f"lab {self.name} is not up: `hostloom-lab up`")
        return plan

    def _guess_plan(self) -> LabPlan:
        """A plan for removing a lab whose plan is missing: its namespaces show the number of hosts."""
        prefix = f"hl-{self.name}-kvm"
        numbers = [int(n.removeprefix(prefix)) for n in namespaces() if n.removeprefix(prefix).isdigit()]
        return make_plan(self.name, default_subnets()[0], max(numbers, default=0))

    def status(self) -> Status:
        """Check all parts without changing any."""
        plan = plan_files.read(self.name)
        if plan is None:
            return Status(self.name, False, "", {}, False, False, "", ())
        return Status(
            self.name,
            True,
            str(plan.subnet),
            {segment: str(plan.segment(segment)) for segment in SEGMENTS},
            machine.is_running(rack.directory_of(plan)),
            rack.answers(plan),
            f"http://{plan.rack_link_address.ip}",
            tuple(
                HostStatus(
                    host_plan.name,
                    machine.is_running(host.directory_of(plan, host_plan)),
                    host.answers(plan, host_plan),
                    self.uri_ssh(host_plan.name),
                    host.uri(plan, host_plan),
                )
                for host_plan in plan.hosts
            ),
        )

    # -- parts ---------------------------------------------------------------------------------------------

    def host(self, name: str) -> HostPlan:
        """A host by name."""
        plan = self.plan
        for host_plan in plan.hosts:
            if host_plan.name == name:
                return host_plan
        raise LabError(
            f"lab {self.name} has no host {name!r}; it has {', '.join(h.name for h in plan.hosts)}"
        )

    def uri_ssh(self, name: str) -> str:
        """The URI that the rack uses for a host; the key is in the SSH configuration."""
        return f"qemu+ssh://root@{self.host(name).address.ip}/system"

    def uri_unix(self, name: str) -> str:
        """The URI of a host's libvirtd for this machine."""
        return host.uri(self.plan, self.host(name))

    @property
    def ssh_config(self) -> Path:
        """An ssh configuration for `ssh -F`, with the lab's key."""
        return self.plan.directory / "ssh_config"

    @property
    def kea_socket(self) -> Path:
        """The path of Kea's control socket."""
        return rack.kea_socket(self.plan)

    @property
    def guest(self) -> guest.Guest:
        """Kernel and initramfs of the guest."""
        return guest.guest()

    def in_rack(self, argv: Sequence[str]) -> list[str]:
        """The command that runs `argv` in the rack."""
        return inside(self.plan.rack, argv)

    def run_in(self, where: str, argv: Sequence[str], timeout_s: float = 60.0) -> str:
        """Run a program in the network of `switch`, `rack` or a host, and return its output."""
        return run(inside(self.netns(where), argv), timeout_s=timeout_s)

    def netns(self, where: str) -> str:
        """The network namespace of `switch`, `rack` or a host."""
        plan = self.plan
        namespace_by_name = {"switch": plan.switch, "rack": plan.rack} | {
            host_plan.name: host_plan.netns for host_plan in plan.hosts
        }
        if where not in namespace_by_name:
            raise LabError(
                f"there is no {where!r} in lab {self.name}; there are {', '.join(namespace_by_name)}"
            )
        return namespace_by_name[where]

    def unplug(self, name: str, nic: str | None = None) -> None:
        """Cut the power of a host, or disconnect one of its cables."""
        plan, host_plan = self.plan, self.host(name)
        if nic is not None:
            network.set_cable(plan, host_plan, nic, plugged=False)
        else:
            machine.stop(host_plan.netns, host.directory_of(plan, host_plan))

    def plug(self, name: str, nic: str | None = None) -> None:
        """Power a host on again, or reconnect a cable."""
        plan, host_plan = self.plan, self.host(name)
        if nic is not None:
            network.set_cable(plan, host_plan, nic, plugged=True)
        else:
            self._start_host(plan, host_plan)

    def reflect(self, name: str, nic: str, *, on: bool) -> None:
        """Make the switch reflect frames on a host's port (VEPA), or stop it."""
        network.set_reflection(self.plan, self.host(name), nic, on=on)

    def logs(self) -> dict[str, Path]:
        """Log files by name."""
        plan = self.plan
        paths = {
            "kea": rack.directory_of(plan) / "kea/log/kea-dhcp4.log",
            "rack": rack.directory_of(plan) / "init.log",
        }
        for host_plan in plan.hosts:
            directory = host.directory_of(plan, host_plan)
            paths |= {
                f"{host_plan.name}": directory / "init.log",
                f"{host_plan.name}-libvirtd": directory / "log/libvirtd.log",
                f"{host_plan.name}-sshd": directory / "sshd.log",
            }
        return paths


def _write_ssh_config(plan: LabPlan) -> None:
    lines = ["Host *", f"  IdentityFile {plan.directory}/lab_key", "  IdentitiesOnly yes", ""]
    for host_plan in plan.hosts:
        lines += [f"Host {host_plan.name}", f"  HostName {host_plan.address.ip}", "  User root", ""]
    (plan.directory / "ssh_config").write_text("\n".join(lines))


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise LabError("the lab needs root to create network namespaces")
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    missing += [daemon for daemon in DAEMONS if not Path(daemon).exists()]
    if missing:
        raise LabError(f"not installed: {', '.join(missing)}; `bin/demo` installs what is missing")


def as_json(status: Status) -> str:
    """Render the status for `-o json`."""
    return json.dumps({**asdict(status), "is_whole": status.is_whole}, indent=2)
