"""Build a boot image: fetch the kernel's packages, pack, activate, and delete old images."""

from dataclasses import dataclass

from hostloom.model.errors.outside import ImageFailed
from hostloom.model.event import Event, EventSubjectKind, named_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.image import Flavour, Image
from hostloom.ports.images import ImageStore
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.saga import Run, Saga, Step


@dataclass(frozen=True)
class BuildImageInput:
    """The image to build."""

    flavour: Flavour


@dataclass(frozen=True)
class Fetched:
    """The file names of the kernel's packages."""

    packages: tuple[str, ...]


def images_of(images: ImageStore | None) -> ImageStore:
    """The image store; ImageFailed on a server without one."""
    if images is None:
        raise ImageFailed("image_dir", "this server keeps no boot images")
    return images


def _fetch(run: Run[BuildImageInput]) -> Fetched:
    return Fetched(images_of(run.ports.images).fetch(run.input.flavour))


def _build(run: Run[BuildImageInput]) -> Image:
    return images_of(run.ports.images).build(run.input.flavour, run.output(FETCH).packages)


def _prune(run: Run[BuildImageInput]) -> None:
    images_of(run.ports.images).prune(run.output(BUILD), run.output(FETCH).packages)


def _tell(run: Run[BuildImageInput], uow: UnitOfWork) -> None:
    image = run.output(BUILD)
    size_mib = sum(file.size_bytes for file in image.files) / 2**20
    text = f"is built from kernel {image.kernel_version}, {size_mib:.1f} MiB; machines boot it from now on"
    subject = named_subject(EventSubjectKind.IMAGE, image.name)
    uow.events.add(Event(EventKind.IMAGE_BUILT, subject, text, run.ports.clock.now()))


FETCH = Step[BuildImageInput, Fetched]("fetch", Fetched, do=_fetch)
BUILD = Step[BuildImageInput, Image]("build", Image, do=_build)
PRUNE = Step[BuildImageInput, None]("prune", do=_prune)
TELL = Step[BuildImageInput, None]("tell", rows=_tell)

BUILD_IMAGE = Saga("build-image", BuildImageInput, (FETCH, BUILD, PRUNE, TELL))
