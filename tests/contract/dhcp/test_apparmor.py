"""Every file and program that our Kea uses is one that Debian's AppArmor profile allows it."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.dhcp.embedded import EmbeddedKea
from support.apparmor import Profile, read_profile
from support.dhcp_intents import DB, WEB, a_reservation, a_subnet, a_subnet6, an_intent

pytestmark = pytest.mark.lab

CALLS = "execve,open,openat,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,chmod,bind,connect"
_LINE = re.compile(r"^\d+\s+(\w+)\((.*?)\)\s+= (-?\d+)")
_PATH = re.compile(r'"(/[^"]*)"')


def test_the_rules_are_read_as_apparmor_reads_them(tmp_path: Path) -> None:
    (tmp_path / "profile").write_text("  owner /run/{a,b/c}/x* rw,\n  /etc/k/** r,\n  /l.[0-9]* rwk,\n")
    profile = read_profile(tmp_path / "profile")
    assert profile.allows("/run/a/x1", "rw")
    assert profile.allows("/run/b/c/x", "w")
    assert not profile.allows("/run/a/x/y", "r")
    assert not profile.allows("/run/a/x1", "k")
    assert profile.allows("/etc/k/a/b", "r")
    assert not profile.allows("/etc/k/a", "w")
    assert profile.allows("/l.7", "rwk")
    assert not profile.allows("/lx7", "r")


def used(trace: Path, program: str) -> Iterator[tuple[str, str]]:
    """Paths that the program used from its start on, and how; what was not there does not count."""
    lines = trace.read_text(errors="replace").splitlines()
    begin = next(n for n, line in enumerate(lines) if f'execve("{program}"' in line)
    for line in lines[begin:]:
        match = _LINE.match(line)
        if match is None or match[3].startswith("-"):
            continue
        call, arguments = match[1], match[2]
        for path in _PATH.findall(arguments.split("[")[0] if call == "execve" else arguments):
            yield path, _access(call, arguments)


def _access(call: str, arguments: str) -> str:
    if call == "execve":
        return "m"
    if "O_RDWR" in arguments:
        return "rw"
    return "r" if call.startswith("open") and not re.search("O_WRONLY|O_CREAT", arguments) else "w"


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hostloom-kea-") as name:
        yield Path(name)


@pytest.mark.parametrize("version", [4, 6])
def test_what_kea_uses_is_allowed(directory: Path, version: int) -> None:
    assert shutil.which("strace"), "this test needs strace"
    trace = directory / "trace"
    # -D: the tracer is the one in the background, so that what is stopped is Kea.
    tracing = ["strace", "-D", "-f", "-o", str(trace), "-e", f"trace={CALLS}"]
    kea = EmbeddedKea(directory, wrap={version: tracing})
    kea.start()
    try:
        for mac, last in ((WEB, 50), (DB, 51)):
            four = a_subnet(
                a_reservation(mac, f"10.77.10.{last}"), interface=None, boot_url="http://10.77.10.2:5248/"
            )
            six = a_subnet6(a_reservation(mac, f"2001:db8:77:10::{last}"), interface=None)
            kea.apply(an_intent(four, six))
            kea.leases()
    finally:
        kea.stop()
    program = f"/usr/sbin/kea-dhcp{version}"
    profile: Profile = read_profile(Path(f"/etc/apparmor.d/usr.sbin.kea-dhcp{version}"))
    found = set(used(trace, program))
    assert (f"/etc/kea/kea-dhcp{version}.conf", "r") in found
    assert {path for path, access in found if "w" in access} >= {f"/var/log/kea/kea-dhcp{version}.log"}
    assert [each for each in sorted(found) if not profile.allows(*each)] == []
