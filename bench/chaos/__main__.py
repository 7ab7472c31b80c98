"""Kill servers in the middle of their work, and hold what is left against the real world.

python bench/chaos [--kills N] [--minutes M] [--seed S] [--postgresql] [--lease SECONDS]
                   [--lab NAME --subnet 10.N.0.0/16]

It makes a lab of three hosts (as root) and takes it down again. On SQLite one server is killed, with
`--postgresql` two servers on one database: at the boundaries of steps, in the middle of requests, before and
after libvirt's and Kea's calls, and while operations unwind. Beside them hosts are read, added and deleted,
DHCP is switched, and operations are cancelled. The same seed draws the same work and the same points; what
happens between threads and processes is not repeatable. Exit code 1: something is wrong, and is printed.
"""

import argparse
import contextlib
import secrets
import sys
import tempfile
import time
from ipaddress import IPv4Network
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from campaign import Campaign

from hostloom_lab.lab import Lab
from support.postgres import running_postgres


def main() -> int:
    """Run a campaign and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--lease", type=float, default=20.0, help="seconds; a release has 20")
    parser.add_argument("--lab", default="chaos")
    parser.add_argument("--subnet", type=IPv4Network)
    parser.add_argument("--keep", action="store_true", help="leave the lab and the server's files")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    lab = Lab(options.lab)
    lab.down()
    lab.up(3, options.subnet)
    with contextlib.ExitStack() as stack:
        if not options.keep:
            stack.callback(lab.down)
        directory = Path(tempfile.mkdtemp(prefix="hostloom-chaos-"))
        print(f"files in {directory}", flush=True)
        url = ""
        if options.postgresql:
            url = stack.enter_context(stack.enter_context(running_postgres()).database())
        campaign = Campaign(
            lab,
            directory,
            options.seed,
            database_url=url,
            lease_s=options.lease,
            say=lambda words: print(words, flush=True),
        )
        stack.callback(campaign.close)
        campaign.describe()
        summary = campaign.run(options.kills, time.monotonic() + options.minutes * 60)
        print(*summary.lines(), sep="\n", flush=True)
        return 1 if summary.wrong else 0


sys.exit(main())
