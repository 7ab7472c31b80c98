"""Whether the UUID of a host identifies it: some vendors ship the same one on every board."""

#: UUIDs that firmware ships in place of one of its own.
_PLACEHOLDERS = frozenset(
    {
        "03000200040005000006000700080009",
        "00020003000400050006000700080009",
        "0123456789abcdef0123456789abcdef",
        "00112233445566778899aabbccddeeff",
        "12345678123456781234567812345678",
        "123456781234123412341234567890ab",
        "12345678123412341234123456789abc",
        "123456781234567890abcddeefaabbcc",
        "4c4c454400002010802080c04f202020",
        "deadbeefdeadbeefdeadbeefdeadbeef",
    }
)
#: A random UUID has about 14 different hexadecimal digits; one with so few was not drawn.
_FEW_DIGITS = 4


def identifying_uuid(text: str) -> str:
    """The UUID in lower case; empty where it identifies no host, or is none."""
    digits = text.strip().lower().replace("-", "")
    is_uuid = len(digits) == 32 and all(digit in "0123456789abcdef" for digit in digits)
    if not is_uuid or digits in _PLACEHOLDERS or len(set(digits)) <= _FEW_DIGITS:
        return ""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
