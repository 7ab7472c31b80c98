"""Whatever is sent to any port: a server of its own must answer nothing with 500, and log no traceback.

python bench/fuzz.py [--seconds 600] [--seed 7]

Its targets take turns: the native API by its OpenAPI document (schemathesis), MAAS's API by its catalogue,
raw bytes to the API over TCP and to its socket, boot HTTP and TFTP. 502, 503 and 504 are answers about other
machines, and are listed.
"""

import argparse
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from hostloom.compat.maas2.handlers.resources import CATALOGUE

#: Of one turn.
SLICE_S = 4.0
SLOW_S = 10.0
VALUES = (
    "", "0", "1", "-1", "9" * 20, "9" * 5000, "2147483648", "9223372036854775808", "x", "é", "\u0663",
    "a" * 5000,
    "10.0.0.0/24", "10.0.0.1", "::1", "fe80::1%eth0", "true", "null", "a,b", "[]", "{}", "%",
    "id:1", "undefined", "1e309", "nan", "1.5", " ", "../..", "/etc/passwd", "dynamic", "eth0:vid=1",
    "e0:" + "ip=::1," * 100, "a\x1b[31mb",
    "root:1(default),2", "test:///etc/shadow", "qemu+ssh://-oProxyCommand=x/system", "52:54:00:00:00:01",
)  # fmt: skip
PLACES = ("0", "1", "2", "77", "x", "default", "a b", "-1", "..", "9" * 30, "untagged", "é", "10.0.0.0/24")
KINDS = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json",
    "",
    "a/b; c",
)
BODIES = (
    b"", b"{}", b"[" * 90_000, b'{"a":' * 9000, b"\xff", b"nul", b"[]", b"1e400",
    b'{"name":"' + b"a" * 9000 + b'"}', b'{"id":' + b"9" * 5000 + b"}",
)  # fmt: skip
ODD_HEADERS = ("If-Match", "Idempotency-Key", "Range", "Accept", "X-Forwarded-For")
ODD_VALUES = ('"1"', '"' + "9" * 5000 + '"', "*", "a" * 300, "bytes=0-", "abcdefgh")
HEADERS = (
    b"Host: localhost", b"Host: a\0b", b"Content-Length: -1", b"Content-Length: 99999999999999999999",
    b"Content-Length: 5", b"Expect: 100-continue", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip",
    b"Upgrade: h2c", b": x", b"Connection: Upgrade", b"X: " + b"y" * 2000, b"\xff\xfe: x", b"Cookie: a",
)  # fmt: skip
BOOT = (
    "/boot.ipxe",
    "/boot.ipxe?mac={}",
    "/machine/{}.ipxe",
    "/images/{}/kernel",
    "/boot/{}",
    "/report?mac={}",
)


