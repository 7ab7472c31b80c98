"""A KVM host with its own libvirtd and sshd."""

import shutil
import subprocess
from pathlib import Path

from hostloom_lab import machine
from hostloom_lab.commands import run, wait_until
from hostloom_lab.plan import HostPlan, LabPlan

LIBVIRTD = """\
listen_tls = 0
listen_tcp = 0
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
host_uuid = "{uuid}"
log_level = 3
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
"""
QEMU = """\
user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
remember_owner = 0
"""
#: Another HOME, so that logins do not read the shell start-up files of this machine's user.
SSHD = """\
Port 22
ListenAddress {address}
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
AllowStreamLocalForwarding yes
MaxStartups 100
MaxSessions 100
SetEnv HOME={directory}
"""
DEFAULT_NETWORK = """\
<network><name>default</name><forward mode='nat'/><bridge name='virbr0' stp='on' delay='0'/>
<ip address='192.168.122.1' netmask='255.255.255.0'>
<dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip></network>
"""
MAAS_NETWORK = """\
<network><name>maas</name><forward mode='bridge'/><bridge name='br0'/></network>
"""
POOL = "<pool type='dir'><name>{name}</name><target><path>/var/lib/libvirt/{path}</path></target></pool>\n"
#: The host's directory is below /run, so it is mounted again after /run is covered.
INIT = """\
#!/bin/bash
set -e
hostname {name}
mount --make-rprivate /
mount -t proc proc /proc
mount --bind {directory} /mnt
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/libvirt /run/sshd /run/user /run/dbus {directory}
mount --move /mnt {directory}
mount --bind {directory}/etc-libvirt /etc/libvirt
mount --bind {directory}/lib /var/lib/libvirt
mount --bind {directory}/log /var/log/libvirt
mount --bind {directory}/cache /var/cache/libvirt
mount --bind {directory}/run /run/libvirt
mkdir -p /var/lib/libvirt/images /var/lib/libvirt/fast /var/lib/libvirt/boot /var/lib/libvirt/qemu
mkdir -p /var/lib/libvirt/network /var/lib/libvirt/dnsmasq /var/log/libvirt/qemu /var/cache/libvirt/qemu
echo 1 > /proc/sys/net/ipv4/ip_forward
/usr/sbin/sshd -D -e -f {directory}/sshd_config 2>{directory}/sshd.log &
/usr/sbin/libvirtd &
# Guests that end become children of the first process: it must collect them, which libvirtd would not.
wait $!
"""


def directory_of(plan: LabPlan, host: HostPlan) -> Path:
    """The directory of a host's files."""
    return plan.directory / host.name


def socket_of(plan: LabPlan, host: HostPlan) -> Path:
    """The path of libvirtd's socket on this machine."""
    return directory_of(plan, host) / "run/libvirt-sock"


def uri(plan: LabPlan, host: HostPlan) -> str:
    """The direct URI; Unix sockets cross network namespaces."""
    return f"qemu+unix:///system?socket={socket_of(plan, host)}"


def start(plan: LabPlan, host: HostPlan) -> None:
    """Start a host that is not running; it keeps its earlier files and disks of machines."""
    directory = directory_of(plan, host)
    if machine.is_running(directory):
        return
    machine.stop(host.netns, directory)
    _prepare(plan, host, directory)
    socket_of(plan, host).unlink(missing_ok=True)
    # A power loss empties /run. Files of machines left there would prevent libvirt from starting them again.
    shutil.rmtree(directory / "run/qemu", ignore_errors=True)
    machine.start(host.netns, directory, INIT.format(name=host.name, directory=directory))


def wait(plan: LabPlan, host: HostPlan) -> None:
    """Return when libvirtd answers and sshd listens."""
    wait_until(lambda: answers(plan, host), f"an answer of libvirtd on {host.name}", 30)


def answers(plan: LabPlan, host: HostPlan) -> bool:
    """Whether libvirtd answers."""
    if not socket_of(plan, host).exists():
        return False
    argv = ["virsh", "-c", uri(plan, host), "net-list", "--name"]
    try:
        result = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0 and "default" in result.stdout


def _prepare(plan: LabPlan, host: HostPlan, directory: Path) -> None:
    networks = directory / "etc-libvirt/qemu/networks"
    pools = directory / "etc-libvirt/storage"
    for name in ("lib", "log", "cache", "run"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    for autostart in (networks / "autostart", pools / "autostart"):
        autostart.mkdir(parents=True, exist_ok=True)
    filters = Path("/etc/libvirt/nwfilter")
    if filters.is_dir():
        shutil.copytree(filters, directory / "etc-libvirt/nwfilter", dirs_exist_ok=True)
    (directory / "etc-libvirt/libvirtd.conf").write_text(LIBVIRTD.format(uuid=host.uuid))
    (directory / "etc-libvirt/qemu.conf").write_text(QEMU)
    _autostart(networks, "default", DEFAULT_NETWORK)
    if host.number == 2:
        _autostart(networks, "maas", MAAS_NETWORK)
    _autostart(pools, "default", POOL.format(name="default", path="images"))
    _autostart(pools, "fast", POOL.format(name="fast", path="fast"))
    (directory / "sshd_config").write_text(SSHD.format(address=host.address.ip, directory=directory))
    shutil.copy(plan.directory / "lab_key.pub", directory / "authorized_keys")
    if not (directory / "host_key").exists():
        make_key(directory / "host_key", host.name)


def _autostart(directory: Path, name: str, xml: str) -> None:
    """Define the network and let libvirtd start it; later changes by the host stay."""
    file = directory / f"{name}.xml"
    if not file.exists():
        file.write_text(xml)
        link = directory / "autostart" / file.name
        link.unlink(missing_ok=True)
        # The link is read inside the host, where the directory is /etc/libvirt.
        link.symlink_to(Path("/etc/libvirt") / str(file).partition("/etc-libvirt/")[2])


def make_key(file: Path, comment: str) -> None:
    """An ed25519 key without passphrase."""
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(file)])
