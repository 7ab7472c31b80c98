"""Boot images: list, build and delete."""

from collections.abc import Sequence
from itertools import dropwhile

from hostloom.model.access import Principal
from hostloom.model.errors.resources import NotFound
from hostloom.model.event import Event, EventSubjectKind, named_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.image import Flavour, Image
from hostloom.model.operation import Operation
from hostloom.ports.context import Ports
from hostloom.sagas.build_image import BUILD_IMAGE, BuildImageInput, images_of
from hostloom.sagas.saga import start_saga
from hostloom.services.access import require_admin, require_user


def list_(ports: Ports, principal: Principal, after: str | None = None) -> Sequence[Image]:
    """Newest first, optionally after a name; machines boot the first image of their flavour."""
    require_user(principal, "see boot images")
    images = images_of(ports.images).list()
    if after is None:
        return images
    return list(dropwhile(lambda image: image.name != after, images))[1:]


def get(ports: Ports, principal: Principal, name: str) -> Image:
    """A record by name; NotFound."""
    require_user(principal, "see boot images")
    image = images_of(ports.images).find(name)
    if image is None:
        raise NotFound("image", name)
    return image


def build(ports: Ports, principal: Principal, flavour: Flavour) -> Operation:
    """Record an operation that builds an image on the server."""
    require_admin(principal, "build boot images")
    images_of(ports.images)
    with ports.store.begin() as uow:
        build_image_input = BuildImageInput(flavour)
        operation = start_saga(uow, ports, principal, BUILD_IMAGE, build_image_input, f"image {flavour}")
        uow.commit()
    return operation


def delete(ports: Ports, principal: Principal, name: str) -> None:
    """A record by name; NotFound."""
    require_admin(principal, "delete boot images")
    images_of(ports.images).delete(name)
    subject = named_subject(EventSubjectKind.IMAGE, name)
    with ports.store.begin() as uow:
        uow.events.add(Event(EventKind.IMAGE_DELETED, subject, "was deleted", ports.clock.now()))
        uow.commit()
