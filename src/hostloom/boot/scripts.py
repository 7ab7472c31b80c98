"""iPXE scripts (https://ipxe.org/scripting): what a machine does once its firmware has an address."""

from dataclasses import dataclass

from hostloom.model.errors import InvalidValue
from hostloom.model.ids import MacAddress, check_hostname


@dataclass(frozen=True)
class MachineBoot:
    """A machine that we know, as its boot script needs it.

    InvalidValue for what would be more than words on one line of a script.
    """

    hostname: str
    #: More for the kernel's command line.
    kernel_options: str = ""

    def __post_init__(self) -> None:
        check_hostname(self.hostname, "hostname")
        if not self.kernel_options.isprintable():
            raise InvalidValue("kernel_options", self.kernel_options, "printable characters on one line")


def chain_script(base_url: str) -> str:
    """The first script: it asks for the machine's own, by the MAC of the NIC that booted.

    A machine that cannot have its script is left to its own disk: it may be none of ours.
    """
    # netX is the device opened last; net0 is the first one, whichever of them booted.
    chain = f"chain --replace {base_url}/machine/${{netX/mac:hexhyp}}.ipxe ||\n"
    return (
        "#!ipxe\n"
        f"{chain}"
        "echo hostloom: the boot script could not be loaded; trying again in 5 seconds\n"
        "sleep 5\n"
        f"{chain}"
        "echo hostloom: the boot script could not be loaded; booting from disk\n"
        "exit\n"
    )


def machine_script(machine: MachineBoot, mac: MacAddress, base_url: str) -> str:
    """Load kernel and initramfs over HTTP; the guest reports to us when it is up."""
    options = f"console=ttyS0 initrd=initrd hl.url={base_url}/report hl.name={machine.hostname} BOOTIF={mac}"
    if machine.kernel_options:
        options += f" {machine.kernel_options}"
    return (
        "#!ipxe\n"
        f"echo hostloom: {machine.hostname}\n"
        f"kernel {base_url}/files/kernel {options} || goto failed\n"
        f"initrd --name initrd {base_url}/files/initrd || goto failed\n"
        "boot || goto failed\n"
        ":failed\n"
        "echo hostloom: the boot files could not be loaded; trying again in 5 seconds\n"
        "sleep 5\n"
        "reboot\n"
    )


def unknown_script(mac: MacAddress) -> str:
    """A machine that we do not know is left to its own disk."""
    return f"#!ipxe\necho hostloom: {mac} is no machine that hostloom knows; booting from disk\nexit\n"
