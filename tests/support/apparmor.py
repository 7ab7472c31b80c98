"""What an AppArmor profile says of files, as far as Kea's need it; the kernel here may have no AppArmor."""

import re
from dataclasses import dataclass
from pathlib import Path

#: What `abstractions/base` and `abstractions/nameservice` allow to be read, by their text in AppArmor 3.0:
#: libraries, the dynamic linker's files, locales and time zones, random numbers, oneself in /proc, and NSS.
ABSTRACTIONS = """\
  /{usr/,}lib{,32,64}/** rm,
  /etc/ld.so.{cache,preload} r,
  /etc/{localtime,nsswitch.conf,passwd,group,hosts,host.conf,resolv.conf,services,protocols,gai.conf} r,
  /usr/share/{zoneinfo,locale,locale-langpack}/** r,
  /usr/lib/locale/** r,
  /dev/{null,zero,full,random,urandom} rw,
  /proc/{meminfo,stat,cpuinfo} r,
  /proc/[0-9]*/{maps,auxv,status} r,
  /proc/sys/{kernel/version,kernel/ngroups_max,vm/overcommit_memory} r,
  /sys/devices/system/cpu/{online,possible} r,
"""
_RULE = re.compile(r"^\s*(?:owner\s+)?(/\S+)\s+([a-zA-Z]+),\s*$")


@dataclass(frozen=True)
class Profile:
    """Rules of files: a pattern of paths, and what may be done: some of `rwkmx`."""

    rules: tuple[tuple["re.Pattern[str]", str], ...]

    def allows(self, path: str, access: str) -> bool:
        """Whether rules allow each letter of `access`; `w` allows to create and remove, too."""
        given = "".join(letters for pattern, letters in self.rules if pattern.fullmatch(path))
        return set(access) <= set(given.lower())


def read_profile(path: Path) -> Profile:
    """A profile of one program, with what it includes of ABSTRACTIONS."""
    text = path.read_text() + ABSTRACTIONS
    found = (_RULE.match(line) for line in text.splitlines())
    return Profile(tuple((_pattern(each[1]), each[2]) for each in found if each is not None))


def _pattern(glob: str) -> "re.Pattern[str]":
    """`*` stays in a directory, `**` does not, `{a,b}` is one of them, `[0-9]` one of a class."""
    parts = re.findall(r"\*\*|\*|\?|\[[^]]*\]|\{|\}|,|[^*?\[{},]+", glob)
    words = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
    return re.compile("".join(words.get(p) or (p if p.startswith("[") else re.escape(p)) for p in parts))
