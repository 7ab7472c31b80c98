"""The `maas` command: a few local commands, and all commands that the server of a profile describes."""

import getpass
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from maas_cli import __version__, completion, help_texts, profiles
from maas_cli.described import Verb, nouns_of, verb_of, warn_of_unknown
from maas_cli.errors import CliError, unknown
from maas_cli.profiles import Profile
from maas_cli.server import Answer, Server, check_key, root_of

FAILED = 2


@dataclass(frozen=True)
class Options:
    """Flags; they may appear anywhere before `--`."""

    insecure: bool = False
    debug: bool = False
    help: bool = False
    version: bool = False


_FLAGS = {
    "-k": "insecure",
    "--insecure": "insecure",
    "-d": "debug",
    "--debug": "debug",
    "-h": "help",
    "--help": "help",
    "--version": "version",
}


def main() -> None:
    """Run the command line and end the process."""
    try:
        sys.exit(run(sys.argv[1:]))
    except CliError as error:
        print(f"maas: {error}", file=sys.stderr)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of the output has closed it, as `head` does.
        sys.stderr.close()
        sys.exit(0)


def run(argv: list[str]) -> int:
    """Run a command and return its exit code."""
    if argv[:1] == ["--completion"]:
        print(completion.script(argv[1] if len(argv) > 1 else ""), end="")
        return 0
    if argv[:1] == ["--complete"]:
        print("\n".join(completion.complete(argv[1:])))
        return 0
    rest, options = _options(argv)
    if options.version:
        print(f"maas (hostloom) {__version__}")
        return 0
    if not rest:
        print(help_texts.USAGE, end="", file=sys.stdout if options.help else sys.stderr)
        return 0 if options.help else FAILED
    command = _COMMANDS.get(rest[0])
    if command is not None and options.help:
        print(help_texts.USAGE, end="")
        return 0
    return command(rest[1:], options) if command is not None else _use(rest, options)


def _options(argv: list[str]) -> tuple[list[str], Options]:
    options = Options()
    rest: list[str] = []
    for place, word in enumerate(argv):
        if word == "--":
            return rest + argv[place + 1 :], options
        if word in _FLAGS:
            options = replace(options, **{_FLAGS[word]: True})
        elif word.startswith("-") and word != "-" and "=" not in word:
            raise unknown("option", word, _FLAGS, "`maas --help` shows them.")
        else:
            rest.append(word)
    return rest, options


# -- local commands --------------------------------------------------------------------------------------


def _login(words: list[str], options: Options) -> int:
    if not 2 <= len(words) <= 3:
        raise CliError("login takes PROFILE URL [KEY].")
    if words[0] in profiles.RESERVED:
        raise CliError(f"a profile cannot be called {words[0]!r}: that is a command's name.")
    profile = Profile(words[0], root_of(words[1]), check_key(_key(words[2:])), options.insecure)
    server = Server(profile, debug=options.debug)
    description = server.describe()
    server.check_key()
    profiles.save(profile, description)
    print(
        f"You are logged in to {profile.url} as {profile.name!r}. `maas {profile.name}` lists the commands."
    )
    return 0


def _key(words: list[str]) -> str:
    if words and words[0] != "-":
        return words[0]
    if not words and sys.stdin.isatty():
        return getpass.getpass("API key (it is not shown): ")
    return sys.stdin.readline()


def _list(words: list[str], _: Options) -> int:
    _refuse_rest("list", words)
    stored_profiles = profiles.load()
    for name in sorted(stored_profiles):
        # MAAS's command prints the whole key here. It stays secret here; its owner can read it in the file.
        print(f"{name} {stored_profiles[name].url} {stored_profiles[name].key.partition(':')[0]}:…")
    if not stored_profiles:
        print("There are no profiles yet. `maas login PROFILE URL KEY` creates one.", file=sys.stderr)
    return 0


def _logout(words: list[str], _: Options) -> int:
    if len(words) != 1:
        raise CliError("logout takes a PROFILE.")
    profiles.forget(words[0])
    return 0


