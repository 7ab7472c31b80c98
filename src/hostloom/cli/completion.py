"""Completion with the Tab key: names from the server, for parameters that take a name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from typer._click import Command, Context  # typer has no public names for these
from typer._click.shell_completion import CompletionItem
from typer._coercion import RuntimeParam
from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.models import OptionInfo

from hostloom.cli.session import ServerChoice, find_target
from hostloom.client.names import read_documents

#: The shell waits for the answer, so names of a slower server are not completed.
PATIENCE_S = 1.0


@dataclass(frozen=True)
class NameSource:
    """The source of a noun's names: the path of its list, and a format for the key of an item."""

    path: str
    key: str = "{name}"
    #: The path of another list with such names.
    other_path: str = ""


NOUNS = {
    "fabric": NameSource("fabrics"),
    "vlan": NameSource("vlans", "{key}"),
    "space": NameSource("spaces"),
    "subnet": NameSource("subnets", "{cidr}"),
    "range": NameSource("ranges", "{start}-{end}"),
    "address": NameSource("addresses", "{ip}"),
    "rack": NameSource("racks"),
    "node": NameSource("nodes", "{hostname}"),
    "host": NameSource("hosts"),
    "storage-pool": NameSource("storage-pools"),
    "machine": NameSource("machines", "{hostname}"),
    "plan": NameSource("plans", "{id}"),
    "operation": NameSource("operations", "{id}"),
    "image": NameSource("images", other_path="disk-images"),
    "zone": NameSource("zones"),
    "resource-pool": NameSource("resource-pools"),
    "domain": NameSource("domains"),
    "tag": NameSource("tags"),
    "user": NameSource("users"),
    "ssh-key": NameSource("ssh-keys"),
    "token": NameSource("tokens", "{id}"),
    "apikey": NameSource("apikeys", "{id}"),
}
#: Parameters that take the name of a noun in every command.
PARAMETERS = {
    "fabric": "fabric",
    "vlan": "vlan",
    "space": "space",
    "subnet": "subnet",
    "host": "host",
    "node": "node",
    "pool": "storage-pool",
    "default_pool": "storage-pool",
    "primary": "rack",
    "secondary": "rack",
    "zone": "zone",
    "resource_pool": "resource-pool",
    "domain": "domain",
    "tag": "tag",
    "add_tag": "tag",
    "remove_tag": "tag",
    "host_tag": "tag",
    "not_host_tag": "tag",
    "user": "user",
}
#: Parameters that take the name of the noun that the command belongs to.
OWN_KEYS = frozenset({"key", "keys", "ip"})
#: Commands with an argument that is a new name.
CREATING = frozenset({"create", "add", "import"})


@dataclass(frozen=True)
class TextWhileCompleting(RuntimeParam):
    """Leaves a value unchanged while a shell completes; converts it as usual when a command runs."""

    real: Callable[[], RuntimeParam]

    def _coerce_value(self, value: Any, param: Any, ctx: Context) -> Any:
        return value if ctx.resilient_parsing else self.real().coerce(value, param, ctx)


def _same(param: RuntimeParam) -> RuntimeParam:
    return param


def prepare_completion(command: Command, context: Context, noun: str = "") -> None:
    """Let the parameters of a command, or of every command of a group, complete names.

    Their values stay text: Typer would import pydantic to convert them, which takes a while.
    """
    noun = noun or str(command.name)
    if isinstance(command, TyperGroup):
        for subcommand in command.commands.values():
            prepare_completion(subcommand, context, noun)
    for parameter in command.get_params(context):  # `--help` among them
        if isinstance(parameter, TyperOption | TyperArgument):
            text = TextWhileCompleting(OptionInfo(), str, parameter.get_runtime_param)
            parameter.get_runtime_param = partial(_same, text)  # type: ignore[method-assign]
        names = names_of(noun, str(command.name), str(parameter.name))
        if names is not None:
            parameter.shell_complete = partial(complete, names)  # type: ignore[method-assign]


def names_of(noun: str, verb: str, parameter: str) -> NameSource | None:
    """The names that a parameter takes; None if it takes something else."""
    if parameter in OWN_KEYS:
        return None if verb in CREATING else NOUNS.get(noun)
    return NOUNS[PARAMETERS[parameter]] if parameter in PARAMETERS else None


def complete(names: NameSource, context: Context, incomplete: str) -> list[CompletionItem]:
    """The names that begin with the word; none if the server does not answer in time."""
    target = find_target(choice_of(context))
    paths = filter(None, (names.path, names.other_path))
    documents = [document for path in paths for document in read_documents(target, path, PATIENCE_S)]
    keys = sorted({names.key.format_map(document) for document in documents})
    return [CompletionItem(key) for key in keys if key.startswith(incomplete)]


def choice_of(context: Context) -> ServerChoice:
    """The server that the options before the noun choose; completion parses them without their callback."""
    options = context.find_root().params
    path = options.get("socket")
    return ServerChoice(options.get("url"), options.get("token"), Path(path) if path else None)
