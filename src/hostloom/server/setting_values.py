"""Parses the values of settings: one parser for each kind of value.

A parser takes the name of the setting and its value: text from a variable, any TOML type from the file.
A parser of lists splits text at commas. Each raises ConfigError for a value that it does not accept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from hostloom.model.errors.server import ConfigError

LOG_LEVELS = ("debug", "info", "warning", "error")
MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Listen:
    """An address and port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_text(name: str, value: Any) -> str:
    """A text as it is."""
    if not isinstance(value, str):
        raise ConfigError(name, value, "is not text")
    return value


def parse_path(name: str, value: Any) -> Path:
    """An absolute path."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value.startswith("/"):
        raise ConfigError(name, value, "is not an absolute path")
    return Path(value)


def _entries(value: Any) -> list[Any] | None:
    """The entries of a list in the file, or of a variable, separated by commas; None: it is no list."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        return None
    stripped = [word.strip() if isinstance(word, str) else word for word in words]
    return [word for word in stripped if word != ""]


def parse_paths(name: str, value: Any) -> tuple[Path, ...]:
    """A list of absolute paths."""
    entries = _entries(value)
    if entries is None:
        raise ConfigError(name, value, "is not a list of absolute paths")
    return tuple(parse_path(name, entry) for entry in entries)


def parse_texts(name: str, value: Any, *, what: str = "texts", allowed: str = "") -> tuple[str, ...]:
    """A list of texts; `what` and `allowed` are for the error."""
    entries = _entries(value)
    if entries is None or not all(isinstance(entry, str) for entry in entries):
        raise ConfigError(name, value, f"is not a list of {what}", allowed)
    return tuple(entries)


def parse_networks(name: str, value: Any) -> tuple[IPv4Network | IPv6Network, ...]:
    """A list of networks."""
    allowed = "write them like 10.0.0.0/16"
    texts = parse_texts(name, value, what="networks", allowed=allowed)
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise ConfigError(name, value, f"is not a list of networks ({error})", allowed) from error


def parse_optional_path(name: str, value: Any) -> Path | None:
    """An absolute path; an empty text is None."""
    return None if value == "" else parse_path(name, value)


def parse_number(low: int, high: int) -> Callable[[str, Any], int]:
    """A parser of whole numbers from `low` to `high`."""

    def parse(name: str, value: Any) -> int:
        text = str(value)
        if (
            isinstance(value, bool)
            or not text.isascii()
            or not text.isdigit()
            or not low <= int(text) <= high
        ):
            raise ConfigError(name, value, "is out of range", f"use {low} to {high}")
        return int(text)

    return parse


def parse_listen(name: str, value: Any) -> Listen:
    """An address and a port."""
    host, _, port = str(value).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= MAX_PORT:
        raise ConfigError(
            name, value, "is not an address and a port", "write it like 127.0.0.1:5240 or [::1]:5240"
        )
    return Listen(host, int(port))


def parse_flag(name: str, value: Any) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise ConfigError(name, value, "is not true or false")
    return bool(value == "true")


def parse_level(name: str, value: Any) -> str:
    """A level of the log."""
    if value not in LOG_LEVELS:
        raise ConfigError(name, value, "is unknown", f"choose {', '.join(LOG_LEVELS)}")
    return str(value)
