"""Public SSH keys of users: reading one line of an authorized_keys file (RFC 4253, section 6.6)."""

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

from hostloom.model.errors.values import InvalidValue

MAX_LENGTH = 8192
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 16384
#: Bytes of an uncompressed point of each curve (RFC 5656).
_POINT_BYTES = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
_ED25519_BYTES = 32


@dataclass(frozen=True, slots=True)
class SshPublicKey:
    """A public key: its type, its data and what its owner calls it."""

    kind: str
    #: Base64.
    data: str
    comment: str
    #: As `ssh-keygen -l` shows it: `SHA256:…`.
    fingerprint: str

    @property
    def line(self) -> str:
        """The key as a line of an authorized_keys file."""
        return f"{self.kind} {self.data} {self.comment}".rstrip()


def parse_public_key(text: str, field: str = "public_key") -> SshPublicKey:
    """Read one key: Ed25519, ECDSA, RSA of 2048 bits or more, or one on a security key; else InvalidValue."""
    line = text.strip()
    if len(text) > MAX_LENGTH:
        raise InvalidValue(field, None, f"has {len(text)} characters", f"use at most {MAX_LENGTH}")
    if "PRIVATE KEY" in line:
        # The value is a secret, so that no message repeats it.
        raise InvalidValue(
            field, None, "is a private key", "keep it secret, and give the file that ends in .pub"
        )
    if not line.isprintable():
        raise InvalidValue(field, None, "is not one line of printable text", "give one key at a time")
    kind, _, rest = line.partition(" ")
    data, _, comment = rest.strip().partition(" ")
    if kind not in _CHECKS:
        # The value may be anything, such as the content of a file with a password.
        raise InvalidValue(
            field, None, "does not begin with a type that is accepted", f"use {', '.join(KINDS)}"
        )
    blob = _decode(data, line, field)
    reader = _Reader(blob)
    try:
        is_complete = reader.text() == kind and _CHECKS[kind](reader) and not reader.rest
    except (struct.error, UnicodeDecodeError):
        is_complete = False
    if not is_complete:
        raise InvalidValue(field, line, f"is not a complete key of type {kind}", "copy the whole line again")
    _check_rsa(kind, blob, line, field)
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return SshPublicKey(kind, base64.b64encode(blob).decode(), comment.strip(), f"SHA256:{digest}")


def _decode(data: str, line: str, field: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise InvalidValue(field, line, "has data that is not base64", "copy the whole line again") from None


class _Reader:
    """Reads the fields of a key's data; struct.error where a field is cut off."""

    def __init__(self, blob: bytes) -> None:
        self.rest = blob

    def bytes(self) -> bytes:
        """The next field."""
        (length,) = struct.unpack_from(">I", self.rest)
        field, rest = self.rest[4 : 4 + length], self.rest[4 + length :]
        if len(field) != length:
            raise struct.error("the field is cut off")
        self.rest = rest
        return field

    def text(self) -> str:
        """The next field as text."""
        return self.bytes().decode("ascii")

    def number(self) -> int:
        """The next field as a number, which is not negative."""
        return int.from_bytes(self.bytes(), signed=True)


def _is_ed25519(reader: _Reader) -> bool:
    return len(reader.bytes()) == _ED25519_BYTES


def _is_ecdsa(curve: str) -> Callable[[_Reader], bool]:
    def check(reader: _Reader) -> bool:
        if reader.text() != curve:
            return False
        point = reader.bytes()
        return len(point) == _POINT_BYTES[curve] and point[0] == 4

    return check


def _is_rsa(reader: _Reader) -> bool:
    exponent, modulus = reader.number(), reader.number()
    return exponent >= 3 and exponent % 2 == 1 and modulus > 0 and modulus % 2 == 1


def _on_security_key(check: Callable[[_Reader], bool]) -> Callable[[_Reader], bool]:
    """The key of a device has the application at its end, such as `ssh:`."""
    return lambda reader: check(reader) and bool(reader.text())


_CHECKS: dict[str, Callable[[_Reader], bool]] = {
    "ssh-ed25519": _is_ed25519,
    "ssh-rsa": _is_rsa,
    **{f"ecdsa-sha2-{curve}": _is_ecdsa(curve) for curve in _POINT_BYTES},
    "sk-ssh-ed25519@openssh.com": _on_security_key(_is_ed25519),
    "sk-ecdsa-sha2-nistp256@openssh.com": _on_security_key(_is_ecdsa("nistp256")),
}
#: The accepted types.
KINDS = tuple(_CHECKS)


def _check_rsa(kind: str, blob: bytes, line: str, field: str) -> None:
    """Refuse RSA keys that sshd refuses, or that take it too long."""
    if kind != "ssh-rsa":
        return
    reader = _Reader(blob)
    reader.text()
    reader.number()
    bits = reader.number().bit_length()
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        allowed = f"use {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, or an Ed25519 key"
        raise InvalidValue(field, line, f"is an RSA key of {bits} bits", allowed)
