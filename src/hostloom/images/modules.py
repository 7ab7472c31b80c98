"""Which kernel modules an image has: those that it names and all that they need; pure.

Files are read as depmod(8) writes them.
"""

from collections.abc import Iterable, Mapping, Sequence

#: How distributions compress modules; inside an image they are plain, as the image itself is compressed.
COMPRESSIONS = (".zst", ".xz", ".gz")


def parse_dependencies(text: str) -> dict[str, tuple[str, ...]]:
    """Of `modules.dep`: what each module needs, by path."""
    found = {}
    for line in text.splitlines():
        path, _, needs = line.partition(":")
        found[path.strip()] = tuple(needs.split())
    return found


def choose_modules(dependencies: Mapping[str, Sequence[str]], wanted: Iterable[str]) -> list[str]:
    """Paths in the order in which they can be loaded, of what is wanted and there.

    `wanted` names a module (`virtio_net`), or a folder of them (`drivers/net/ethernet/`).
    """
    names = list(wanted)
    folders = tuple(f"kernel/{name}" for name in names if name.endswith("/"))
    single = {_key(name) for name in names if not name.endswith("/")}
    chosen: dict[str, None] = {}
    for path in sorted(dependencies):
        if path.startswith(folders) or _key(name_of(path)) in single:
            _add(path, dependencies, chosen)
    return list(chosen)


def _add(path: str, dependencies: Mapping[str, Sequence[str]], chosen: dict[str, None]) -> None:
    if path in chosen:
        return
    # depmod writes the whole closure, the last to be loaded first
    for each in reversed(dependencies.get(path, ())):
        _add(each, dependencies, chosen)
    chosen[path] = None


def name_of(path: str) -> str:
    """`virtio_net` of `kernel/drivers/net/virtio_net.ko.xz`."""
    return plain(path).rpartition("/")[2].removesuffix(".ko")


def plain(path: str) -> str:
    """The path without the ending of its compression."""
    for ending in COMPRESSIONS:
        if path.endswith(f".ko{ending}"):
            return path.removesuffix(ending)
    return path


def _key(name: str) -> str:
    """The kernel takes both for the same."""
    return name.replace("-", "_")


def render_dependencies(dependencies: Mapping[str, Sequence[str]], chosen: Iterable[str]) -> str:
    """`modules.dep` of what was chosen."""
    lines = (
        f"{plain(path)}: {' '.join(plain(each) for each in dependencies.get(path, ()))}".rstrip()
        for path in sorted(chosen)
    )
    return "".join(f"{line}\n" for line in lines)


def choose_aliases(text: str, chosen: Iterable[str]) -> str:
    """Of `modules.alias` (or `modules.softdep`) the lines about what was chosen."""
    names = {_key(name_of(path)) for path in chosen}
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return "".join(f"{line}\n" for line in lines if names & {_key(subject) for subject in _subjects(line)})


def _subjects(line: str) -> list[str]:
    """The module that a line is about: an alias names it last, a soft dependency second."""
    words = line.split()
    return words[-1:] if words[0] == "alias" else words[1:2]
