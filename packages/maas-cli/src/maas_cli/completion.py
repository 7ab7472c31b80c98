"""Completion for bash, from the stored profiles and descriptions."""

from maas_cli.described import ANY, nouns_of
from maas_cli.errors import CliError
from maas_cli.profiles import RESERVED, description_of, load

#: bash passes the words typed so far. It splits words at `=`, so only the part before `=` is completed.
SCRIPT = """\
_maas() {
    local IFS=$'\\n'
    COMPREPLY=($(maas --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -F _maas maas
"""


def script(shell: str) -> str:
    """The script for a shell."""
    if shell != "bash":
        raise CliError(f"there is no completion for {shell!r}: expected bash.")
    return SCRIPT


def complete(words: list[str]) -> list[str]:
    """The possible completions of the last word."""
    *before, last = words or [""]
    return sorted(choice for choice in _choices(before) if choice.startswith(last))


def _choices(before: list[str]) -> list[str]:
    profiles = load()
    if not before:
        return [*RESERVED, *profiles]
    if before[0] == "logout":
        return list(profiles)
    if before[0] not in profiles:
        return []
    nouns = nouns_of(description_of(profiles[before[0]]))
    if len(before) == 1:
        return list(nouns)
    noun = nouns.get(before[1])
    if noun is None or len(before) == 2:
        return list(noun.verbs) if noun else []
    verb = noun.verbs.get(before[2])
    if verb is None or len(before) - 3 < len(verb.places):
        return []
    return [f"{name}=" for name in verb.params if name != ANY]
