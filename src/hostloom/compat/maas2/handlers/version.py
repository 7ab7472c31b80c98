"""`version/`: the version of the API, which clients check."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Resource
from hostloom.compat.maas2.responses import MaasResponse, answer

#: The last version of MAAS with KVM hosts.
VERSION = "3.7.0"
CAPABILITIES = (
    "networks-management",
    "static-ipaddresses",
    "ipv6-deployment-ubuntu",
    "devices-management",
    "storage-deployment-ubuntu",
    "network-deployment-ubuntu",
    "bridging-interface-ubuntu",
    "bridging-automatic-ubuntu",
    "authenticate-api",
)

version = Resource("Version", "version/", "The version of the API.", anonymous=True)
RESOURCES = (version,)


@version.crud("read", "Show the version of the API and its capabilities.")
def read_version(_: Call) -> MaasResponse:
    """Return the version as `X.Y.Z`, because clients parse it."""
    return answer({"version": VERSION, "subversion": "", "capabilities": list(CAPABILITIES)})