@dataclass
class Tally:
    """What came of one target."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    slow: int = 0
    #: 500s and what else must not be.
    faults: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def note(self, what: str, status: int, text: str, took_s: float) -> None:
        """One answer."""
        self.requests += 1
        self.statuses[status] += 1
        if took_s > SLOW_S:
            self.slow += 1
            self.others[f"{took_s:.0f} s: {what[:200]}"] += 1
        if status == 500 or status > 504:
            self.faults.append(f"{what}: {status} {text[:300]}")
        elif status > 500:
            self.others[f"{status} {text[:60]}"] += 1


class Server:
    """A server of its own, in a folder of its own, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, folder / "api.sock"
        self.port, self.boot_port, self.tftp_port = _free_ports()
        config = {
            "state_dir": f'"{folder}/state"',
            "socket": f'"{self.socket}"',
            "listen": f'"127.0.0.1:{self.port}"',
            "boot_port": self.boot_port,
            "tftp_port": self.tftp_port,
            "boot_networks": '["127.0.0.0/8"]',
            "test_hosts": "true",
            "max_connections_per_address": 400,
        }
        (folder / "config.toml").write_text("".join(f"{name} = {value}\n" for name, value in config.items()))
        self.log = folder / "log"
        argv = [sys.executable, "-m", "hostloom.cli", "serve", "--config", str(folder / "config.toml")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        self.local = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.socket)), base_url="http://hostloom/api/v1", timeout=30
        )
        ends_at = time.monotonic() + 120
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > ends_at:
                raise SystemExit(f"the server does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.2)
        self.renew()

    def renew(self) -> None:
        """Users, tokens and keys, which what is sent may have deleted."""
        self.local.post("/users", json={"name": "fuzz", "admin": True})
        self.token = self.local.post("/tokens", json={"user": "fuzz"}).json()["text"]
        self.key = self.local.post("/apikeys", json={"user": "fuzz"}).json()["text"]

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return self.local.get("/about").status_code == 200
        return False

    @property
    def rss_mib(self) -> float:
        """Of the process."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", text)
        return int(found[1]) / 1024 if found else 0.0

    def faults(self) -> list[str]:
        """What the log tells that must not be."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line[:300] for line in lines if "Traceback" in line or "unexpected error" in line]

    def stop(self) -> int:
        """In order; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def _free_ports() -> tuple[int, int, int]:
    held = [
        socket.socket(socket.AF_INET, kind)
        for kind in (socket.SOCK_STREAM, socket.SOCK_STREAM, socket.SOCK_DGRAM)
    ]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports[0], ports[1], ports[2]


class Fuzzer:
    """All targets, each with its tally; the same seed sends the same."""

    def __init__(self, server: Server, number: int) -> None:
        self.server, self.chance = server, random.Random(number)  # noqa: S311  (no secret)
        self.http = httpx.Client(timeout=60)
        self.tallies: dict[str, Tally] = {}
        schema = schemathesis.openapi.from_dict(server.local.get("/openapi.json").json())
        self.operations = [found.ok() for found in schema.get_all_operations()]
        self.turns = 0

    def run(self, seconds: float) -> None:
        """Target by target until the time is over."""
        targets: dict[str, Callable[[Tally, float], None]] = {
            "v1 (schemathesis)": self.native, "v1 (raw)": self.native_raw, "MAAS": self.maas,
            "TCP bytes": self.tcp, "socket bytes": self.unix, "boot HTTP": self.boot, "TFTP": self.tftp,
        }  # fmt: skip
        ends_at = time.monotonic() + seconds
        slice_s = min(SLICE_S, seconds / len(targets))
        while time.monotonic() < ends_at:
            for name, target in targets.items():
                if self.server.process.poll() is not None:
                    raise SystemExit(f"the server is gone:\n{self.server.log.read_text()[-3000:]}")
                target(self.tallies.setdefault(name, Tally()), time.monotonic() + slice_s)
            self.server.renew()

    def _send(self, tally: Tally, method: str, url: str, **how: Any) -> None:
        began = time.monotonic()
        try:
            found = self.http.request(method, url, **how)
        except httpx.InvalidURL:
            return
        except httpx.TimeoutException:
            tally.slow += 1
            tally.faults.append(f"{method} {url[:200]}: no answer within a minute")
            return
        except (httpx.HTTPError, UnicodeError, ValueError):
            tally.statuses[0] += 1  # what the client itself cannot send, or a connection that was ended
            return
        tally.note(
            f"{method} {url[:200]} {str(how)[:300]}", found.status_code, found.text, time.monotonic() - began
        )

    # -- the native API ------------------------------------------------------------------------------------

    def native(self, tally: Tally, ends_at: float) -> None:
        """Cases of the document, each operation in turn."""
        while time.monotonic() < ends_at:
            operation = self.operations[self.turns % len(self.operations)]
            self.turns += 1
            self._operation(tally, operation)

    def _operation(self, tally: Tally, operation: Any) -> None:
        headers = {"Authorization": f"Bearer {self.server.token}"}
        base = f"http://127.0.0.1:{self.server.port}"

        @seed(self.chance.randrange(2**32))
        @settings(
            max_examples=4, deadline=None, database=None, phases=[Phase.generate], verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def one(case: schemathesis.Case) -> None:
            began = time.monotonic()
            if case.path.endswith("/events"):
                return  # a stream
            try:
                found = case.call(base_url=base, headers=headers, timeout=60)
            except Exception as error:  # noqa: BLE001  (the client cannot send it)
                tally.others[type(error).__name__] += 1
                return
            tally.note(f"{case.method} {case.path}", found.status_code, found.text, time.monotonic() - began)

        one()

    def native_raw(self, tally: Tally, ends_at: float) -> None:
        """Odd values in paths, queries and bodies."""
        chance, base = self.chance, f"http://127.0.0.1:{self.server.port}"
        while time.monotonic() < ends_at:
            operation = chance.choice(self.operations)
            path = re.sub(
                r"{\w+}", lambda _: quote(chance.choice(PLACES + VALUES)[:300], safe=""), operation.path
            )
            if path.endswith("/events") and "operations" in path:
                continue
            names = [each.name for each in operation.query] if chance.random() < 0.5 else []
            query = {name: chance.choice(VALUES)[:2000] for name in names}
            body = chance.choice(BODIES)
            headers = {"Authorization": f"Bearer {self.server.token}", "Content-Type": "application/json"}
            if chance.random() < 0.2:
                headers[chance.choice(ODD_HEADERS)] = chance.choice(ODD_VALUES)
            method = operation.method.upper()
            content = None if method == "GET" else body
            self._send(tally, method, base + path, params=query, content=content, headers=headers)

    # -- MAAS's API ----------------------------------------------------------------------------------------

    def maas(self, tally: Tally, ends_at: float) -> None:
        """Actions of the catalogue with odd values."""
        chance, base = self.chance, f"http://127.0.0.1:{self.server.port}/MAAS/api/2.0/"
        while time.monotonic() < ends_at:
            resource = chance.choice(CATALOGUE.resources)
            if not resource.actions:
                continue
            action = chance.choice(list(resource.actions.values()))
            path = re.sub(r"{\w+}", lambda _: quote(chance.choice(PLACES), safe=""), resource.path)
            names = [each.name for each in action.params]
            fields = {
                name: chance.choice(VALUES) for name in chance.sample(names, chance.randint(0, len(names)))
            }
            headers = {"Authorization": self._signed()}
            query = {"op": action.op} if action.op else {}
            if action.method in ("GET", "DELETE"):
                short = {name: value[:1000] for name, value in fields.items()}
                self._send(tally, action.method, base + path, params={**query, **short}, headers=headers)
            elif chance.random() < 0.2:
                headers["Content-Type"] = chance.choice(KINDS)
                body = chance.choice(
                    (b"\xff" * 900, b"--x\r\n" * 500, b"=&" * 4000, b"a=" + b"b" * 90_000, b"\0")
                )
                self._send(tally, action.method, base + path, params=query, content=body, headers=headers)
            else:
                self._send(tally, action.method, base + path, params=query, data=fields, headers=headers)

    def _signed(self) -> str:
        consumer, token, secret = self.server.key.split(":")
        if self.chance.random() < 0.05:
            return self.chance.choice(
                ("OAuth ", "OAuth x", "Basic eDp5", 'OAuth oauth_token="' + "a" * 3000 + '"', ",")
            )
        return (
            f'OAuth oauth_version="1.0", oauth_nonce="{self.chance.getrandbits(64)}", '
            f'oauth_timestamp="{int(time.time())}", oauth_consumer_key="{consumer}", oauth_token="{token}", '
            f'oauth_signature_method="PLAINTEXT", oauth_signature="%26{secret}"'
        )

    # -- bytes ---------------------------------------------------------------------------------------------

    def tcp(self, tally: Tally, ends_at: float) -> None:
        """Requests that are hardly any, to the API over TCP."""
        self._bytes(tally, ends_at, lambda: socket.create_connection(("127.0.0.1", self.server.port), 20))

    def unix(self, tally: Tally, ends_at: float) -> None:
        """The same to its socket."""

        def connect() -> socket.socket:
            found = socket.socket(socket.AF_UNIX)
            found.settimeout(20)
            found.connect(str(self.server.socket))
            return found

        self._bytes(tally, ends_at, connect)

    def _bytes(self, tally: Tally, ends_at: float, connect: Callable[[], socket.socket]) -> None:
        while time.monotonic() < ends_at:
            began = time.monotonic()
            with suppress(OSError), connect() as connection:
                connection.settimeout(2)
                connection.sendall(self._request())
                connection.shutdown(socket.SHUT_WR)
                found = connection.recv(65536)
                head = re.match(rb"HTTP/1\.1 (\d{3})", found)
                status = int(head[1]) if head else 0
                tally.note("bytes", status, found.decode("latin-1"), time.monotonic() - began)
                continue
            tally.requests += 1
            tally.statuses[0] += 1

    def _request(self) -> bytes:
        chance = self.chance
        path = chance.choice(
            (b"/healthz", b"/api/v1/hosts", b"/MAAS/x", b"*", b"http://a/b", b"/%00", b"/" + b"a" * 9000)
        )
        method = chance.choice((b"GET", b"POST", b"PUT", b"CONNECT", b"BREW", b"\xff", b"get"))
        lines = [method + b" " + path + b" HTTP/1." + chance.choice((b"1", b"0", b"9"))]
        words = (
            *HEADERS,
            b"Authorization: Bearer " + self.server.token.encode(),
            b"Authorization: OAuth a=b",
        )
        lines += chance.choices(words, k=chance.choice((0, 1, 3, 300)))
        body = chance.choice(
            (b"", b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n", b"-1\r\n", os.urandom(500))
        )
        whole = b"\r\n".join(lines) + b"\r\n\r\n" + body
        return (
            whole
            if chance.random() < 0.8
            else whole[: chance.randrange(len(whole))] + bytes(chance.randbytes(20))
        )

    # -- boot ----------------------------------------------------------------------------------------------

    def boot(self, tally: Tally, ends_at: float) -> None:
        """Scripts, files and reports."""
        chance, base = self.chance, f"http://127.0.0.1:{self.server.boot_port}"
        while time.monotonic() < ends_at:
            path = chance.choice(BOOT).replace("{}", quote(chance.choice(VALUES + PLACES)[:300], safe=""))
            headers = {"Authorization": f"Bearer {chance.choice(('x', 'a' * 32, 'a' * 400))}"}
            if chance.random() < 0.6:
                self._send(tally, "GET", base + path, headers=headers)
                continue
            headers["Content-Type"] = chance.choice(("application/json", "text/plain", ""))
            body = chance.choice(
                (b"", b"{}", b"[" * 9000, b"\xff", b'{"nics":[{}]}', b"mac=1&mac=2", b"x" * 600_000)
            )
            url = base + chance.choice(("/commissioning", "/report", path))
            self._send(tally, "POST", url, content=body, headers=headers)

    def tftp(self, tally: Tally, ends_at: float) -> None:
        """A socket and an address of its own for each packet, so that each meets the parser."""
        chance = self.chance
        while time.monotonic() < ends_at:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine:
                mine.bind(
                    (f"127.{chance.randrange(1, 255)}.{chance.randrange(256)}.{chance.randrange(1, 255)}", 0)
                )
                mine.settimeout(0.05)
                name = chance.choice((b"undionly.kpxe", b"../../etc/passwd", b"", b"\xff", b"a" * 400))
                words = chance.choice(
                    (b"", b"blksize\x001448\0", b"blksize\x00-1\0", b"tsize\0" + b"9" * 300 + b"\0", b"x\0")
                )
                packet = bytes([0, chance.randrange(8)]) + name + b"\0octet\0" + words
                if chance.random() < 0.3:
                    packet = chance.randbytes(chance.randrange(600))
                mine.sendto(packet, ("127.0.0.1", self.server.tftp_port))
                tally.requests += 1
                with suppress(OSError):
                    found = mine.recv(2048)
                    tally.statuses[found[1]] += 1
                    if b"root:" in found:
                        tally.faults.append("a file leaked")


def main() -> int:
    """The exit status: 0 where nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hostloom-fuzz-") as folder:
        server = Server(Path(folder))
        before = server.rss_mib
        fuzzer = Fuzzer(server, arguments.seed)
        try:
            fuzzer.run(arguments.seconds)
        finally:
            after = server.rss_mib
            status = server.stop()
        faults = [fault for tally in fuzzer.tallies.values() for fault in tally.faults] + server.faults()
        print(f"{'target':<20}{'requests':>9}{'5xx':>5}{'>10 s':>7}  answers")
        for name, tally in fuzzer.tallies.items():
            answers = " ".join(f"{code}:{count}" for code, count in sorted(tally.statuses.items()))
            wrong = sum(count for code, count in tally.statuses.items() if code >= 500)
            print(f"{name:<20}{tally.requests:>9}{wrong:>5}{tally.slow:>7}  {answers}")
        for name, tally in fuzzer.tallies.items():
            for text, count in tally.others.most_common(8):
                print(f"  {name}: {count} × {text!r}")
        print(f"memory: {before:.0f} -> {after:.0f} MiB; exit status {status}; faults: {len(faults)}")
        for fault in faults[:50]:
            print(f"FAULT {fault!r}")
        return bool(faults) or status != 0


if __name__ == "__main__":
    sys.exit(main())
