"""What the façade offers, as data: resources, their actions and parameters; it routes and describes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from hostloom.compat.maas2.call import Call
    from hostloom.compat.maas2.responses import MaasResponse

Do = Callable[["Call"], "MaasResponse"]

#: The methods of MAAS's actions without an op, by the names that its clients call them.
CRUD = {"create": "POST", "read": "GET", "update": "PUT", "delete": "DELETE"}
_PLACE = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of an action, as it is described and read."""

    name: str
    doc: str
    #: MAAS's word for the type: String, Int, Float, Boolean.
    kind: str = "String"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A parameter that MAAS acts on and hostloom cannot. It is not described."""

    #: A name that ends in `*` stands for all that begin so.
    name: str
    #: What the client is told.
    why: str
    #: Values, in lower case, that ask for nothing: they are let through like the empty value.
    harmless: frozenset[str] = frozenset()

    def refuses(self, name: str, value: str) -> bool:
        """Whether this value of this field asks for what hostloom cannot do."""
        return self.names(name) and value.strip().lower() not in self.harmless | {""}

    def names(self, name: str) -> bool:
        """Whether it is about a field of this name."""
        return name.startswith(self.name[:-1]) if self.name.endswith("*") else name == self.name


#: Harmless values of a switch that hostloom does not have.
OFF = frozenset({"false", "0", "off", "no", "f", "n", "none"})


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done to a resource."""

    name: str
    method: str
    #: None: one of CRUD.
    op: str | None
    doc: str
    params: tuple[Param, ...]
    do: Do
    #: Fields that start with one of these are read by the action itself (`parameters_…` of old clients).
    prefixes: tuple[str, ...] = ()
    unsupported: tuple[Unsupported, ...] = ()
    #: MAAS itself refuses parameters that it does not know here.
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """A path and its actions; `name` is what clients build their classes and commands from."""

    #: Without `Handler`: `VmHosts`, `IPRanges`; spelt as MAAS 3.7 does.
    name: str
    #: Below `/MAAS/api/2.0/`, ending in a slash: `vm-hosts/{id}/`.
    path: str
    doc: str
    #: Other paths with the same parameters that lead here.
    aliases: tuple[str, ...] = ()
    #: Needs no key.
    anonymous: bool = False
    actions: dict[tuple[str, str | None], Action] = field(default_factory=dict)

    @property
    def params(self) -> list[str]:
        """Names of the places in the path, in order: positional arguments of clients."""
        return _PLACE.findall(self.path)

    def crud(
        self,
        name: str,
        doc: str,
        *params: Param,
        prefixes: tuple[str, ...] = (),
        unsupported: tuple[Unsupported, ...] = (),
    ) -> Callable[[Do], Do]:
        """Register `create`, `read`, `update` or `delete`."""

        def register(do: Do) -> Do:
            method = CRUD[name]
            self.actions[method, None] = Action(name, method, None, doc, params, do, prefixes, unsupported)
            return do

        return register

    def op(
        self,
        method: str,
        name: str,
        doc: str,
        *params: Param,
        prefixes: tuple[str, ...] = (),
        unsupported: tuple[Unsupported, ...] = (),
        strict: bool = False,
    ) -> Callable[[Do], Do]:
        """Register an operation: `op=name` by GET or POST."""

        def register(do: Do) -> Do:
            action = Action(name, method, name, doc, params, do, prefixes, unsupported, strict)
            self.actions[method, name] = action
            return do

        return register


@dataclass(frozen=True, slots=True)
class MatchedRoute:
    """Where a path leads to."""

    resource: Resource
    #: By name of the place in the resource's path.
    places: Mapping[str, str]


class Catalogue:
    """All resources, found by path."""

    def __init__(self, resources: tuple[Resource, ...]) -> None:
        self.resources = resources
        self._patterns = [
            (_pattern(path), resource)
            for resource in resources
            for path in (resource.path, *resource.aliases)
        ]

    def find(self, path: str) -> MatchedRoute | None:
        """The resource of a path below the API's root, percent-encoded, with or without its last slash."""
        whole = path.rstrip("/") + "/"
        for pattern, resource in self._patterns:
            if match := pattern.fullmatch(whole):
                return MatchedRoute(
                    resource, {name: unquote(text) for name, text in match.groupdict().items()}
                )
        return None


def _pattern(path: str) -> re.Pattern[str]:
    parts = [re.escape(part) if place % 2 == 0 else f"(?P<{part}>[^/]+)" for place, part in _split(path)]
    return re.compile("".join(parts))


def _split(path: str) -> list[tuple[int, str]]:
    """The fixed parts at even places, the names at odd ones."""
    return list(enumerate(_PLACE.split(path)))
