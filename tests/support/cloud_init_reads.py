"""Runs inside the system's Python, which has cloud-init: `python3 cloud_init_reads.py FOLDER` reads seeds.

Each folder in FOLDER that has a `network-config` is rendered to `netplan/`, `sysconfig/` and `eni/` in it; of
each that has `user-data` the parts are joined as on a machine, into `merged.yaml`.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cloudinit.cmd.devel import net_convert
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
from cloudinit.user_data import UserDataProcessor

RENDERERS = {"netplan": "debian", "sysconfig": "rhel", "eni": "debian"}


def main(folder: Path) -> None:
    """Read each seed."""
    for network_config in sorted(folder.glob("*/network-config")):
        for renderer, distro in RENDERERS.items():
            target = network_config.parent / renderer
            words = ["-p", network_config, "-k", "yaml", "-d", target, "-D", distro, "-O", renderer]
            in_a_process(convert, [str(word) for word in words])
    for user_data in sorted(folder.glob("*/user-data")):
        merge(user_data.read_text(), user_data.parent / "merged.yaml")


def in_a_process(function: Callable[[list[str]], None], words: list[str]) -> None:
    """Call it in a copy of this process: cloud-init changes its own defaults while it converts."""
    child = os.fork()
    if not child:
        function(words)
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"net-convert {' '.join(words)} failed")


def convert(words: list[str]) -> None:
    """Render a network configuration."""
    net_convert.handle_args("net-convert", net_convert.get_parser().parse_args(words))


def merge(user_data: str, target: Path) -> None:
    """Join the cloud-configs of user-data; other parts are written beside, by their type."""
    paths: Any = SimpleNamespace(get_ipath=lambda _: str(target), get_ipath_cur=lambda _: str(target.parent))
    processor = UserDataProcessor.__new__(UserDataProcessor)
    processor.paths, processor.ssl_details = paths, {}
    handler = CloudConfigPartHandler(paths)
    handler.handle_part(None, "__begin__", None, None, None, None)
    for part in processor.process(user_data).walk():
        content_type, payload = part.get_content_type(), part.get_payload(decode=True)
        if content_type == "text/cloud-config":
            handler.handle_part(None, content_type, part.get_filename() or "", payload.decode(), None, part)
        elif not part.is_multipart():
            target.with_name(content_type.replace("/", "-")).write_bytes(payload)
    handler.handle_part(None, "__end__", None, None, None, None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
