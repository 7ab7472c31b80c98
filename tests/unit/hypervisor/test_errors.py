"""libvirt's errors as ours."""

import errno

import libvirt
import pytest

from hostloom.hypervisor.errors import is_connection_lost, is_missing, translate
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostRefused, HostUnreachable, HypervisorRejected


def error(code: int, domain: int = libvirt.VIR_FROM_QEMU, int1: int = -1) -> libvirt.libvirtError:
    made = libvirt.libvirtError("call failed")
    made.err = (code, domain, "in libvirt's words", 2, "", "", "", int1, -1)
    return made


@pytest.mark.parametrize(
    ("cause", "opening", "wanted"),
    [
        (error(libvirt.VIR_ERR_AUTH_FAILED), False, HostRefused),
        (error(libvirt.VIR_ERR_ACCESS_DENIED), False, HostRefused),
        (error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC, errno.EACCES), True, HostRefused),
        (
            error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC, errno.ECONNREFUSED),
            True,
            HostUnreachable,
        ),
        (error(libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_RPC), False, HostUnreachable),
        (error(libvirt.VIR_ERR_INVALID_CONN), False, HostUnreachable),
        (error(libvirt.VIR_ERR_NO_CONNECT), True, HostUnreachable),
        (error(libvirt.VIR_ERR_INTERNAL_ERROR), False, HypervisorRejected),
        # A file that the host's libvirt may not open is not us being refused.
        (
            error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_STORAGE, errno.EACCES),
            False,
            HypervisorRejected,
        ),
        (error(libvirt.VIR_ERR_XML_ERROR), False, HypervisorRejected),
    ],
)
def test_translation(cause: libvirt.libvirtError, opening: bool, wanted: type[DriverError]) -> None:
    found = translate(cause, "kvm1", "define machine web1", opening=opening)
    assert type(found) is wanted
    assert "in libvirt's words" in str(found)
    assert "kvm1" in str(found)


def test_what_is_missing_and_what_is_lost() -> None:
    assert is_missing(error(libvirt.VIR_ERR_NO_STORAGE_VOL))
    assert not is_missing(error(libvirt.VIR_ERR_OPERATION_FAILED))
    assert is_connection_lost(error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC))
    assert not is_connection_lost(error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_QEMU))
