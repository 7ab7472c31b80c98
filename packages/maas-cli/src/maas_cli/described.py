"""Reads commands from a server's description: a noun for each handler, a verb for each of its actions."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maas_cli.errors import unknown

_PARAM = re.compile(r"^\s*:param\s+([^\s:]+)\s*:\s*(.*)$", re.MULTILINE)
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: Means that a command accepts any parameter.
ANY = "*"


@dataclass(frozen=True)
class Verb:
    """One command of a noun."""

    name: str
    method: str
    #: None if the method alone determines the action.
    op: str | None
    doc: str
    #: Contains `{name}` for each positional argument.
    path: str
    places: tuple[str, ...]

    @property
    def params(self) -> dict[str, str]:
        """The description of each parameter."""
        return dict(_PARAM.findall(self.doc))

    @property
    def summary(self) -> str:
        """The first line of the description."""
        return self.doc.strip().partition("\n")[0]


@dataclass(frozen=True)
class Noun:
    """A collection, such as `machines`, or one item of it, such as `machine`."""

    name: str
    doc: str
    verbs: Mapping[str, Verb]


def nouns_of(description: Mapping[str, Any]) -> dict[str, Noun]:
    """Every noun by name; of two handlers, the one that requires a key is preferred."""
    nouns = {}
    for resource in description["resources"]:
        handler = resource["auth"] or resource["anon"]
        noun = _noun(handler)
        nouns[noun.name] = noun
    return dict(sorted(nouns.items()))


def noun_name(handler: str) -> str:
    """`VmHostsHandler` is `vm-hosts`, `IPRangesHandler` is `ipranges`."""
    return _WORD.sub("-", handler.removeprefix("Anon").removesuffix("Handler")).lower()


def verb_of(nouns: Mapping[str, Noun], noun: str, verb: str) -> Verb:
    """Find a command by noun and verb."""
    if noun not in nouns:
        raise unknown("command", noun, nouns, "`maas PROFILE` lists the commands.")
    verbs = nouns[noun].verbs
    if verb not in verbs:
        raise unknown(f"verb of {noun}", verb, verbs, f"`maas PROFILE {noun}` lists them.")
    return verbs[verb]


def warn_of_unknown(verb: Verb, noun: str, names: list[str]) -> list[str]:
    """A warning for each field that is not in the command's description: the server ignores or refuses it."""
    parameters = verb.params
    if ANY in parameters:
        return []
    lines = []
    for name in names:
        if name not in parameters:
            near = difflib.get_close_matches(name, parameters, 1)
            meant = f"; did you mean {near[0]}?" if near else "."
            lines.append(f"the description of `{noun} {verb.name}` has no parameter {name!r}{meant}")
    return lines


def _noun(handler: Mapping[str, Any]) -> Noun:
    verbs = {}
    for action in handler["actions"]:
        name = action["name"].replace("_", "-")
        places = tuple(handler["params"])
        doc = action["doc"] or ""
        verbs[name] = Verb(name, action["method"], action["op"], doc, handler["path"], places)
    return Noun(noun_name(handler["name"]), handler["doc"] or "", dict(sorted(verbs.items())))
