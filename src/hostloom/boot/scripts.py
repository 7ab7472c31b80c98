"""iPXE scripts (https://ipxe.org/scripting): what a machine does once its firmware has an address."""

from dataclasses import dataclass

from hostloom.model.ids import MacAddress


@dataclass(frozen=True)
class MachineBoot:
    """A machine that we know, as its boot script needs it."""

    hostname: str
    #: More for the kernel's command line.
    kernel_options: str = ""


def chain_script(base_url: str) -> str:
    """The first script: it asks for the machine's own, by the MAC of the NIC that booted."""
    return f"#!ipxe\nchain --replace {base_url}/machine/${{net0/mac:hexhyp}}.ipxe\n"


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
