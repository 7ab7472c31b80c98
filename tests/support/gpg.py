"""Keys of GnuPG for tests of signatures."""

import subprocess
from collections.abc import Iterator
from pathlib import Path


class Key:
    """A key of GnuPG in its own folder."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self._home = home
        self._gpg("--passphrase", "", "--quick-generate-key", "mirror", "ed25519", "sign", "never")
        self.keyring = self._gpg("--export")

    def sign(self, content: bytes) -> bytes:
        """The content with an inline signature."""
        return self._gpg("--clearsign", content=content)

    def _gpg(self, *argv: str, content: bytes = b"") -> bytes:
        command = ["gpg", "-q", "--batch", "--homedir", str(self._home), "--pinentry-mode", "loopback", *argv]
        return subprocess.run(command, input=content, capture_output=True, check=True).stdout

    def close(self) -> None:
        """End the agent that gpg started."""
        subprocess.run(["gpgconf", "--homedir", str(self._home), "--kill", "all"], check=False)


def made_key(home: Path) -> Iterator[Key]:
    """A key, for a fixture."""
    key = Key(home)
    yield key
    key.close()
