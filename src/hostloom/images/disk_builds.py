"""Builds disk images: mmdebstrap installs the packages, DiskAssembly makes the disk."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from hostloom.images.build_programs import as_root, check_programs, run
from hostloom.images.convert import hash_file
from hostloom.images.disk_assembly import DiskAssembly
from hostloom.images.disk_layout import DiskLayout
from hostloom.images.disk_recipes import check_build, hooks, package_names, source_lines
from hostloom.images.import_files import check_room, import_folder, writing
from hostloom.images.limits import GIB
from hostloom.model.disk_build import DiskBuild, InstalledSystem
from hostloom.model.disk_import import FetchedFile
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.ports.disk_images import Progress

#: mmdebstrap may run so long: it downloads, unpacks and configures some hundred packages.
_INSTALL_TIMEOUT_S = 3600.0
#: What a build may need in the image folder and in `scratch`, at most.
_NEEDED_BYTES = 4 * GIB
_ARCHIVE = "system.tar"


class MmdebstrapBuilds:
    """Builds in the folder of imports, and in a folder for mmdebstrap.

    mmdebstrap works as another user of a user namespace, who must reach its folder; the server's own folders
    are closed to others.
    """

    def __init__(self, directory: Path, scratch: Path = Path("/var/tmp")) -> None:  # noqa: S108  (closed to others)
        self._directory, self._scratch = directory, scratch

    def check(self, build: DiskBuild) -> str:
        """The recipe's title; InvalidValue or, without the programs, DiskImageFailed."""
        recipe = check_build(build)
        check_programs()
        return recipe.title

    def install(self, work: str, build: DiskBuild, progress: Progress) -> InstalledSystem:
        """Let mmdebstrap install the packages and pack them."""
        recipe, what = check_build(build), f"image {build.variant}"
        folder, scratch = import_folder(self._directory, work), self._scratch_of(work)
        archive = folder / _ARCHIVE
        self._discard_scratch(work)
        with writing(what):
            folder.mkdir(parents=True, exist_ok=True)
            archive.unlink(missing_ok=True)
            scratch.mkdir(mode=0o755)
            scratch.chmod(0o755)
            for place in (folder, scratch):
                check_room(place, _NEEDED_BYTES, what, shutil.disk_usage(place).free)
            # The size of the disk does not matter to the scripts, only the UUIDs.
            before, after = hooks(recipe, build, DiskLayout(build.variant, 0))
            command = [
                *("mmdebstrap", "--mode=unshare", "--variant=minbase", "--format=tar"),
                f"--architectures={recipe.architecture}",
                f"--include={','.join(package_names(recipe, build))}",
                '--aptopt=Apt::Install-Recommends "false"',
                f"--essential-hook={before}",
                f"--customize-hook={after}",
                *(recipe.codename, str(archive), *source_lines(recipe, build, _server_archives(progress))),
            ]
            run(
                command,
                what,
                progress=progress,
                timeout_s=_INSTALL_TIMEOUT_S,
                environment={"SOURCE_DATE_EPOCH": str(recipe.source_date_epoch), "TMPDIR": str(scratch)},
                cwd=scratch,
            )
            self._discard_scratch(work)
            with archive.open("rb") as opened:
                return InstalledSystem(archive.stat().st_size, hash_file(opened))

    def assemble(self, work: str, build: DiskBuild, progress: Progress) -> FetchedFile:
        """Make the disk; it is the file `source` of the import."""
        recipe, what = check_build(build), f"image {build.variant}"
        folder = import_folder(self._directory, work)
        disk = folder / "source"
        with writing(what):
            assembly = DiskAssembly(folder, build.variant, recipe.source_date_epoch, progress)
            try:
                assembly.write(assembly.unpack(folder / _ARCHIVE), disk)
            except ValueError as error:
                raise DiskImageFailed(what, str(error), "built") from error
            assembly.discard()
            with disk.open("rb") as opened:
                return FetchedFile(disk.stat().st_size, hash_file(opened))

    def discard_build(self, work: str) -> None:
        """Delete the archive and the folders with files of the system."""
        folder = import_folder(self._directory, work)
        if (folder / "tree").exists():
            DiskAssembly(folder, work, 0, _no_progress).discard()
        (folder / _ARCHIVE).unlink(missing_ok=True)
        self._discard_scratch(work)

    def _scratch_of(self, work: str) -> Path:
        return self._scratch / f"hostloom-build-{import_folder(self._directory, work).name}"

    def _discard_scratch(self, work: str) -> None:
        """Delete what a mmdebstrap left that was killed; its files belong to users of the namespace."""
        folder = self._scratch_of(work)
        if folder.is_dir() and not folder.is_symlink():
            run(
                as_root(["rm", "-rf", "--one-file-system", str(folder)]),
                f"the folder {folder}",
                progress=_no_progress,
            )


def _server_archives(progress: Progress) -> Mapping[str, str]:
    """The archives that the server's apt uses, by suite; empty if apt is not there or does not say."""
    try:
        listing = run(
            ["apt-get", "indextargets", "Created-By: Packages", "--format", "$(CODENAME) $(REPO_URI)"],
            "the list of the server's package archives",
            progress=progress,
        )
    except DiskImageFailed:
        return {}
    pairs = (line.split() for line in listing.splitlines())
    return {
        pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1].startswith(("http://", "https://"))
    }


def _no_progress(_done: int, _total: int | None) -> None:
    """Deleting is not interrupted."""
