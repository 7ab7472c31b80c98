"""From a machine's start to its report, beside bare libvirt and a static Kea, in one run (needs root).

python bench/netboot.py [COUNT…]: so many machines at once, by default 1, 2, 4 and 8, in a lab named `bench`
(LAB_SUBNET gives it another /16). The same domains are started both times.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Network
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import libvirt

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostloom.images.directory import ImageDirectory
from hostloom_lab import guest
from hostloom_lab.lab import Lab
from support.rig import BOOT_PORT, Rig, wait_until

FLOOR_PORT = 5299
SCRIPT = """\
#!ipxe
kernel {url}/kernel console=ttyS0 initrd=initrd quiet mitigations=off \
hl.action=commission hl.url={url} hl.token=floor hl.name=floor BOOTIF=${{netX/mac}}
initrd --name initrd {url}/initrd
boot
"""


class Floor(SimpleHTTPRequestHandler):
    """Files, and a line in `reports` for each machine that reports."""

    def do_POST(self) -> None:
        """Take a report and let the machine stay."""
        report = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with Path("reports").open("a") as file:
            file.write(f"{report['nics'][0]['mac']} {time.time()}\n")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"next": "stay"}')


def kea(lab: Lab, command: str, **arguments: Any) -> Any:
    """What Kea answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(lab.kea_socket))
        connection.sendall(json.dumps({"command": command, "arguments": arguments}).encode())
        connection.shutdown(socket.SHUT_WR)
        answer = json.loads(b"".join(iter(lambda: connection.recv(65536), b"")))
    assert answer["result"] == 0, answer
    return answer.get("arguments")


@contextmanager
def floor(lab: Lab, image: Path) -> Iterator[Path]:
    """Kea as hostloom has set it, but for where the script is; kernel, initramfs and script as files."""
    url = f"http://{lab.plan.rack_address('mgmt')}:{FLOOR_PORT}"
    config = kea(lab, "config-get")
    text = json.dumps({"Dhcp4": config["Dhcp4"]}).replace(f":{BOOT_PORT}/", f":{FLOOR_PORT}/")
    kea(lab, "config-set", **json.loads(text))
    with tempfile.TemporaryDirectory() as name:
        files = Path(name)
        for each in ("kernel", "initrd"):
            (files / each).symlink_to(image / each)
        (files / "boot.ipxe").write_text(SCRIPT.format(url=url))
        (files / "reports").touch()
        argv = lab.in_rack([sys.executable, __file__, "--serve"])
        server = subprocess.Popen(argv, cwd=files, stderr=subprocess.DEVNULL)
        try:
            yield files / "reports"
        finally:
            server.terminate()
            server.wait()
            kea(lab, "config-set", Dhcp4=config["Dhcp4"])


def boot(rig: Rig, machines: list[Any], reported: Callable[[Any], float | None]) -> list[float]:
    """Seconds from the start of each to its report."""
    began, took = {}, {}
    domains = []
    for machine in machines:
        domain = libvirt.open(rig.lab.uri_unix(machine["host"])).lookupByName(machine["hostname"])
        domains.append(domain)
        began[machine["hostname"]] = time.time()
        domain.create()

    def all_there() -> bool:
        for machine in machines:
            if machine["hostname"] not in took and (at := reported(machine)):
                took[machine["hostname"]] = at - began[machine["hostname"]]
        return len(took) == len(machines)

    try:
        wait_until(all_there, "every report", 300)
    finally:
        for domain in domains:
            domain.destroy()
    return sorted(took.values())


def measure(rig: Rig, image: Path, count: int) -> None:
    """One line."""
    names = [f"boot{count}-{number}" for number in range(count)]
    for number, name in enumerate(names):
        where = ("--host", f"kvm{number % 2 + 1}", "--interfaces", "eth0:space=mgmt", "--no-start")
        rig.run("machine", "compose", "--name", name, *where, "--memory", "256M", "--storage", "root:1")
    machines = [rig.get("machine", "show", name) for name in names]
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(rig.socket)), base_url="http://api") as api:

        def of_server(machine: Any) -> float | None:
            at: float | None = api.get(f"/api/v1/machines/{machine['hostname']}").json()["commissioned_at"]
            return at

        ours = boot(rig, machines, of_server)
    with floor(rig.lab, image) as reports:

        def of_floor(machine: Any) -> float | None:
            lines = dict(line.split() for line in reports.read_text().splitlines())
            at = lines.get(machine["interfaces"][0]["mac"])
            return None if at is None else float(at)

        bare = boot(rig, machines, of_floor)
    print(
        f"{count} at once:  hostloom median {median(ours):5.1f} s, last {ours[-1]:5.1f} s",
        f"bare median {median(bare):5.1f} s, last {bare[-1]:5.1f} s",
        f"{ours[-1] / bare[-1]:4.2f} x",
        sep="  ",
        flush=True,
    )
    rig.decompose(*names)


def main() -> None:
    """Measure in a lab of our own."""
    if sys.argv[1:] == ["--serve"]:
        ThreadingHTTPServer(("0.0.0.0", FLOOR_PORT), Floor).serve_forever()  # noqa: S104  (inside the lab)
    guest.build()
    images = ImageDirectory(guest.image_directory(), time.time)
    image = guest.image_directory() / images.list()[0].name
    lab = Lab("bench")
    lab.down()
    subnet = os.environ.get("LAB_SUBNET")
    lab.up(2, IPv4Network(subnet) if subnet else None)
    with tempfile.TemporaryDirectory() as name:
        rig = Rig(lab, Path(name))
        try:
            rig.start({"image_dir": str(guest.image_directory()), "boot_kernel": "", "boot_initrd": ""})
            rig.describe()
            for count in [int(each) for each in sys.argv[1:]] or [1, 2, 4, 8]:
                measure(rig, image, count)
        finally:
            rig.stop()
            lab.down()


if __name__ == "__main__":
    main()
