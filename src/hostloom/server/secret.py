"""The server's own secret, in a file that only it can read; secrets of API keys follow from it."""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from hostloom.model.errors.server import ConfigError

BYTES = 32
#: Letters and digits of what is derived.
LENGTH = 32


class FileSecrets:
    """Derives by HMAC-SHA256 from the file's bytes; servers of one database need one and the same file."""

    def __init__(self, path: Path) -> None:
        self._key = _read_or_make(path)

    def derive(self, purpose: str) -> str:
        """32 letters and digits, always the same for a purpose."""
        digest = hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()
        return base64.b32encode(digest).decode()[:LENGTH]


def _read_or_make(path: Path) -> bytes:
    """The file's bytes; a file that is not there is made whole or not at all. ConfigError."""
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
        # Of two servers that start at once, the first one's counts.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
