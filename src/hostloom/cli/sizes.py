"""Parses sizes on the command line."""

import re

import typer

_SIZE = re.compile(r"(\d{1,9})(\.\d{1,3})?\s*([MGT]?)(?:iB|B)?", re.IGNORECASE | re.ASCII)
_MIB = {"": 1, "M": 1, "G": 1024, "T": 1024 * 1024}


def parse_memory(text: str, option: str = "--memory") -> int:
    """Convert `2G`, `512M`, `2048` (MiB) or `1.5G` to MiB."""
    match = _SIZE.fullmatch(text.strip())
    mib = 0.0
    if match is not None:
        mib = float(match[1] + (match[2] or "")) * _MIB[match[3].upper()]
    if mib < 1 or mib != int(mib):
        raise typer.BadParameter(f"{text!r} is not a size such as 2G, 512M or 2048 (MiB)", param_hint=option)
    return int(mib)
