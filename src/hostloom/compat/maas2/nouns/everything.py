"""Every resource of the façade, in the order in which it is described."""

from hostloom.compat.maas2.catalogue import Catalogue
from hostloom.compat.maas2.nouns import (
    account,
    fabrics,
    groups,
    ipranges,
    machines,
    spaces,
    subnets,
    users,
    version,
    vlans,
    vm_hosts,
)

CATALOGUE = Catalogue(
    (
        *version.RESOURCES,
        *account.RESOURCES,
        *users.RESOURCES,
        *fabrics.RESOURCES,
        *vlans.RESOURCES,
        *spaces.RESOURCES,
        *subnets.RESOURCES,
        *ipranges.RESOURCES,
        *groups.RESOURCES,
        *vm_hosts.RESOURCES,
        *machines.RESOURCES,
    )
)
