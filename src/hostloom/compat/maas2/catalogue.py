"""The resources of the façade with their actions and parameters, as data for routing and describing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from hostloom.compat.maas2.call import Call
    from hostloom.compat.maas2.responses import MaasResponse

Do = Callable[["Call"], "MaasResponse"]

#: The HTTP methods of MAAS's actions without an op, by the names that clients use for them.
CRUD = {"create": "POST", "read": "GET", "update": "PUT", "delete": "DELETE"}
_PLACE = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of an action."""

    name: str
    doc: str
    #: The type as MAAS names it: String, Int, Float, Boolean.
    kind: str = "String"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A parameter of MAAS that hostloom does not support. The describe document omits it."""

    #: A trailing `*` matches every name with this prefix.
    name: str
    #: The message for the client.
    why: str
    #: Lower-case values that have no effect: hostloom accepts them like an empty value.
    harmless: frozenset[str] = frozenset()

    def refuses(self, name: str, value: str) -> bool:
        """Whether hostloom must refuse this value of this field."""
        return self.names(name) and value.strip().lower() not in self.harmless | {""}

    def names(self, name: str) -> bool:
        """Whether the name of a field matches."""
        return name.startswith(self.name[:-1]) if self.name.endswith("*") else name == self.name


#: Harmless values of an unsupported Boolean parameter.
OFF = frozenset({"false", "0", "off", "no", "f", "n", "none"})


@dataclass(frozen=True, slots=True)
class Action:
    """An operation on a resource."""

    name: str
    method: str
    #: None for the actions in CRUD.
    op: str | None
    doc: str
    params: tuple[Param, ...]
    do: Do
    #: The action itself reads fields with these prefixes (`parameters_…` of old clients).
    prefixes: tuple[str, ...] = ()
    unsupported: tuple[Unsupported, ...] = ()
    #: Whether to refuse unknown parameters, as MAAS does for a few actions.
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """A path and its actions. Clients derive their classes and commands from `name`."""

    #: Without `Handler` and in the spelling of MAAS 3.7: `VmHosts`, `IPRanges`.
    name: str
    #: Below `/MAAS/api/2.0/`, ending in a slash: `vm-hosts/{id}/`.
    path: str
    doc: str
    #: Alternative paths with the same parameters.
    aliases: tuple[str, ...] = ()
    #: Whether a request needs no API key.
    anonymous: bool = False
    actions: dict[tuple[str, str | None], Action] = field(default_factory=dict)

    @property
    def params(self) -> list[str]:
        """The names of the path parameters in order. Clients make them positional arguments."""
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
    """The resource of a path."""

    resource: Resource
    #: Values of the path parameters, by name.
    places: Mapping[str, str]


class Catalogue:
    """All resources, with lookup by path."""

    def __init__(self, resources: tuple[Resource, ...]) -> None:
        self.resources = resources
        self._patterns = [
            (_pattern(path), resource)
            for resource in resources
            for path in (resource.path, *resource.aliases)
        ]

    def find(self, path: str) -> MatchedRoute | None:
        """Find the resource of a percent-encoded path below the API's root. The final slash is optional."""
        whole = path.rstrip("/") + "/"
        for pattern, resource in self._patterns:
            if match := pattern.fullmatch(whole):
                return MatchedRoute(
                    resource, {name: unquote(text) for name, text in match.groupdict().items()}
                )
        return None


def _pattern(path: str) -> re.Pattern[str]:
    parts = [re.escape(part) if index % 2 == 0 else f"(?P<{part}>[^/]+)" for index, part in _split(path)]
    return re.compile("".join(parts))


def _split(path: str) -> list[tuple[int, str]]:
    """Split a path into fixed parts (even indexes) and names of parameters (odd indexes)."""
    return list(enumerate(_PLACE.split(path)))
