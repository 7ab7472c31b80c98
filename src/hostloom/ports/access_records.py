"""Records of users, keys and annotations."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hostloom.model.access import ApiKey, Token, UserSshKey
from hostloom.model.annotation import Annotated
from hostloom.model.ids import (
    UserId,
    UserSshKeyId,
)
from hostloom.ports.hosts import OfferedKey


class Tokens(Protocol):
    """API tokens."""

    def add(self, token: Token) -> None: ...

    def find(self, token_id: str) -> Token | None: ...

    def list(self) -> list[Token]: ...

    def delete(self, token_id: str) -> None: ...


class ApiKeys(Protocol):
    """Keys in MAAS's format."""

    def add(self, key: ApiKey) -> None: ...

    def find(self, token_key: str) -> ApiKey | None: ...

    def list(self) -> list[ApiKey]: ...

    def delete(self, token_key: str) -> None: ...


class Passwords(Protocol):
    """Password hashes of users; most users have none."""

    def of(self, user_id: UserId) -> str | None:
        """The hash of a user's password."""
        ...

    def put(self, user_id: UserId, hashed: str) -> None:
        """Replace the hash; NotFound."""
        ...


class Annotations(Protocol):
    """Annotations that clients of MAAS's API store with our records."""

    def of(self, kind: Annotated, keys: Sequence[str | int] | None = None) -> dict[str | int, dict[str, Any]]:
        """The annotations of these records, or of all records of the kind, in one statement."""
        ...

    def put(self, kind: Annotated, key: str | int, values: Mapping[str, Any]) -> None:
        """Replace all annotations of a record; they are deleted with it. NotFound."""
        ...


class SshKeys(Protocol):
    """The pinned keys of SSH servers, named as in a known-hosts file: `kvm1`, `[10.0.0.5]:2222`."""

    def find(self, server: str) -> OfferedKey | None:
        """The pinned key of a server."""
        ...

    def pin(self, uri: str, server: str, key: OfferedKey) -> None:
        """Trust only this key of the server, for all URIs that lead there."""
        ...

    def release(self, uri: str) -> None:
        """Release the key for this URI; it stays pinned while another URI needs it."""
        ...

    def forget(self, server: str) -> None:
        """Delete the pinned key of the server."""
        ...


class UserSshKeys(Protocol):
    """Public SSH keys of users; they go with their users."""

    def add(self, key: UserSshKey) -> UserSshKey:
        """Record one under a new id; AlreadyExists if the user has this key."""
        ...

    def list(self, user_id: UserId | None = None) -> list[UserSshKey]:
        """The keys of a user, or all keys, by id."""
        ...

    def delete(self, key_id: UserSshKeyId) -> None:
        """Delete a key; nothing happens if it does not exist."""
        ...
