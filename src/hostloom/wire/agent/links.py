"""Links of a host by iproute2, in one network namespace or another."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Names of what the probe puts on a host begin so, and go on with its process id in hexadecimal digits.
PREFIX = "hlp"
#: The probe's own NIC, in its own namespace.
NAME = "probe"
CLONE_NEWNET = 0x40000000
#: On some hosts, programs for administrators are not on the path of a login without a terminal.
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
LIBC = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The interface cannot take a probe."""


class CommandFailed(OSError):
    """A command of iproute2 failed, with its own words."""


class Namespace:
    """The network namespace that this process is in when the object is made."""

    def __init__(self) -> None:
        self._descriptor = os.open("/proc/self/ns/net", os.O_RDONLY)

    def run(self, *argv: str) -> str:
        """Run a command in it, and return what it prints; CommandFailed, PermissionError."""
        environ = dict(os.environ, PATH=f"{os.environ.get('PATH', '')}:{SBIN}")
        try:
            completed = subprocess.run(
                argv,
                check=False,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                env=environ,
                preexec_fn=self._enter,
            )
        except FileNotFoundError:
            raise CommandFailed(f"there is no command {argv[0]} (of iproute2), which a probe needs") from None
        if completed.returncode:
            raise failure(completed.stderr.decode(errors="replace"))
        return completed.stdout.decode(errors="replace")

    def _enter(self) -> None:
        if LIBC.setns(self._descriptor, CLONE_NEWNET) != 0:
            os._exit(126)

    def links(self) -> list[dict[str, Any]]:
        """Every link as iproute2 describes it."""
        # Some versions put empty objects in the place of links that they leave out.
        return [link for link in json.loads(self.run("ip", "-j", "-d", "link", "show")) if "ifname" in link]

    def link(self, name: str) -> dict[str, Any]:
        """One that is there."""
        shown = json.loads(self.run("ip", "-j", "-d", "link", "show", "dev", name))
        return next(link for link in shown if link.get("ifname") == name)

    def silence(self, name: str) -> None:
        """Give a link no IPv6 address of the kernel's own, with which the kernel would speak."""
        with contextlib.suppress(CommandFailed):  # a kernel without IPv6 says nothing anyway
            self.run("ip", "link", "set", "dev", name, "addrgenmode", "none")

    def sweep(self) -> None:
        """Remove what is left of probes whose process is gone."""
        for link in self.links():
            name = link["ifname"]
            if name.startswith(PREFIX) and kind_of(link) == "veth" and not is_alive(name[len(PREFIX) :]):
                with contextlib.suppress(CommandFailed):  # its namespace has just ended, and it with it
                    self.run("ip", "link", "delete", "dev", name)


def failure(stderr: str) -> OSError:
    """The error that a command of iproute2 tells in its last line."""
    text = (stderr.strip().splitlines() or ["it failed"])[-1]
    for prefix in ("RTNETLINK answers: ", "Error: "):
        if text.startswith(prefix):
            text = text[len(prefix) :]
    text = text.rstrip(".")
    if text in (os.strerror(errno.EPERM), os.strerror(errno.EACCES)):
        return PermissionError(errno.EPERM, text)
    return CommandFailed(text)


def kind_of(link: dict[str, Any]) -> str:
    """`bridge`, `veth`, …; empty for a physical one."""
    return str(link.get("linkinfo", {}).get("info_kind", ""))


def is_alive(digits: str) -> bool:
    """Whether the process with these hexadecimal digits runs."""
    try:
        return Path(f"/proc/{int(digits, 16)}").exists()
    except ValueError:
        return False


def unshare() -> None:
    """Enter a namespace of our own, without a name."""
    if LIBC.unshare(CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"no network namespace: {os.strerror(code)}")


def wait_for(ready: Callable[[], object], timeout_s: float, otherwise: str) -> None:
    """Wait until it is so; Refused after that time."""
    until = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > until:
            raise Refused(otherwise)
        time.sleep(0.02)


def check(link: dict[str, Any] | None, kind: str, links: list[dict[str, Any]]) -> dict[str, Any]:
    """The bridge or parent, if a probe may be put there."""
    if link is None:
        raise Refused("this interface does not exist")
    if kind == "bridge":
        check_bridge(link)
    else:
        check_parent(link, links)
    return link


def check_bridge(link: dict[str, Any]) -> None:
    """Refused where no port can be added."""
    if kind_of(link) == "openvswitch":
        raise Refused("Open vSwitch would remember the port of a probe that was killed")
    if kind_of(link) != "bridge":
        raise Refused("it is no bridge")
    if "UP" not in link["flags"]:
        raise Refused("it is down")


def check_parent(link: dict[str, Any], links: list[dict[str, Any]]) -> None:
    """Refused where no macvlan can be added."""
    if link["link_type"] != "ether" or kind_of(link) == "openvswitch":
        raise Refused("no macvlan can be put on it")
    if "master" in link:
        raise Refused(f"it is held by {link['master']}, of which it is a member")
    for other in links:
        is_child = kind_of(other) in ("macvtap", "macvlan") and other.get("link") == link["ifname"]
        if is_child and other["linkinfo"].get("info_data", {}).get("mode") == "passthru":
            raise Refused(f"it is held by {other['ifname']} in mode passthru")
