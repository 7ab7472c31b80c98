"""Tag options: --tag replaces all tags, --add-tag and --remove-tag change single tags."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import typer

from hostloom.cli.exit_codes import Exit, fail
from hostloom.client import Client, Collection, Document, Problem

#: Another client may change the tags between reading and writing them.
ATTEMPTS = 5

ChangedT = TypeVar("ChangedT")

Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", help="Replace all tags; may be repeated; '' removes all tags."),
]
NewTags = Annotated[list[str] | None, typer.Option("--tag", help="Tag; may be repeated.")]
AddTags = Annotated[list[str] | None, typer.Option("--add-tag", help="Add a tag; may be repeated.")]
RemoveTags = Annotated[list[str] | None, typer.Option("--remove-tag", help="Remove a tag; may be repeated.")]


def tags_of(words: list[str] | None) -> list[str] | None:
    """The tags in the option; a single empty text means no tags."""
    return None if words is None or not words else [word for word in words if word]


@dataclass(frozen=True)
class TagEdit:
    """The changes of tags in the options."""

    replaced: list[str] | None
    added: tuple[str, ...]
    removed: tuple[str, ...]

    @classmethod
    def of(cls, tag: list[str] | None, add: list[str] | None, remove: list[str] | None) -> "TagEdit":
        """Read the options; a usage error if they contradict each other."""
        edit = cls(tags_of(tag), tuple(add or ()), tuple(remove or ()))
        if edit.replaced is not None and edit.changes:
            raise fail(
                "--tag replaces all tags, so it excludes --add-tag and --remove-tag",
                "use --add-tag and --remove-tag alone to keep the other tags",
                Exit.USAGE,
            )
        if both := sorted(set(edit.added) & set(edit.removed)):
            raise fail(f"--add-tag and --remove-tag both name {both[0]!r}", code=Exit.USAGE)
        if "" in (*edit.added, *edit.removed):
            raise fail("--add-tag and --remove-tag need a tag; the given one is empty", code=Exit.USAGE)
        return edit

    @property
    def changes(self) -> bool:
        """Whether single tags are added or removed."""
        return bool(self.added or self.removed)

    @property
    def is_asked(self) -> bool:
        """Whether the options change any tag."""
        return self.changes or self.replaced is not None

    def apply(self, tags: list[str]) -> list[str]:
        """The tags after the change; a removed tag must exist."""
        if self.replaced is not None:
            return self.replaced
        missing = [word for word in self.removed if word not in tags]
        if missing:
            names = ", ".join(tags) or "none"
            raise fail(f"--remove-tag: the tag {missing[0]!r} is not set", f"its tags: {names}")
        kept = [word for word in tags if word not in self.removed]
        return kept + [word for word in dict.fromkeys(self.added) if word not in kept]

    def update(
        self, collection: Collection[Any, Any, Any, ChangedT], key: str, changes: Document
    ) -> ChangedT | None:
        """Make the changes, including tags; None without changes. Keeps the tags of other clients."""
        if not self.changes:
            changes = changes if self.replaced is None else changes | {"tags": self.replaced}
            return collection.update(key, changes) if changes else None
        for left in reversed(range(ATTEMPTS)):
            before = collection.get(key)
            body = changes | {"tags": self.apply(before["tags"])}
            try:
                return collection.update(key, body, before["generation"])
            except Problem as problem:
                if problem.code != "stale" or not left:
                    raise
        raise AssertionError

    def interface(self, client: Client, node: str, name: str) -> list[str] | None:
        """The new tags of an interface of a node; None if they do not change."""
        if not self.changes:
            return self.replaced
        for interface in client.nodes.get(node)["interfaces"]:
            if name in (interface["name"], str(interface["id"])):
                return self.apply(interface["tags"])
        return list(self.added)  # the server reports the missing interface
