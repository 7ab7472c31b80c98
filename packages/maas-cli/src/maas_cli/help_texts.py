"""Renders help texts from the server's description."""

import textwrap
from collections.abc import Mapping

from maas_cli.described import ANY, Noun, Verb

USAGE = """\
usage: maas login [-k] PROFILE URL [KEY]    save a server and a key (`-`: read the key from standard input)
       maas list                            list the profiles
       maas refresh                         update the commands of all profiles from their servers
       maas logout PROFILE                  delete a profile
       maas PROFILE                         list the nouns of a server
       maas PROFILE NOUN                    list the verbs of a noun
       maas PROFILE NOUN VERB --help        show the parameters of a command
       maas PROFILE NOUN VERB [ID …] [KEY=VALUE …] [KEY@=FILE …]

  -k, --insecure       do not verify the server's certificate
  -d, --debug          show the request line and the answer's headers
  --completion bash    print a script: eval "$(maas --completion bash)"
  --version, -h, --help

example: maas admin pod update 1 host=10.0.0.5 default_macvlan_mode=bridge
"""
_WIDTH = 100


def of_profile(profile: str, nouns: Mapping[str, Noun]) -> str:
    """List all nouns."""
    lines = [_line(name, noun.doc.strip().partition("\n")[0]) for name, noun in nouns.items()]
    return f"usage: maas {profile} NOUN VERB …\n\n" + "".join(lines)


def of_noun(profile: str, noun: Noun) -> str:
    """List the verbs of a noun."""
    lines = [_line(_call(verb), verb.summary) for verb in noun.verbs.values()]
    return f"usage: maas {profile} {noun.name} VERB …\n\n{noun.doc.strip()}\n\n" + "".join(lines)


def of_verb(profile: str, noun: str, verb: Verb) -> str:
    """Show the parameters of a command."""
    params = verb.params
    arguments = "".join(f" {place.upper()}" for place in verb.places) + (" [KEY=VALUE …]" if params else "")
    lines = [_line("KEY" if name == ANY else name, text) for name, text in params.items()]
    usage = f"usage: maas {profile} {noun} {verb.name}{arguments}\n\n{verb.summary}\n"
    return usage + ("\n" + "".join(lines) if lines else "")


def _call(verb: Verb) -> str:
    return " ".join([verb.name, *(place.upper() for place in verb.places)])


def _line(name: str, text: str) -> str:
    indent = 28
    head = f"  {name}".ljust(indent - 1)
    if len(head) >= indent:
        return f"{head}\n" + textwrap.indent(textwrap.fill(text, _WIDTH - indent), " " * indent) + "\n"
    return textwrap.fill(f"{head} {text}", _WIDTH, subsequent_indent=" " * indent) + "\n"
