"""--tag replaces, --add-tag and --remove-tag change single tags, and lose none that another client sets."""

from typing import Any, cast

import pytest
import typer

from hostloom.cli.tags import TagEdit
from hostloom.client import Collection, Document, Problem


class Held:
    """A thing that another client changes now and then."""

    def __init__(self, tags: list[str], *, changed_by_others: int = 0) -> None:
        self.tags, self.generation, self.left = tags, 1, changed_by_others

    def get(self, _: str) -> Document:
        seen = {"tags": list(self.tags), "generation": self.generation}
        if self.left:
            self.left -= 1
            self.generation += 1
            self.tags.append(f"other-{self.left}")
        return seen

    def update(self, _: str, changes: Document, generation: int | None = None) -> Document:
        if generation not in (None, self.generation):
            raise Problem(412, {"code": "stale"})
        self.tags = list(changes.get("tags", self.tags))
        self.generation += 1
        return {"tags": self.tags}


def edit(tag: Any = None, add: Any = None, remove: Any = None) -> TagEdit:
    return TagEdit.of(tag, add, remove)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (edit(tag=["c"]), ["c"]),
        (edit(tag=[""]), []),
        (edit(add=["c"]), ["a", "b", "c"]),
        (edit(add=["a", "c", "c"]), ["a", "b", "c"]),
        (edit(remove=["a"]), ["b"]),
        (edit(add=["c"], remove=["b"]), ["a", "c"]),
    ],
)
def test_tags_become_what_the_options_say(options: TagEdit, wanted: list[str]) -> None:
    held = Held(["a", "b"])
    assert options.update(cast("Collection", held), "x", {}) == {"tags": wanted}


def test_no_option_changes_nothing() -> None:
    assert edit().update(cast("Collection", Held(["a"])), "x", {}) is None


def test_a_tag_that_another_client_adds_meanwhile_is_kept() -> None:
    held = Held(["a"], changed_by_others=3)
    edit(add=["b"]).update(cast("Collection", held), "x", {})
    assert sorted(held.tags) == ["a", "b", "other-0", "other-1", "other-2"]


@pytest.mark.parametrize(
    ("tag", "add", "remove"),
    [
        (["a"], ["b"], None),
        (["a"], None, ["b"]),
        (None, ["a"], ["a"]),
        (None, [""], None),
        (None, None, [""]),
    ],
)
def test_contradictions_are_refused(tag: Any, add: Any, remove: Any) -> None:
    with pytest.raises(typer.Exit) as refused:
        TagEdit.of(tag, add, remove)
    assert refused.value.exit_code == 2


def test_removing_a_tag_that_is_not_there_is_told() -> None:
    with pytest.raises(typer.Exit) as refused:
        edit(remove=["z"]).update(cast("Collection", Held(["a"])), "x", {})
    assert refused.value.exit_code == 1
