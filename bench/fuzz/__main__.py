"""Sends random input to all ports of a server, which must not answer with 500 or log a traceback.

python bench/fuzz [--seconds 600] [--seed 7]

The targets take turns: the native API by its OpenAPI document (schemathesis), MAAS's API by its catalogue,
raw bytes to the API over TCP and to its Unix socket, boot HTTP and TFTP. 502, 503 and 504 are answers about
other machines, and are listed.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from apis import Apis
from sender import Sender, Tally
from server import Server
from sockets import Sockets

#: The longest turn of a target.
SLICE_S = 4.0


def run(sender: Sender, seconds: float) -> dict[str, Tally]:
    """Let the targets take turns until the time is over; returns the answers of each."""
    apis, sockets, server = Apis(sender), Sockets(sender), sender.server
    targets: dict[str, Callable[[Tally, float], None]] = {
        "v1 (schemathesis)": apis.native, "v1 (raw)": apis.native_raw, "MAAS": apis.maas,
        "TCP bytes": sockets.tcp, "socket bytes": sockets.unix, "boot HTTP": sockets.boot,
        "TFTP": sockets.tftp,
    }  # fmt: skip
    tallies = {name: Tally() for name in targets}
    ends_at = time.monotonic() + seconds
    slice_s = min(SLICE_S, seconds / len(targets))
    while time.monotonic() < ends_at:
        for name, target in targets.items():
            if server.process.poll() is not None:
                raise SystemExit(f"the server has ended:\n{server.log.read_text()[-3000:]}")
            target(tallies[name], time.monotonic() + slice_s)
        server.renew()
    return tallies


def report(tallies: dict[str, Tally]) -> None:
    """Print the answers of each target."""
    print(f"{'target':<20}{'requests':>9}{'5xx':>5}{'>10 s':>7}  answers")
    for name, tally in tallies.items():
        answers = " ".join(f"{code}:{count}" for code, count in sorted(tally.statuses.items()))
        wrong = sum(count for code, count in tally.statuses.items() if code >= 500)
        print(f"{name:<20}{tally.requests:>9}{wrong:>5}{tally.slow:>7}  {answers}")
    for name, tally in tallies.items():
        for text, count in tally.others.most_common(8):
            print(f"  {name}: {count} × {text!r}")


def main() -> int:
    """The exit status: 0 if there is no fault."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hostloom-fuzz-") as folder:
        server = Server(Path(folder))
        before = server.rss_mib
        try:
            tallies = run(Sender(server, arguments.seed), arguments.seconds)
        finally:
            after = server.rss_mib
            status = server.stop()
        faults = [fault for tally in tallies.values() for fault in tally.faults] + server.faults()
    report(tallies)
    print(f"memory: {before:.0f} -> {after:.0f} MiB; exit status {status}; faults: {len(faults)}")
    for fault in faults[:50]:
        print(f"FAULT {fault!r}")
    return bool(faults) or status != 0


if __name__ == "__main__":
    sys.exit(main())
