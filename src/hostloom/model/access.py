"""Access: users, their keys and tokens, and the principal of a request."""

from dataclasses import dataclass

from hostloom.model.ids import UserId, UserSshKeyId


@dataclass(frozen=True, slots=True)
class User:
    """A user with an account."""

    id: UserId
    name: str
    admin: bool = False
    generation: int = 1


@dataclass(frozen=True, slots=True)
class Token:
    """A token's record; the secret itself is shown once and only its hash is kept."""

    #: Public first part of the token, by which it is listed and deleted.
    id: str
    user_id: UserId
    name: str
    secret_sha256: str
    created_at: float


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request."""

    name: str
    admin: bool


#: The local command line over the Unix socket, and hostloom itself.
LOCAL_ADMIN = Principal("root", admin=True)
#: The principal of requests that need no account.
ANONYMOUS = Principal("anonymous", admin=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of MAAS's form, `consumer:token:secret`; the secret is derived, never stored."""

    #: The first part, which clients send and the server ignores.
    consumer_key: str
    #: The second part, which identifies the key.
    token_key: str
    user_id: UserId
    name: str
    created_at: float


@dataclass(frozen=True, slots=True)
class UserSshKey:
    """A public SSH key of a user, who can log in with it to the machines that the user deploys."""

    id: UserSshKeyId
    user_id: UserId
    #: What the user calls it; several keys may have one name.
    name: str
    #: A line of an authorized_keys file.
    public_key: str
    #: `SHA256:…`; unique among the keys of a user.
    fingerprint: str
