"""The server's secret, in a file that only it can read; secrets of API keys are derived from it."""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from hostloom.model.errors.server import ConfigError

BYTES = 32
#: Characters of derived secrets.
LENGTH = 32


class FileSecrets:
    """Derives secrets by HMAC-SHA256 from the file's bytes; servers of one database need the same file."""

    def __init__(self, path: Path) -> None:
        self._key = _read_or_make(path)

    def derive(self, purpose: str) -> str:
        """32 letters and digits, always the same for a purpose."""
        digest = hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()
        return base64.b32encode(digest).decode()[:LENGTH]


def _read_or_make(path: Path) -> bytes:
    """The file's bytes; a missing file is created atomically. ConfigError."""
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigError("secret_file", str(path), f"cannot be used: {error.strerror}") from error
    if len(secret) < BYTES:
        raise ConfigError(
            "secret_file", str(path), f"has fewer than {BYTES} bytes", "fill it with random bytes"
        )
    return secret


def _make(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(BYTES))
            os.fsync(descriptor)
        # If two servers start at the same time, both use the file of the first one.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
