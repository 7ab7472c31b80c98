"""The user-data of MAAS's clients: Base64, and compressed by some, such as Juju."""

import binascii
import zlib
from base64 import b64decode

from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import Fault, bad_field
from hostloom.decide.deploy.user_data import MAX_USER_DATA_BYTES

_FIELD = "user_data"
_GZIP = b"\x1f\x8b"
#: For zlib: data with gzip's header.
_GZIP_BITS = 16 + zlib.MAX_WBITS
#: Base64 makes four characters of three bytes, and clients break its lines.
_MAX_CHARACTERS = 2 * MAX_USER_DATA_BYTES


def read_user_data(form: Form) -> str:
    """Return the text; empty for an absent field. Raises 400 for what is not Base64, too long or no text."""
    value = form.text(_FIELD)
    encoded = form.files[_FIELD] if value is None and _FIELD in form.files else (value or "").encode()
    if len(encoded) > _MAX_CHARACTERS:
        raise _too_long()
    try:
        content = b64decode(b"".join(encoded.split()), validate=True)
    except binascii.Error:
        raise bad_field(_FIELD, "Enter user-data that is encoded as Base64.") from None
    if content.startswith(_GZIP):
        content = _unpack(content)
    if len(content) > MAX_USER_DATA_BYTES:
        raise _too_long()
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise bad_field(_FIELD, "It is not text in UTF-8.") from None


def _unpack(content: bytes) -> bytes:
    """Unpack gzip, but never more than one byte above the limit."""
    stream = zlib.decompressobj(_GZIP_BITS)
    try:
        text = stream.decompress(content, MAX_USER_DATA_BYTES + 1)
    except zlib.error:
        raise bad_field(_FIELD, "It begins like gzip, but cannot be unpacked.") from None
    if len(text) <= MAX_USER_DATA_BYTES and not stream.eof:
        raise bad_field(_FIELD, "It is gzip that ends too early.")
    return text


def _too_long() -> Fault:
    return bad_field(
        _FIELD, f"It is too long: hostloom takes {MAX_USER_DATA_BYTES} bytes when it is unpacked."
    )
