"""Write docs/reference/cli.md anew: `PYTHONPATH=tests python -m support.cli_reference`."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from hostloom.cli.main import command_tree

FILE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
HEAD = """# The command line

`hostloom NOUN VERB [NAME] [--options]`. This page is generated from the commands
(`PYTHONPATH=tests python -m support.cli_reference`); [exit codes](exit-codes.md) are on a separate page.

Things are named by name or id, a VLAN by `FABRIC/VID`, a subnet by its CIDR, a range by `START-END`. Every
command accepts `-o table|json|yaml` and `--help`. Commands that destroy something ask first, unless you give
`--yes`. `NO_COLOR` and `COLUMNS` are honoured. `hostloom --install-completion` lets the shell complete
commands, options and the names that the server knows.

Before the noun, `--socket PATH` (`HOSTLOOM_SOCKET`), `--url URL` (`HOSTLOOM_URL`) and `--token TOKEN`
(`HOSTLOOM_TOKEN`) select the server. The default is the server of `hostloom login`, or else the socket
`/run/hostloom/api.sock` of this machine.
"""


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command with its words."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), command
        return
    for name, each in inner.items():
        yield from leaves(each, (*path, name))


def render() -> str:
    """The page."""
    pages = [HEAD]
    noun = ""
    for path, command in leaves(command_tree().load_all()):
        if path.split()[0] != noun:
            noun = path.split()[0]
            pages.append(f"\n## {noun}\n")
        pages.append(_command(path, command))
    return "".join(pages)


def _command(path: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and each.name != "help"]
    words = " ".join(_argument(each) for each in arguments)
    lines = [f"\n### hostloom {path} {words}".rstrip(), "", (command.help or "").strip(), ""]
    lines += [f"- `{_argument(each)}` {each.help or ''}".rstrip() for each in arguments]
    lines += [_option(each) for each in options if each.name != "output"]
    return "\n".join(lines).rstrip() + "\n"


def _argument(each: Any) -> str:
    name = str(each.metavar or each.name).upper().strip("{}[]")
    return name if each.required else f"[{name}]"


def _option(each: Any) -> str:
    names = ", ".join([*each.opts, *each.secondary_opts])
    value = "" if each.is_flag else f" {each.metavar or _value(each)}"
    default = each.default
    shown = "" if default in (None, "", False, True, []) or callable(default) else f" Default: `{default}`."
    needed = " Required." if each.required else ""
    return f"- `{names}{value}` {each.help or ''}{needed}{shown}".rstrip()


def _value(option: Any) -> str:
    """A word for an option's value: its choices, or what kind of thing it is."""
    kind = option.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "|".join(kind)
    if kind in (int, float):
        return "NUMBER"
    return "PATH" if kind is Path else option.opts[-1].lstrip("-").replace("-", "_").upper()


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(render(), encoding="utf-8")
