"""The emulators of BMCs that OpenStack's developers use, each as a process of its own."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import httpx

from support.fake_power import PASSWORD
from support.sshd import free_port
from support.waiting import wait_until

START_S = 30
USER = "admin"
#: virtualbmc reads its password from standard input, so that no process list shows it.
_IPMI = """
import json, sys
from virtualbmc.vbmc import VirtualBMC
VirtualBMC(**json.load(sys.stdin)).listen()
"""


@contextmanager
def ipmi_bmc(libvirt_uri: str, domain: str, *, prefix: Sequence[str] = ()) -> Iterator[int]:
    """A BMC with IPMI for a domain, on 127.0.0.1; gives its UDP port. `prefix` runs it elsewhere."""
    port = free_port(socket.SOCK_DGRAM)
    values = {"username": USER, "password": PASSWORD, "port": port, "address": "127.0.0.1"}
    values |= {"domain_name": domain, "libvirt_uri": libvirt_uri}
    argv = [*prefix, sys.executable, "-W", "ignore", "-c", _IPMI]
    with _process(argv, json.dumps(values)) as process:
        _wait(process, lambda: _is_bound(port))
        yield port


@contextmanager
def redfish_bmc(libvirt_uri: str, directory: Path) -> Iterator[str]:
    """A BMC with Redfish for all domains of a libvirt host; gives its URL."""
    port = free_port()
    users, config = directory / "users", directory / "emulator.conf"
    directory.joinpath("state").mkdir()
    users.write_text(f"{USER}:{bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}\n")
    settings: Mapping[str, object] = {
        "SUSHY_EMULATOR_LISTEN_IP": "127.0.0.1",
        "SUSHY_EMULATOR_LISTEN_PORT": port,
        "SUSHY_EMULATOR_LIBVIRT_URI": libvirt_uri,
        "SUSHY_EMULATOR_AUTH_FILE": str(users),
        "SUSHY_EMULATOR_STATE_DIR": str(directory / "state"),
    }
    config.write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
    argv = [str(Path(sys.executable).with_name("sushy-emulator")), "--config", str(config)]
    url = f"http://127.0.0.1:{port}"
    with _process(argv, "") as process:
        _wait(process, lambda: _answers(url))
        yield url


@contextmanager
def _process(argv: Sequence[str], stdin: str) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(process: "subprocess.Popen[str]", is_ready: Callable[[], bool]) -> None:
    def is_up() -> bool:
        assert process.poll() is None, f"the emulator did not start: {process.args!r}"
        return is_ready()

    wait_until(is_up, "the emulator answers", START_S)


def _is_bound(port: int) -> bool:
    return any(f":{port:04X} " in Path(table).read_text() for table in ("/proc/net/udp", "/proc/net/udp6"))


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/redfish/v1/").status_code == 200
    except httpx.TransportError:
        return False
