"""Public SSH keys are read as ssh-keygen reads them."""

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.model.errors.values import InvalidValue
from hostloom.model.ssh_public_key import MAX_LENGTH, parse_public_key
from support.depth import examples
from support.seeds import KEY

KINDS = [
    ("ed25519", "256"),
    ("rsa", "2048"),
    ("rsa", "3072"),
    ("ecdsa", "256"),
    ("ecdsa", "384"),
    ("ecdsa", "521"),
]
#: Of security keys, which ssh-keygen cannot make without the device.
SK_ED25519 = (
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAABAgMEBQYHCAkKCwwN"
    "Dg8QERITFBUWFxgZGhscHR4fAAAABHNzaDo= ann"
)


def generated(folder: Path, kind: str, bits: str, comment: str = "ann@laptop") -> str:
    argv = ["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-C", comment, "-f", str(folder / "key")]
    subprocess.run(argv, check=True, timeout=60)
    return (folder / "key.pub").read_text()


def fingerprint(folder: Path, line: str) -> str:
    (folder / "shown.pub").write_text(line)
    argv = ["ssh-keygen", "-l", "-f", str(folder / "shown.pub")]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout.split()[1]


@pytest.mark.parametrize(("kind", "bits"), KINDS)
def test_a_key_of_ssh_keygen_is_accepted_with_its_fingerprint(tmp_path: Path, kind: str, bits: str) -> None:
    line = generated(tmp_path, kind, bits)
    key = parse_public_key(line)
    assert (key.line, key.comment) == (line.strip(), "ann@laptop")
    assert key.fingerprint == fingerprint(tmp_path, line)


def test_a_key_on_a_security_key_is_accepted(tmp_path: Path) -> None:
    key = parse_public_key(SK_ED25519)
    assert key.fingerprint == fingerprint(tmp_path, SK_ED25519)
    with pytest.raises(InvalidValue, match="is not a complete key"):
        parse_public_key(SK_ED25519.replace("AAAABHNzaDo=", ""))


def test_a_key_may_lack_a_comment_or_have_a_long_one() -> None:
    assert parse_public_key(" ".join(KEY.split()[:2])).comment == ""
    assert parse_public_key(KEY + "  of Ann, at home ").comment == "ann@example  of Ann, at home"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not begin with a type that is accepted"),
        ("hello", "^public_key does not begin with a type that is accepted"),
        (f'command="x" {KEY}', "does not begin with a type that is accepted"),
        (f"no-pty {KEY}", "does not begin with a type that is accepted"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "does not begin with a type that is accepted"),
        (KEY.replace("ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com"), "does not begin with a type"),
        ("ssh-ed25519", "is not a complete key"),
        ("ssh-ed25519 !!!", "has data that is not base64"),
        ("ssh-ed25519 AAAA", "is not a complete key"),
        (f"ssh-rsa {KEY.split()[1]}", "is not a complete key of type ssh-rsa"),
        (f"{KEY}\n{KEY}", "is not one line"),
        (KEY + "\x00", "is not one line"),
        ("x" * (MAX_LENGTH + 1), "has 8193 characters"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r", "is a private key"),
    ],
)
def test_what_is_no_single_public_key_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message) as error:
        parse_public_key(text)
    assert "b3BlbnNzaC1r" not in str(error.value)


def test_a_small_rsa_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidValue, match="is an RSA key of 1024 bits; use 2048 to 16384 bits, or an Ed25519 key"
    ):
        parse_public_key(generated(tmp_path, "rsa", "1024"))


@settings(max_examples=examples(300))
@given(position=st.integers(0, 50), cut=st.integers(1, 51), extra=st.binary(max_size=4))
def test_a_damaged_key_is_refused(position: int, cut: int, extra: bytes) -> None:
    """Bytes 0 to 18 of an Ed25519 key are its type and the length of the rest; all 51 bytes are needed."""
    kind, data, _ = KEY.split()
    blob = base64.b64decode(data)
    damaged = [blob[:-cut], blob + extra + b"x"]
    if position < 19:
        damaged.append(blob[:position] + bytes([blob[position] ^ 1]) + blob[position + 1 :])
    for content in damaged:
        with pytest.raises(InvalidValue):
            parse_public_key(f"{kind} {base64.b64encode(content).decode()}")
