"""Manages links of a host with iproute2, in any network namespace."""

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

#: Prefix of the probe's links on a host; its process id in hexadecimal digits follows.
PREFIX = "hlp"
#: The probe's NIC in the probe's namespace.
NAME = "probe"
CLONE_NEWNET = 0x40000000
#: On some hosts, a login without a terminal has no administrators' programs on its PATH.
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
LIBC = ctypes.CDLL(None, use_errno=True)


class AgentError(Exception):
    """The interface cannot take a probe."""


class CommandFailed(OSError):
    """A command of iproute2 failed; the text is its error message."""


class Namespace:
    """The network namespace of this process at the time when the object is made."""

    def __init__(self) -> None:
        self._descriptor = os.open("/proc/self/ns/net", os.O_RDONLY)

    def run(self, *argv: str) -> str:
        """Run a command in the namespace and return its output; CommandFailed, PermissionError."""
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
        """All links as iproute2 describes them."""
        # Some versions print empty objects for excluded links.
        return [link for link in json.loads(self.run("ip", "-j", "-d", "link", "show")) if "ifname" in link]

    def link(self, name: str) -> dict[str, Any]:
        """One existing link."""
        rows = json.loads(self.run("ip", "-j", "-d", "link", "show", "dev", name))
        return next(link for link in rows if link.get("ifname") == name)

    def silence(self, name: str) -> None:
        """Disable the kernel's IPv6 addresses on a link, so that the kernel sends nothing."""
        with contextlib.suppress(CommandFailed):  # a kernel without IPv6 says nothing anyway
            self.run("ip", "link", "set", "dev", name, "addrgenmode", "none")

    def sweep(self) -> None:
        """Remove links of probes whose process no longer exists."""
        for link in self.links():
            name = link["ifname"]
            if name.startswith(PREFIX) and kind_of(link) == "veth" and not is_alive(name[len(PREFIX) :]):
                with contextlib.suppress(CommandFailed):  # its namespace has just ended, and it with it
                    self.run("ip", "link", "delete", "dev", name)


def failure(stderr: str) -> OSError:
    """The error in the last line of a command's output."""
    text = (stderr.strip().splitlines() or ["it failed"])[-1]
    for prefix in ("RTNETLINK answers: ", "Error: "):
        if text.startswith(prefix):
            text = text[len(prefix) :]
    text = text.rstrip(".")
    if text in (os.strerror(errno.EPERM), os.strerror(errno.EACCES)):
        return PermissionError(errno.EPERM, text)
    return CommandFailed(text)


def kind_of(link: dict[str, Any]) -> str:
    """The kind of a link: `bridge`, `veth`, …; empty for a physical one."""
    return str(link.get("linkinfo", {}).get("info_kind", ""))


def is_alive(digits: str) -> bool:
    """Whether a process with this hexadecimal id runs."""
    try:
        return Path(f"/proc/{int(digits, 16)}").exists()
    except ValueError:
        return False


def unshare() -> None:
    """Enter a new namespace without a name."""
    if LIBC.unshare(CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"no network namespace: {os.strerror(code)}")


def wait_for(ready: Callable[[], object], timeout_s: float, otherwise: str) -> None:
    """Wait until the condition holds; AgentError at the time limit."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            raise AgentError(otherwise)
        time.sleep(0.02)


def check(link: dict[str, Any] | None, kind: str, links: list[dict[str, Any]]) -> dict[str, Any]:
    """The bridge or parent; AgentError if a probe cannot use it."""
    if link is None:
        raise AgentError("this interface does not exist")
    if kind == "bridge":
        check_bridge(link)
    else:
        check_parent(link, links)
    return link


def check_bridge(link: dict[str, Any]) -> None:
    """Refuse a bridge that cannot take a port."""
    if kind_of(link) == "openvswitch":
        raise AgentError("Open vSwitch would remember the port of a probe that was killed")
    if kind_of(link) != "bridge":
        raise AgentError("it is no bridge")
    if "UP" not in link["flags"]:
        raise AgentError("it is down")


def check_parent(link: dict[str, Any], links: list[dict[str, Any]]) -> None:
    """Refuse a parent that cannot take a macvlan."""
    if link["link_type"] != "ether" or kind_of(link) == "openvswitch":
        raise AgentError("no macvlan can be put on it")
    if "master" in link:
        raise AgentError(f"it is held by {link['master']}, of which it is a member")
    for neighbour in links:
        is_child = kind_of(neighbour) in ("macvtap", "macvlan") and neighbour.get("link") == link["ifname"]
        if is_child and neighbour["linkinfo"].get("info_data", {}).get("mode") == "passthru":
            raise AgentError(f"it is held by {neighbour['ifname']} in mode passthru")
