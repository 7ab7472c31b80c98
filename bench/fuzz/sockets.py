"""Bytes and packets to the API's sockets and to the boot server."""

import os
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

from sender import PLACES, VALUES, Sender, Tally

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


class Sockets:
    """Targets; each sends until its time is over."""

    def __init__(self, sender: Sender) -> None:
        self._send, self.server, self.chance = sender.send, sender.server, sender.chance

    def tcp(self, tally: Tally, ends_at: float) -> None:
        """Broken requests to the API over TCP."""
        self._bytes(tally, ends_at, lambda: socket.create_connection(("127.0.0.1", self.server.port), 20))

    def unix(self, tally: Tally, ends_at: float) -> None:
        """The same to its Unix socket."""

        def connect() -> socket.socket:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(20)
            connection.connect(str(self.server.socket))
            return connection

        self._bytes(tally, ends_at, connect)

    def _bytes(self, tally: Tally, ends_at: float, connect: Callable[[], socket.socket]) -> None:
        while time.monotonic() < ends_at:
            began = time.monotonic()
            with suppress(OSError), connect() as connection:
                connection.settimeout(2)
                connection.sendall(self._request())
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(65536)
                head = re.match(rb"HTTP/1\.1 (\d{3})", answer)
                status = int(head[1]) if head else 0
                tally.note("bytes", status, answer.decode("latin-1"), time.monotonic() - began)
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
        """Packets. Every packet has a different socket and address, so that the parser reads it."""
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
                    answer = mine.recv(2048)
                    tally.statuses[answer[1]] += 1
                    if b"root:" in answer:
                        tally.faults.append("a file leaked")
