"""Stored secrets are encrypted with the server's file, for one owner."""

from pathlib import Path

import pytest

from hostloom.model.errors.server import ConfigError
from hostloom.server.secret import FileSecrets


def test_a_secret_is_read_back_by_its_owner_only(tmp_path: Path) -> None:
    secrets = FileSecrets(tmp_path / "secret")
    encrypted = secrets.encrypt("pässword", "power/abc123")
    assert "pässword" not in encrypted
    assert FileSecrets(tmp_path / "secret").decrypt(encrypted, "power/abc123") == "pässword"
    with pytest.raises(ConfigError, match="is not the file"):
        secrets.decrypt(encrypted, "power/xyz789")


def test_the_same_secret_is_encrypted_differently_each_time(tmp_path: Path) -> None:
    secrets = FileSecrets(tmp_path / "secret")
    assert secrets.encrypt("password", "a") != secrets.encrypt("password", "a")


@pytest.mark.parametrize("stored", ["", "no base64!", "AAAA", "A" * 64])
def test_what_was_not_encrypted_with_the_file_is_an_error(tmp_path: Path, stored: str) -> None:
    with pytest.raises(ConfigError, match="set the password again"):
        FileSecrets(tmp_path / "secret").decrypt(stored, "a")
