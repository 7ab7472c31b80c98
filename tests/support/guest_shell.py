"""A shell in a lab guest, over its serial console."""

import os
import re
import select
import subprocess
import time


class GuestShell:
    """Types commands into the guest's console and reads what they print.

    The console is a pseudo-terminal of this machine: all namespaces of the lab share one /dev/pts.
    """

    def __init__(self, uri: str, name: str) -> None:
        argv = ["virsh", "-c", uri, "ttyconsole", name]
        path = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
        self._console = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.run("true", timeout_s=60)

    def run(self, command: str, timeout_s: float = 20) -> int:
        """The command's exit code."""
        self._read(0)
        os.write(self._console, f"\n{command}; echo RC=$?=\n".encode())
        text, until = "", time.monotonic() + timeout_s
        while (found := re.search(r"\nRC=(\d+)=", text)) is None:
            assert time.monotonic() < until, f"`{command}` did not end in the guest: {text[-300:]}"
            text += self._read(0.2).replace("\r", "")
        return int(found[1])

    def pings(self, ip: str) -> bool:
        """Whether an address answers."""
        return self.run(f"ping -c 2 -W 1 {ip} >/dev/null 2>&1") == 0

    def close(self) -> None:
        """Leave the console."""
        os.close(self._console)

    def _read(self, wait_s: float) -> str:
        found = b""
        while select.select([self._console], [], [], wait_s)[0]:
            found += os.read(self._console, 65536)
            wait_s = 0
        return found.decode(errors="replace")
