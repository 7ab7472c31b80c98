"""Every resource of the façade, in the order in which it is described."""

from hostloom.compat.maas2.catalogue import Catalogue
from hostloom.compat.maas2.nouns import account, fabrics, users, version

CATALOGUE = Catalogue(
    (
        *version.RESOURCES,
        *account.RESOURCES,
        *users.RESOURCES,
        *fabrics.RESOURCES,
    )
)
