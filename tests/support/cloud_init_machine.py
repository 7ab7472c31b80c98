"""Lets cloud-init configure a copy of this machine with a seed: `cloud_init_machine.py FOLDER`, as root.

It runs inside namespaces of its own (`NAMESPACES`), and every change is made to an overlay in memory. FOLDER
has the files of the seed; `outcome.json` is written beside them.
"""

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

NAMESPACES = ("unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--mount-proc")
#: In the order of a boot, as the units of systemd run them.
STAGES = (("init", "--local"), ("init",), ("modules", "--mode=config"), ("modules", "--mode=final"))
STAGE_TIMEOUT_S, REPORT_TIMEOUT_S = 120, 60
PORT = 5248
MAC = "52:54:00:12:34:00"
SHOWN = (
    "etc/hostname",
    "etc/hosts",
    "etc/netplan/50-cloud-init.yaml",
    "etc/passwd",
    "run/cloud-init/result.json",
)


def main(folder: Path) -> None:
    """Run the stages, wait for the report, and write down what has become of the machine."""
    root = _make_root(folder)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "wrong9", "address", MAC, "type", "veth", "peer", "name", "cable")
    reports: list[dict[str, Any]] = []
    reported = threading.Event()
    server = HTTPServer(("127.0.0.1", PORT), _handler(reports, reported))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for stage in STAGES:
        # A stage that finds errors ends with an exit code, and the next one runs nevertheless.
        argv = ["chroot", str(root), "cloud-init", *stage]
        subprocess.run(argv, timeout=STAGE_TIMEOUT_S, stdin=subprocess.DEVNULL, check=False)
    reported.wait(REPORT_TIMEOUT_S)
    scripts = _scripts_left(root)
    files = {name: (root / name).read_text() for name in SHOWN if (root / name).exists()}
    keys = {
        str(file.relative_to(root)): file.read_text() for file in root.glob("home/*/.ssh/authorized_keys")
    }
    made = sorted(str(file.relative_to(root)) for file in root.glob("made-by-*"))
    links = json.loads(run("ip", "-j", "link"))
    outcome = {"files": files | keys, "made": made, "scripts": scripts, "reports": reports, "links": links}
    (folder / "outcome.json").write_text(json.dumps(outcome))


def _scripts_left(root: Path) -> list[str]:
    """The programs that run at every boot, once the one that reported had the time to delete itself."""
    until = time.monotonic() + REPORT_TIMEOUT_S
    while scripts := [file.name for file in root.glob("var/lib/cloud/scripts/per-boot/*")]:
        if time.monotonic() > until:
            break
        time.sleep(0.05)
    return scripts


def _make_root(folder: Path) -> Path:
    """A root file system over this machine's own, with the seed."""
    memory = folder / "memory"
    memory.mkdir()
    run("mount", "-t", "tmpfs", "tmpfs", str(memory))
    root, upper, work = (memory / name for name in ("root", "upper", "work"))
    for path in (root, upper, work):
        path.mkdir()
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", str(root))
    for kind, name in (("proc", "proc"), ("sysfs", "sys"), ("tmpfs", "run"), ("tmpfs", "dev")):
        run("mount", "-t", kind, kind, str(root / name))
    for name in ("null", "zero", "urandom", "random"):
        (root / "dev" / name).touch()
        run("mount", "--bind", f"/dev/{name}", str(root / "dev" / name))
    # There is no udev that could name the NICs; cloud-init renames them itself.
    udevadm = root / "usr/bin/udevadm"
    udevadm.unlink(missing_ok=True)
    udevadm.write_text("#!/bin/sh\n")
    udevadm.chmod(0o755)
    run("rm", "-rf", str(root / "var/lib/cloud"))
    seed = root / "var/lib/cloud/seed/nocloud"
    seed.mkdir(parents=True)
    for name in ("meta-data", "user-data", "network-config"):
        (seed / name).write_text((folder / name).read_text())
    (root / "etc/cloud/cloud.cfg.d/99-test.cfg").write_text("datasource_list: [NoCloud]\n")
    return root


def _handler(reports: list[dict[str, Any]], reported: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reports.append({"path": self.path, "authorization": self.headers["Authorization"], "body": body})
            self.send_response(204)
            self.end_headers()
            reported.set()

    return Handler


def run(*argv: str) -> str:
    """What a program prints; it must succeed."""
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
