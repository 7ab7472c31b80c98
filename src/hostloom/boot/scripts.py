"""iPXE scripts (https://ipxe.org/scripting), which control a machine after its firmware has an address.

No script ends in a prompt: failed downloads are retried, then the machine boots its disk.
"""

from dataclasses import dataclass, field

from hostloom.model.commissioning import BootAction
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress, check_hostname

#: Number of attempts to load the boot files.
ATTEMPTS = 3
PAUSE_S = 5


@dataclass(frozen=True)
class MachineBoot:
    """The current boot of one machine.

    InvalidValue for a value that is unsafe in one line of a script.
    """

    hostname: str
    action: BootAction
    #: Text for the console, in one line.
    why: str = ""
    #: The folder of kernel and initramfs under `/images`; empty: boot the machine's disk.
    image: str = ""
    #: One-time token for a report; empty: the machine does not report.
    secret: str = field(default="", repr=False)
    #: Additional arguments for the kernel's command line.
    kernel_options: str = ""
    #: Token for the report that the machine is up.
    up_secret: str = field(default="", repr=False)
    #: Whether a bootable disk is preferred to the image.
    disk_first: bool = False

    def __post_init__(self) -> None:
        check_hostname(self.hostname, "hostname")
        for name in ("why", "secret", "kernel_options", "up_secret"):
            if not getattr(self, name).isprintable():
                raise InvalidValue(
                    name,
                    None,
                    "has characters that are not printable",
                    "use one line of printable characters",
                )


#: Boots the disk. A BIOS may ignore its next boot device after iPXE's `exit`, so iPXE starts the first disk
#: itself and exits only if that fails. UEFI has no drive 0x80, and the firmware tries its next boot option
#: only after a failure (UEFI 3.1.1), so iPXE ends with one.
_TO_DISK = """\
iseq ${platform} efi && goto efi ||
sanboot --no-describe --drive 0x80 ||
echo hostloom: no disk could be started; the firmware goes on
exit
:efi
exit 1
"""


#: A disk without a boot sector fails immediately. Under UEFI iPXE cannot start a disk and return.
_DISK_FIRST = """\
iseq ${platform} efi || sanboot --no-describe --drive 0x80 ||
echo hostloom: no system starts from its disk
"""


def chain_script(base_url: str) -> str:
    """The first script, which requests the machine's script by the MAC of the NIC that booted.

    If the machine's script is not available, the machine boots its disk: hostloom may not manage it.
    """
    # Device netX is the device opened last; net0 is always the first one, whichever of them booted.
    chain = f"chain --replace {base_url}/machine/${{netX/mac:hexhyp}}.ipxe ||\n"
    retry_message = f"echo hostloom: the boot script could not be loaded; trying again in {PAUSE_S} seconds\n"
    return (
        "#!ipxe\n"
        f"{chain}"
        f"{retry_message}sleep {PAUSE_S}\n{chain}"
        f"{retry_message}sleep {PAUSE_S}\n{chain}"
        "echo hostloom: the boot script could not be loaded; booting from disk\n"
        f"{_TO_DISK}"
    )


def machine_script(boot: MachineBoot, mac: MacAddress, base_url: str) -> str:
    """The script for the machine's current boot."""
    heading = f"#!ipxe\necho hostloom: {boot.hostname} ({mac}) boots {_plain(boot.why)}\n"
    if boot.action is BootAction.LOCAL or not boot.image:
        return heading + _TO_DISK
    image = f"{base_url}/images/{boot.image}"
    return (
        f"{heading}"
        f"{_DISK_FIRST if boot.disk_first else ''}"
        "set attempt:int32 0\n"
        ":again\n"
        "imgfree ||\n"
        f"kernel {image}/kernel {_options(boot, mac, base_url)} || goto failed\n"
        f"initrd --name initrd {image}/initrd || goto failed\n"
        "boot || goto failed\n"
        ":failed\n"
        "inc attempt\n"
        f"echo hostloom: the boot files could not be loaded (try ${{attempt}} of {ATTEMPTS})\n"
        f"iseq ${{attempt}} {ATTEMPTS} && goto disk ||\n"
        f"echo hostloom: trying again in {PAUSE_S} seconds\n"
        f"sleep {PAUSE_S}\n"
        "goto again\n"
        ":disk\n"
        "echo hostloom: booting from disk\n"
        f"{_TO_DISK}"
    )


def _options(boot: MachineBoot, mac: MacAddress, base_url: str) -> str:
    """The kernel's command line; `initrd=` names the initramfs for kernels started by UEFI."""
    arguments = ["console=ttyS0", "initrd=initrd", f"hl.action={boot.action}", f"hl.url={base_url}"]
    if boot.secret:
        arguments.append(f"hl.token={boot.secret}")
    arguments += [f"hl.name={boot.hostname}", f"BOOTIF={mac}"]
    if boot.up_secret:
        arguments.append(f"hl.up={boot.up_secret}")
    return " ".join([*arguments, *boot.kernel_options.split()])


def _plain(text: str) -> str:
    """Escape text for `echo`, because iPXE expands `${…}` and comments there."""
    return "".join(c for c in text if c not in "${}#&|;\"'\\`")
