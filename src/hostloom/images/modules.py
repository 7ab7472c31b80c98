"""Selects the kernel modules of an image and their dependencies; pure.

Files are read as depmod(8) writes them.
"""

from collections.abc import Iterable, Mapping, Sequence

#: Compressed module files; the image contains them uncompressed, because it is compressed as a whole.
COMPRESSIONS = (".zst", ".xz", ".gz")


def parse_dependencies(text: str) -> dict[str, tuple[str, ...]]:
    """Parse `modules.dep`: the dependencies of each module, by path."""
    dependencies = {}
    for line in text.splitlines():
        path, _, needs = line.partition(":")
        dependencies[path.strip()] = tuple(needs.split())
    return dependencies


def choose_modules(dependencies: Mapping[str, Sequence[str]], names: Iterable[str]) -> list[str]:
    """Paths of the existing wanted modules and their dependencies, in loading order.

    A name is that of a module (`virtio_net`) or of a folder of modules (`drivers/net/ethernet/`).
    """
    names = tuple(names)
    folders = tuple(f"kernel/{name}" for name in names if name.endswith("/"))
    single = {_key(name) for name in names if not name.endswith("/")}
    paths: dict[str, None] = {}
    for path in sorted(dependencies):
        if path.startswith(folders) or _key(name_of(path)) in single:
            _add(path, dependencies, paths)
    return list(paths)


def _add(path: str, dependencies: Mapping[str, Sequence[str]], paths: dict[str, None]) -> None:
    if path in paths:
        return
    # depmod writes the whole closure, the last to be loaded first
    for dependency in reversed(dependencies.get(path, ())):
        _add(dependency, dependencies, paths)
    paths[path] = None


def name_of(path: str) -> str:
    """The module name `virtio_net` of `kernel/drivers/net/virtio_net.ko.xz`."""
    return plain(path).rpartition("/")[2].removesuffix(".ko")


def plain(path: str) -> str:
    """The path without the suffix of its compression."""
    for ending in COMPRESSIONS:
        if path.endswith(f".ko{ending}"):
            return path.removesuffix(ending)
    return path


def _key(name: str) -> str:
    """The name in one spelling, because the kernel does not distinguish `-` and `_`."""
    return name.replace("-", "_")


def render_dependencies(dependencies: Mapping[str, Sequence[str]], paths: Iterable[str]) -> str:
    """`modules.dep` of the chosen modules."""
    lines = (
        f"{plain(path)}: {' '.join(plain(dependency) for dependency in dependencies.get(path, ()))}".rstrip()
        for path in sorted(paths)
    )
    return "".join(f"{line}\n" for line in lines)


def choose_aliases(text: str, paths: Iterable[str]) -> str:
    """The lines of `modules.alias` or `modules.softdep` about the chosen modules."""
    names = {_key(name_of(path)) for path in paths}
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return "".join(f"{line}\n" for line in lines if names & {_key(subject) for subject in _subjects(line)})


def _subjects(line: str) -> list[str]:
    """The module of a line: last in an alias, second in a soft dependency."""
    fields = line.split()
    return fields[-1:] if fields[0] == "alias" else fields[1:2]
