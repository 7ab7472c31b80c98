"""Help: what there is, and what each command takes, from the server's description."""

import textwrap
from collections.abc import Mapping

from maas_cli.described import ANY, Noun, Verb

USAGE = """\
usage: maas login [-k] PROFILE URL [KEY]    name a server and a key (KEY of `-`: from standard input)
       maas list                            show the profiles
       maas refresh                         ask the servers of all profiles what they can do
       maas logout PROFILE                  forget a profile
       maas PROFILE                         show what a server can do
       maas PROFILE NOUN                    show the verbs of a noun
       maas PROFILE NOUN VERB --help        show what a command takes
       maas PROFILE NOUN VERB [ID …] [KEY=VALUE …] [KEY@=FILE …]

  -k, --insecure       do not look at the server's certificate
  -d, --debug          show the request's line and the answer's headers
  --completion bash    print a script: eval "$(maas --completion bash)"
  --version, -h, --help

example: maas admin pod update 1 host=10.0.0.5 default_macvlan_mode=bridge
"""
_WIDTH = 100


def of_profile(profile: str, nouns: Mapping[str, Noun]) -> str:
    """All nouns."""
    lines = [_line(name, noun.doc.strip().partition("\n")[0]) for name, noun in nouns.items()]
    return f"usage: maas {profile} NOUN VERB …\n\n" + "".join(lines)


def of_noun(profile: str, noun: Noun) -> str:
    """Its verbs."""
    lines = [_line(_call(verb), verb.summary) for verb in noun.verbs.values()]
    return f"usage: maas {profile} {noun.name} VERB …\n\n{noun.doc.strip()}\n\n" + "".join(lines)


def of_verb(profile: str, noun: str, verb: Verb) -> str:
    """What it takes."""
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
