"""A bare machine on a segment of the lab: QEMU on a port of the switch, on no host that hostloom knows."""

import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from hostloom_lab.commands import inside, ip
from hostloom_lab.lab import Lab

#: A boot sector that says where it is on the first serial port, and stops.
_TEXT = b"HL booted from disk\r\n\0"
_CODE = bytes.fromhex("31c08ed8fc baf803 be167c ac 08c0 7403 ee ebf8 f4 ebfd")
BOOT_SECTOR = (_CODE + _TEXT).ljust(510, b"\0") + b"\x55\xaa"
OVMF = Path("/usr/share/OVMF")


class BareMachine:
    """One NIC, one disk; use it in a `with`."""

    def __init__(
        self, lab: Lab, directory: Path, number: int, *, uefi: bool = False, rom: bool = True
    ) -> None:
        self._lab, self._directory, self._uefi, self._rom = lab, directory, uefi, rom
        self.mac = f"52:54:00:ba:5e:{number:02x}"
        self.uuid = f"ba5eba5e-0000-4000-8000-{number:012x}"
        self.console = directory / f"console-{number}.log"
        self._tap = f"bare{number}"
        self._process: subprocess.Popen[bytes] | None = None
        (directory / "disk.img").write_bytes(BOOT_SECTOR + bytes(2**20 - 512))
        if uefi:
            (directory / "vars.fd").write_bytes((OVMF / "OVMF_VARS_4M.fd").read_bytes())

    def __enter__(self) -> Self:
        switch = self._lab.plan.switch
        ip(switch, [f"tuntap add name {self._tap} mode tap", f"link set {self._tap} master mgmt up"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.switch_off()
        ip(self._lab.plan.switch, [f"link del {self._tap}"])

    def switch_on(self) -> None:
        """From the network first, then from its disk."""
        firmware = []
        if self._uefi:
            code, own = OVMF / "OVMF_CODE_4M.fd", self._directory / "vars.fd"
            firmware = ["-drive", f"if=pflash,format=raw,readonly=on,file={code}"]
            firmware += ["-drive", f"if=pflash,format=raw,file={own}"]
        nic = f"virtio-net-pci,netdev=net,mac={self.mac},bootindex=1"
        argv = [
            *("qemu-system-x86_64", "-machine", "q35,graphics=off" if self._uefi else "pc,graphics=off"),
            *("-accel", "tcg", "-m", "512", "-uuid", self.uuid, "-display", "none", "-vga", "none"),
            *("-serial", f"file:{self.console}", "-monitor", "none", "-nodefaults", *firmware),
            *("-netdev", f"tap,id=net,ifname={self._tap},script=no,downscript=no"),
            *("-device", nic if self._rom else f"{nic},romfile="),
            *("-drive", f"if=none,id=disk,format=raw,file={self._directory / 'disk.img'}"),
            *("-device", "virtio-blk-pci,drive=disk,bootindex=2,serial=S1"),
        ]
        self._process = subprocess.Popen(inside(self._lab.plan.switch, argv))

    def switch_off(self) -> None:
        """Cut its power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def is_on(self) -> bool:
        """Whether it has power."""
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """All that came over its serial console since it was switched on."""
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def wait_for(self, text: str, timeout_s: float = 90) -> None:
        """Wait until it says this."""
        until = time.monotonic() + timeout_s
        while text not in self.said():
            assert time.monotonic() < until, f"{text!r} was not said:\n{self.said()[-3000:]}"
            time.sleep(0.2)
