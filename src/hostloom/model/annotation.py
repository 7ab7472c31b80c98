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


#: Names of what an import keeps: the owner of a device, the machine that it is part of, what MAAS knew of the
#: NICs of a node (by name), and the time to live of a domain's records.
OWNER, PARENT, NICS, TTL = "owner", "parent", "nics", "ttl"
#: Of one NIC: links without an address, addresses that MAAS called static, and MAAS's parameters.
LINKS, STATIC, PARAMS = "links", "static", "params"
#: Of a subnet: the static routes of machines on it.
STATIC_ROUTES = "static_routes"