def _refresh(words: list[str], options: Options) -> int:
    _refuse_rest("refresh", words)
    failed = []
    for name, profile in sorted(profiles.load().items()):
        try:
            profiles.save(profile, Server(profile, debug=options.debug).describe())
        except CliError as error:
            failed.append(f"{name}: {error}")
    if failed:
        raise CliError("; ".join(failed))
    return 0


def _refuse_rest(command: str, words: list[str]) -> None:
    if words:
        raise CliError(f"{command} takes no further arguments, such as {words[0]!r}.")


_COMMANDS: dict[str, Callable[[list[str], Options], int]] = {
    "login": _login,
    "list": _list,
    "logout": _logout,
    "refresh": _refresh,
}

# -- commands of the server ------------------------------------------------------------------------------


def _use(rest: list[str], options: Options) -> int:
    profile = profiles.find(rest[0])
    description = profiles.description_of(profile)
    nouns = nouns_of(description)
    if len(rest) == 1:
        print(help_texts.of_profile(profile.name, nouns), end="")
        return 0
    if len(rest) == 2:
        if rest[1] not in nouns:
            raise unknown("command", rest[1], nouns, f"`maas {profile.name}` lists the commands.")
        print(help_texts.of_noun(profile.name, nouns[rest[1]]), end="")
        return 0
    verb = verb_of(nouns, rest[1], rest[2])
    if options.help:
        print(help_texts.of_verb(profile.name, rest[1], verb), end="")
        return 0
    path, fields = _arguments(verb, rest[1], rest[3:])
    used = replace(profile, insecure=profile.insecure or options.insecure)
    answer = Server(used, debug=options.debug).ask(verb.method, path, verb.op, fields)
    if answer.described and answer.described != description["hash"]:
        print("maas: the server's commands have changed: run `maas refresh`.", file=sys.stderr)
    return _print(answer)


def _arguments(verb: Verb, noun: str, words: list[str]) -> tuple[str, list[tuple[str, str]]]:
    """The path with the ids of the command line, and the fields; an unknown field is sent with a warning."""
    count = len(verb.places)
    ids = [word for word in words[:count] if not _is_field(word)]
    if len(ids) < count:
        raise _missing(verb, noun, words[:count])
    path = verb.path
    for place, value in zip(verb.places, ids, strict=True):
        if not value:
            raise CliError(f"{place.upper()} is empty.")
        path = path.replace(f"{{{place}}}", quote(value, safe=""))
    fields = [_field(word) for word in words[count:]]
    for line in warn_of_unknown(verb, noun, [name for name, _ in fields]):
        print(f"maas: {line}", file=sys.stderr)
    return path, fields


def _missing(verb: Verb, noun: str, words: list[str]) -> CliError:
    """The error for the first id that is missing, that is empty, or that a field stands in place of."""
    values = dict(zip(verb.places, words, strict=False))
    missing = next(place for place in verb.places if not values.get(place) or _is_field(values[place]))
    return CliError(f"`{noun} {verb.name}` requires {missing.upper()}: see `{noun} {verb.name} --help`.")


def _is_field(word: str) -> bool:
    """Whether it is KEY=VALUE: no id contains `=`."""
    return "=" in word


def _field(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not name.strip("@"):
        raise CliError(f"{word!r} is not of the form KEY=VALUE or KEY@=FILE.")
    if not name.endswith("@"):
        return name, value
    try:
        return name[:-1], Path(value).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(
            f"{value} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}."
        ) from error


def _print(answer: Answer) -> int:
    """Print the answer: formatted on a terminal, unchanged for other programs."""
    if not sys.stdout.isatty():
        sys.stdout.buffer.write(answer.body)
        if "json" in answer.content_type and not answer.body.endswith(b"\n"):
            sys.stdout.buffer.write(b"\n")
        sys.stdout.flush()
        return 0 if answer.ok else FAILED
    text = answer.body.decode("utf-8", "replace")
    if "json" in answer.content_type:
        text = json.dumps(json.loads(answer.body), indent=4, ensure_ascii=False)
    if answer.ok:
        print("Success.\nMachine-readable output follows:")
    print(text)
    return 0 if answer.ok else FAILED
