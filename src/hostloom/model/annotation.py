"""What a client of a foreign API keeps with one of our things, though it means nothing to hostloom."""

from enum import StrEnum


class Annotated(StrEnum):
    """The kinds of things that have annotations; they go when the thing goes."""

    #: By system id.
    NODE = "node"
    #: All others by id.
    SUBNET = "subnet"
    DOMAIN = "domain"
    TAG = "tag"
    USER = "user"
