"""Maps libvirt's names to names of the model."""

from hostloom.model.attachment import MacvlanMode

#: libvirt spells one mode differently.
MODE_TO_LIBVIRT = {mode: mode.value for mode in MacvlanMode} | {MacvlanMode.PASSTHRU: "passthrough"}
MODE_FROM_LIBVIRT = {text: mode for mode, text in MODE_TO_LIBVIRT.items()}

#: Debian's architecture names, which MAAS clients use, to libvirt's.
ARCH_TO_LIBVIRT = {
    "amd64": "x86_64",
    "i386": "i686",
    "arm64": "aarch64",
    "ppc64el": "ppc64le",
    "s390x": "s390x",
}
ARCH_FROM_LIBVIRT = {text: architecture for architecture, text in ARCH_TO_LIBVIRT.items()}

#: Our mark in a domain's metadata.
NAMESPACE = "urn:hostloom:machine:1"
MARK = f"{{{NAMESPACE}}}machine"

#: Our mark in a network's metadata.
NETWORK_NAMESPACE = "urn:hostloom:network:1"
NETWORK_MARK = f"{{{NETWORK_NAMESPACE}}}network"

CONSOLE_LOG = "/var/log/libvirt/qemu/{name}.console.log"
