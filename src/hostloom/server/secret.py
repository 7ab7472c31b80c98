"""The server's secret, in a file that only it can read: it gives secrets of API keys, and encrypts others."""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hostloom.model.errors.server import ConfigError

BYTES = 32
#: Characters of derived secrets.
LENGTH = 32
#: Bytes of a nonce of AES-GCM, which is random for every encryption.
_NONCE = 12


class FileSecrets:
    """Derives secrets by HMAC-SHA256 from the file's bytes, and encrypts stored ones by AES-256-GCM.

    Servers of one database need the same file.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._key = path, _read_or_make(path)
        self._cipher = AESGCM(hmac.new(self._key, b"encryption of stored secrets", hashlib.sha256).digest())

    def derive(self, purpose: str) -> str:
        """32 letters and digits, always the same for a purpose."""
        digest = hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()
        return base64.b32encode(digest).decode()[:LENGTH]

    def encrypt(self, text: str, owner: str) -> str:
        """A text that only `decrypt` with the same owner can read; different at every call."""
        nonce = secrets.token_bytes(_NONCE)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), owner.encode())).decode()

    def decrypt(self, encrypted: str, owner: str) -> str:
        """The text; ConfigError if it was encrypted with another file or for another owner."""
        try:
            data = base64.b64decode(encrypted, validate=True)
            return self._cipher.decrypt(data[:_NONCE], data[_NONCE:], owner.encode()).decode()
        except (ValueError, InvalidTag):
            raise ConfigError(
                "secret_file",
                str(self._path),
                "is not the file that a stored password was encrypted with",
                "restore that file, or set the password again",
            ) from None


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
