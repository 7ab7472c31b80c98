"""Stores profiles (server, key, last description of the server) in files that only their owner can read."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maas_cli.errors import CliError, unknown

#: Local commands, which cannot be names of profiles.
RESERVED = frozenset({"login", "logout", "list", "refresh"})


@dataclass(frozen=True)
class Profile:
    """A name for a server and a key."""

    name: str
    #: URL of the API's root, ending in a slash.
    url: str
    #: `consumer:token:secret`.
    key: str
    #: Whether the server's certificate is accepted unchecked.
    insecure: bool = False


def folder() -> Path:
    """The folder of the profiles."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "hostloom-maas"


def load() -> dict[str, Profile]:
    """All profiles by name."""
    file = folder() / "profiles.json"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return {name: Profile(name, **values) for name, values in document.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise CliError(f"the profiles cannot be read: {file}: {error}") from error


def find(name: str) -> Profile:
    """A profile by name."""
    profiles = load()
    if name not in profiles:
        raise unknown("profile", name, profiles, f"`maas login {name} URL KEY` creates it.")
    return profiles[name]


def save(profile: Profile, description: Mapping[str, Any]) -> None:
    """Save a profile and the description of its server."""
    if profile.name in RESERVED or profile.name.startswith("-") or not profile.name.strip():
        raise CliError(f"a profile cannot be called {profile.name!r}: that is a command's name.")
    profiles = load() | {profile.name: profile}
    _write_profiles(profiles)
    _write(_description_file(profile.name), description)


def forget(name: str) -> None:
    """Delete a profile and its description."""
    find(name)
    _write_profiles(
        {profile_name: profile for profile_name, profile in load().items() if profile_name != name}
    )
    _description_file(name).unlink(missing_ok=True)


def description_of(profile: Profile) -> dict[str, Any]:
    """The server's description as of the last login or refresh."""
    try:
        document: dict[str, Any] = json.loads(_description_file(profile.name).read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise CliError("the server's description is missing: run `maas refresh`.") from error
    return document


def _description_file(name: str) -> Path:
    # The name of a profile may contain characters that a file name cannot.
    return folder() / "described" / f"{name.encode().hex()}.json"


def _write_profiles(profiles: Mapping[str, Profile]) -> None:
    values = {
        name: {k: v for k, v in asdict(profile).items() if k != "name"} for name, profile in profiles.items()
    }
    _write(folder() / "profiles.json", values)


def _write(file: Path, content: Any) -> None:
    """Replace the file atomically; its mode is 0600."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(content, stream)
        Path(name).replace(file)
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error.strerror}.") from error
