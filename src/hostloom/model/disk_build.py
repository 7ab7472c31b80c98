"""The build of a disk image from a distribution's packages."""

import re
from dataclasses import dataclass

from hostloom.model.errors.values import InvalidValue
from hostloom.model.image import Flavour

#: Packages that a build may add to its recipe.
MAX_PACKAGES = 100
#: How Debian names packages (Debian Policy, section 5.6.7).
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{1,99}")


@dataclass(frozen=True, slots=True)
class DiskBuild:
    """The recipe of a build and its variant."""

    recipe: str
    #: The kernel: `virtual` has the drivers of virtual machines only.
    flavour: Flavour = Flavour.VIRTUAL
    #: With QEMU, libvirt and firmware; needs the generic kernel.
    kvm: bool = False
    #: With Open vSwitch; only together with `kvm`.
    ovs: bool = False
    #: In place of the recipe's mirror; empty: the mirror that the server's apt uses.
    mirror: str = ""
    #: The same for the suite with security updates.
    security_mirror: str = ""
    #: Packages beside those of the recipe.
    packages: tuple[str, ...] = ()

    @property
    def variant(self) -> str:
        """The name of recipe and variant, which the image gets unless it is given another one."""
        endings = {"kvm": self.kvm, "ovs": self.ovs}
        if self.flavour is Flavour.GENERIC and not self.kvm:
            endings = {"generic": True}
        return "-".join([self.recipe, *(ending for ending, applies in endings.items() if applies)])


@dataclass(frozen=True, slots=True)
class InstalledSystem:
    """The packages of a disk image, installed and packed, but not yet a disk."""

    size_bytes: int
    sha256: str


def check_packages(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of packages, sorted and each once; InvalidValue."""
    if len(names) > MAX_PACKAGES:
        raise InvalidValue("packages", len(names), "is too many", f"name at most {MAX_PACKAGES}")
    for name in names:
        if not _PACKAGE.fullmatch(name):
            raise InvalidValue(
                "packages",
                name,
                "is not a name of a package",
                "use 2 to 100 lower-case letters, digits and the characters `+.-`",
            )
    return tuple(sorted(set(names)))
