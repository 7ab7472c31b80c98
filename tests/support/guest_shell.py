"""A shell in a lab guest, over its serial console."""

import re
import time

import libvirt


class GuestShell:
    """Types commands into the guest's console and reads what they print."""

    def __init__(self, uri: str, name: str) -> None:
        self._connection = libvirt.open(uri)
        self._stream = self._connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        self._connection.lookupByName(name).openConsole(None, self._stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        self.run("true", timeout_s=60)

    def run(self, command: str, timeout_s: float = 20) -> int:
        """The command's exit code."""
        self._read()
        self._stream.send(f"\n{command}; echo RC=$?=\n".encode())
        text, until = "", time.monotonic() + timeout_s
        while (found := re.search(r"\nRC=(\d+)=", text)) is None:
            assert time.monotonic() < until, f"`{command}` did not end in the guest: {text[-300:]}"
            text += self._read().replace("\r", "")
            time.sleep(0.05)
        return int(found[1])

    def pings(self, ip: str) -> bool:
        """Whether an address answers."""
        return self.run(f"ping -c 2 -W 1 {ip} >/dev/null 2>&1") == 0

    def close(self) -> None:
        """Leave the console."""
        self._stream.abort()
        self._connection.close()

    def _read(self) -> str:
        found = b""
        while isinstance(data := self._stream.recv(65536), bytes) and data:
            found += data
        return found.decode(errors="replace")
