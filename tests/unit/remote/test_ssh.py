from pathlib import Path

import pytest

from hostloom.remote.address import SshAddress
from hostloom.remote.ssh import Failure, SshCall, as_option, cause, classify, is_from_ssh, key_algorithms


def options_of(argv: list[str]) -> dict[str, str]:
    pairs = (argv[at + 1].partition("=") for at, word in enumerate(argv) if word == "-o")
    return {name: value for name, _, value in pairs}


def test_the_whole_command_line() -> None:
    call = SshCall(SshAddress("2001:db8::5", "root", 2222, "/key"), Path("/state/known_hosts"), Path("/cfg"))
    argv = call.argv({"ControlPath": "/c"}, "id -u")
    assert argv[:7] == ["ssh", "-F", "/cfg", "-p", "2222", "-i", "/key"]
    assert argv[-3:] == ["--", "root@2001:db8::5", "id -u"]
    assert options_of(argv) == {
        "BatchMode": "yes",
        "CheckHostIP": "no",
        "ConnectTimeout": "8",
        "ControlPath": "/c",
        "ControlPersist": "no",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "GlobalKnownHostsFile": "/dev/null",
        "HashKnownHosts": "no",
        "HostKeyAlias": "[2001:db8::5]:2222",
        "IdentitiesOnly": "yes",
        "KnownHostsCommand": "none",
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
        "UserKnownHostsFile": '"/state/known_hosts"',
        "VerifyHostKeyDNS": "no",
    }


def test_what_ssh_config_and_agent_may_choose_is_left_to_them() -> None:
    argv = SshCall(SshAddress("h"), Path("/k")).argv({})
    assert not {"-F", "-p", "-i"} & set(argv)
    assert not {"IdentitiesOnly", "IdentityFile", "HostName", "Port", "ProxyJump"} & options_of(argv).keys()


def test_a_request_to_the_master() -> None:
    call = SshCall(SshAddress("h", "u"), Path("/k"))
    argv = call.control({"ControlPath": "/c"}, "forward", "-L", "/a:/b")
    assert argv == ["ssh", "-o", "ControlPath=/c", "-O", "forward", "-L", "/a:/b", "--", "u@h"]


def test_paths_are_no_patterns() -> None:
    assert as_option(Path("/a b/50%")) == '"/a b/50%%"'


def test_algorithms_of_a_pinned_key() -> None:
    assert key_algorithms("ssh-ed25519") == "ssh-ed25519"
    assert key_algorithms("ssh-rsa") == "rsa-sha2-512,rsa-sha2-256"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", Failure.KEY_CHANGED),
        ("Host key verification failed.", Failure.KEY_CHANGED),
        (
            "Unable to negotiate with h port 22: no matching host key type found. Their offer: ssh-rsa",
            Failure.KEY_CHANGED,
        ),
        ("root@h: Permission denied (publickey).", Failure.REFUSED),
        ("Received disconnect from h port 22:2: Too many authentication failures", Failure.REFUSED),
        ("ssh: connect to host h port 22: Connection refused", Failure.UNREACHABLE),
        ("ssh: Could not resolve hostname h: Name or service not known", Failure.UNREACHABLE),
        ("kex_exchange_identification: Connection closed by remote host", Failure.UNREACHABLE),
        ("", Failure.UNREACHABLE),
    ],
)
def test_what_words_mean(words: str, expected: Failure) -> None:
    assert classify(words) is expected


def test_the_cause_is_ssh_without_the_banner() -> None:
    own = ["Warning: Identity file /k not accessible: gone.", "u@h: Permission denied (publickey)."]
    assert cause("\n".join(["Authorized use only!", *own, ""])) == "; ".join(own)
    assert cause("  odd\nodd\n") == "odd"
    assert cause("\n") == "ssh failed without a word"


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        ("ssh: connect to host h port 22: No route to host", True),
        ("mux_client_request_session: read from master failed: Broken pipe", True),
        ("Connection to h closed by remote host.", True),
        ("err", False),
        ("cat: f: Permission denied", False),
        ("", False),
    ],
)
def test_whose_words(stderr: str, expected: bool) -> None:
    assert is_from_ssh(stderr) is expected
