"""iPXE scripts (https://ipxe.org/scripting): what a machine does once its firmware has an address.

No script ends in a prompt: what cannot be loaded is tried again, then the machine goes on to its own disk.
"""

from dataclasses import dataclass, field

from hostloom.model.commissioning import BootAction
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress, check_hostname

#: Tries to load the boot files.
ATTEMPTS = 3
PAUSE_S = 5


@dataclass(frozen=True)
class MachineBoot:
    """What one machine boots now, as its script needs it.

    InvalidValue for what would be more than words on one line of a script.
    """

    hostname: str
    action: BootAction
    #: Shown on the console: one line.
    why: str = ""
    #: The folder of kernel and initramfs under `/images`; empty: its own disk.
    image: str = ""
    #: Leave to report once; empty: it does not report.
    secret: str = field(default="", repr=False)
    #: More for the kernel's command line.
    kernel_options: str = ""
    #: Leave to say that it is up.
    up_secret: str = field(default="", repr=False)
    #: A system that starts from its disk is preferred to the image.
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


#: On to the disk. A BIOS need not try its next boot device after iPXE's `exit`, so that iPXE starts the first
#: disk itself, and leaves it to the BIOS only where that fails. Under UEFI there is no drive 0x80, and the
#: firmware goes on to its next boot option by itself: after a failure only (UEFI 3.1.1), so iPXE ends in one.
_TO_DISK = """\
iseq ${platform} efi && goto efi ||
sanboot --no-describe --drive 0x80 ||
echo hostloom: no disk could be started; the firmware goes on
exit
:efi
exit 1
"""


#: A disk without a boot sector fails at once. Under UEFI iPXE cannot start a disk and come back.
_DISK_FIRST = """\
iseq ${platform} efi || sanboot --no-describe --drive 0x80 ||
echo hostloom: no system starts from its disk
"""


def chain_script(base_url: str) -> str:
    """The first script: it asks for the machine's own, by the MAC of the NIC that booted.

    A machine that cannot have its script is left to its own disk: it may be none of ours.
    """
    # netX is the device opened last; net0 is the first one, whichever of them booted.
    chain = f"chain --replace {base_url}/machine/${{netX/mac:hexhyp}}.ipxe ||\n"
    again = f"echo hostloom: the boot script could not be loaded; trying again in {PAUSE_S} seconds\n"
    return (
        "#!ipxe\n"
        f"{chain}"
        f"{again}sleep {PAUSE_S}\n{chain}"
        f"{again}sleep {PAUSE_S}\n{chain}"
        "echo hostloom: the boot script could not be loaded; booting from disk\n"
        f"{_TO_DISK}"
    )


def machine_script(boot: MachineBoot, mac: MacAddress, base_url: str) -> str:
    """What this machine boots now."""
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
    """The kernel's command line; `initrd=` names the initramfs for kernels that UEFI starts."""
    words = ["console=ttyS0", "initrd=initrd", f"hl.action={boot.action}", f"hl.url={base_url}"]
    if boot.secret:
        words.append(f"hl.token={boot.secret}")
    words += [f"hl.name={boot.hostname}", f"BOOTIF={mac}"]
    if boot.up_secret:
        words.append(f"hl.up={boot.up_secret}")
    return " ".join([*words, *boot.kernel_options.split()])


def _plain(text: str) -> str:
    """iPXE reads `${…}` and comments in what it is to print."""
    return "".join(c for c in text if c not in "${}#&|;\"'\\`")
