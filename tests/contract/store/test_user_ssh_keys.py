"""SSH keys of users in the store, and those that earlier versions kept as annotations."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from hostloom.model.access import User, UserSshKey
from hostloom.model.annotation import Annotated
from hostloom.model.errors.resources import AlreadyExists, NotFound
from hostloom.model.ids import UserId, UserSshKeyId
from hostloom.model.ssh_public_key import parse_public_key
from hostloom.ports.store import Store
from hostloom.store.engine import open_store
from support.old_database import DATABASES, old_database
from support.seeds import KEY


def a_key(user: UserId, fingerprint: str = "SHA256:a") -> UserSshKey:
    return UserSshKey(UserSshKeyId(0), user, "ann@laptop", KEY, fingerprint)


def test_the_keys_of_each_user_come_back_as_they_were_stored(store: Store) -> None:
    with store.begin() as uow:
        ann, bob = (uow.users.add(User(UserId(0), name)).id for name in ("ann", "bob"))
        keys = [uow.user_ssh_keys.add(key) for key in (a_key(ann), a_key(bob), a_key(ann, "SHA256:b"))]
        uow.commit()
    with store.begin() as uow:
        assert [replace(key, id=UserSshKeyId(0)) for key in keys] == [
            a_key(ann),
            a_key(bob),
            a_key(ann, "SHA256:b"),
        ]
        assert uow.user_ssh_keys.list() == keys
        assert uow.user_ssh_keys.list(ann) == [keys[0], keys[2]]
        uow.user_ssh_keys.delete(keys[0].id)
        uow.user_ssh_keys.delete(keys[0].id)
        assert uow.user_ssh_keys.list(ann) == [keys[2]]
        assert uow.user_ssh_keys.add(a_key(ann)).id > keys[2].id


def test_a_user_has_a_key_once(store: Store) -> None:
    with store.begin() as uow:
        ann = uow.users.add(User(UserId(0), "ann")).id
        uow.user_ssh_keys.add(a_key(ann))
        with pytest.raises(AlreadyExists, match="SSH key"):
            uow.user_ssh_keys.add(a_key(ann))
        with pytest.raises(NotFound):
            uow.user_ssh_keys.add(a_key(UserId(99)))


def test_the_keys_go_with_their_user(store: Store) -> None:
    with store.begin() as uow:
        ann = uow.users.add(User(UserId(0), "ann")).id
        uow.user_ssh_keys.add(a_key(ann))
        uow.users.delete(ann)
        uow.commit()
        assert uow.user_ssh_keys.list() == []


@pytest.fixture(params=DATABASES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with keys of two users as annotations."""
    with old_database(request, tmp_path, "0018", _fill) as url:
        yield url


def _fill(connection: Connection) -> None:
    plain = " ".join(KEY.split()[:2])
    for number, name, content in (
        (1, "ann", {"ssh_keys": [{"id": 1, "key": KEY}], "other": [1]}),
        (2, "bob", {"ssh_keys": [{"id": 7, "key": plain}]}),
        (3, "eve", {"other": 2}),
    ):
        columns = "INSERT INTO users (id, name, admin, generation) VALUES (:id, :name, :admin, 1)"
        connection.execute(text(columns), {"id": number, "name": name, "admin": False})
        row = {"user": number, "content": json.dumps(content)}
        connection.execute(text('INSERT INTO annotations ("user", content) VALUES (:user, :content)'), row)


def test_keys_that_were_annotations_become_keys(old: str) -> None:
    store = open_store(old)
    with store.begin() as uow:
        ann, bob = uow.user_ssh_keys.list()
        fingerprint = parse_public_key(KEY).fingerprint
        assert ann == UserSshKey(UserSshKeyId(1), UserId(1), "ann@example", KEY, fingerprint)
        assert (bob.id, bob.user_id, bob.name, bob.fingerprint) == (7, 2, fingerprint, fingerprint)
        assert uow.annotations.of(Annotated.USER) == {1: {"other": [1]}, 2: {}, 3: {"other": 2}}
        assert uow.user_ssh_keys.add(a_key(UserId(3))).id == 8
    store.close()
