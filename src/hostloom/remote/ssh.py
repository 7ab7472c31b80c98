"""Builds ssh command lines and interprets ssh's messages."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from hostloom.remote.address import SshAddress

CONNECT_TIMEOUT_S = 8
#: Exit code of ssh for a failed connection (and for a remote command killed by a signal).
SSH_FAILED = 255

# The user's ssh_config determines how to reach a host (HostName, ProxyJump, IdentityFile, agent). These
# options override it: only hostloom's known-hosts file decides about trust, and no call is interactive.
_FIXED = {
    "BatchMode": "yes",
    "CheckHostIP": "no",
    "ConnectTimeout": str(CONNECT_TIMEOUT_S),
    "ControlPersist": "no",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "GlobalKnownHostsFile": "/dev/null",
    "HashKnownHosts": "no",
    "KnownHostsCommand": "none",
    # Lower levels do not log why a negotiation failed or who closed the connection.
    "LogLevel": "INFO",
    "NoHostAuthenticationForLocalhost": "no",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
    "ServerAliveCountMax": "3",
    "ServerAliveInterval": "5",
    "StreamLocalBindUnlink": "yes",
    "StrictHostKeyChecking": "yes",
    "UpdateHostKeys": "no",
    "VerifyHostKeyDNS": "no",
}


@dataclass(frozen=True)
class SshCall:
    """The ssh command line for one host."""

    address: SshAddress
    known_hosts: Path
    #: An ssh_config that replaces the user's and the system's.
    config: Path | None = None

    def argv(self, options: dict[str, str], *arguments: str) -> list[str]:
        """`ssh`, hostloom's options (which `options` override) and the arguments after the destination."""
        settings = _FIXED | {
            # Keys are pinned under the URI's name, regardless of HostName.
            "HostKeyAlias": self.address.known_hosts_name,
            "UserKnownHostsFile": as_option(self.known_hosts),
        }
        if self.address.keyfile is not None:
            settings["IdentitiesOnly"] = "yes"
        argv = self.start()
        for name, value in (settings | options).items():
            argv += ["-o", f"{name}={value}"]
        # Without `--`, ssh would look for options in the command.
        return [*argv, "--", self.address.destination, *arguments]

    def control(self, options: dict[str, str], command: str, *arguments: str) -> list[str]:
        """A control command for the running master: forward, exit, …"""
        control_path = ["-o", f"ControlPath={options['ControlPath']}"]
        return [*self.start(), *control_path, "-O", command, *arguments, "--", self.address.destination]

    def start(self) -> list[str]:
        """`ssh` with the options that determine the destination."""
        argv = ["ssh"]
        if self.config is not None:
            argv += ["-F", str(self.config)]
        if self.address.port is not None:
            argv += ["-p", str(self.address.port)]
        if self.address.keyfile is not None:
            argv += ["-i", self.address.keyfile.replace("%", "%%")]
        return argv


def as_option(path: Path) -> str:
    """A path as the value of an ssh option, with blanks and `%` escaped."""
    return '"' + str(path).replace("%", "%%") + '"'


def key_algorithms(kind: str) -> str:
    """Options that make a host with several keys present the pinned one."""
    return "rsa-sha2-512,rsa-sha2-256" if kind == "ssh-rsa" else kind


class Failure(Enum):
    """Reasons why ssh did not connect."""

    KEY_CHANGED = auto()
    REFUSED = auto()
    UNREACHABLE = auto()


_WORDS = (
    # A host that no longer has a key of the pinned type has also changed its key.
    (
        re.compile(r"HOST IDENTIFICATION HAS CHANGED|Host key verification failed|no matching host key type"),
        Failure.KEY_CHANGED,
    ),
    (
        re.compile(r"Permission denied \(|Authentication failed|Too many authentication failures"),
        Failure.REFUSED,
    ),
)
_OWN_WORDS = re.compile(
    r"(ssh|mux_client\w*|kex_\w+|client_loop|Control socket|Connection (to|closed|reset|timed)"
    r"|Host key verification|Unable to negotiate|Received disconnect|Disconnected from"
    r"|Warning: Identity file|Load key|no such identity|\S+: Permission denied \()"
)


def classify(message: str) -> Failure:
    """Classify ssh's message."""
    return next((failure for mark, failure in _WORDS if mark.search(message)), Failure.UNREACHABLE)


def is_from_ssh(stderr: str) -> bool:
    """Whether ssh, not the remote command, wrote the last line."""
    lines = stderr.strip().splitlines()
    return bool(lines) and _OWN_WORDS.match(lines[-1]) is not None


def cause(message: str) -> str:
    """Messages of ssh in one line, without the host's banner (all lines if none is certainly ssh's)."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    ssh_lines = [line for line in lines if _OWN_WORDS.match(line)]
    return "; ".join(dict.fromkeys(ssh_lines or lines)) or "ssh failed without a word"
