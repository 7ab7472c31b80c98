"""The commands and groups of commands of the first level: their help lines, and where their code is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A command or a group of commands, and where its code is."""

    name: str
    #: `MODULE:ATTRIBUTE`, a module of hostloom.cli: a Typer app, or the function of a single command.
    target: str
    #: The line of the help page that lists the commands; for a group, the title of its own help page too.
    help: str
    panel: str


NETWORK, HOSTS, ACCESS, HERE = (
    "The network",
    "Hosts and machines",
    "Users and groups",
    "Server, login and world files",
)

ENTRIES = (
    Entry(
        "login",
        "access:login",
        "Store a server and a token after testing them; only you can read the file.",
        HERE,
    ),
    Entry("logout", "access:logout", "Forget the server and token that `login` stored.", HERE),
    Entry(
        "simulate",
        "simulate:simulate",
        "Plan the cases of world files and check the results, or show what a change would do.",
        HERE,
    ),
    Entry(
        "serve",
        "serve:serve",
        "Run the server in the foreground until SIGTERM or Ctrl-C.",
        HERE,
    ),
    Entry("fabric", "fabrics:app", "Fabrics: sets of VLANs that are connected with each other.", NETWORK),
    Entry(
        "vlan",
        "vlans:app",
        "VLANs: broadcast domains, named FABRIC/VID; 0 is the untagged VLAN.",
        NETWORK,
    ),
    Entry("space", "spaces:app", "Spaces: groups of VLANs that may reach each other.", NETWORK),
    Entry("subnet", "subnets:app", "Subnets: IP prefixes on VLANs.", NETWORK),
    Entry(
        "range",
        "ranges:app",
        "IP ranges: `dynamic` ones are for DHCP leases; machines get no address of a `reserved` one (in an "
        "unmanaged subnet, they get addresses of reserved ranges only).",
        NETWORK,
    ),
    Entry("address", "addresses:app", "Addresses: who has which, and reserving one.", NETWORK),
    Entry("rack", "racks:app", "Racks: machines whose Kea serves DHCP on VLANs.", NETWORK),
    Entry("node", "nodes:app", "Nodes: everything with interfaces that hostloom knows.", HOSTS),
    Entry("host", "host_networks:app", "KVM hosts that hostloom manages.", HOSTS),
    Entry(
        "storage-pool",
        "storage_pools:app",
        "Storage pools of hosts, and the tags that disks select them by.",
        HOSTS,
    ),
    Entry("machine", "machines:app", "Machines: plan, compose, show, switch on and off, decompose.", HOSTS),
    Entry(
        "plan", "plans:app", "Plans: the result of a compose, shown in advance and applied unchanged.", HOSTS
    ),
    Entry("operation", "operations:app", "Operations: long actions and their steps.", HOSTS),
    Entry("image", "images:app", "Boot images: the system in which machines are commissioned.", HOSTS),
    Entry("event", "events:app", "Events: the history of hosts, machines and the network.", HOSTS),
    Entry(
        "reconciler",
        "reconcilers:app",
        "Reconcilers: the server's repeated work, and how its last run went.",
        HOSTS,
    ),
    Entry("zone", "groupings:zone", "Zones: locations of nodes, hosts and machines.", ACCESS),
    Entry(
        "resource-pool",
        "groupings:resource_pool",
        "Resource pools: groups of machines and hosts that rights attach to.",
        ACCESS,
    ),
    Entry("domain", "groupings:domain", "DNS domains.", ACCESS),
    Entry("tag", "groupings:tag", "Tags: words for finding and choosing nodes, hosts and machines.", ACCESS),
    Entry("user", "access:user", "Users of this hostloom.", ACCESS),
    Entry("token", "access:token", "Tokens: what users authenticate with instead of a password.", ACCESS),
    Entry(
        "apikey",
        "apikeys:apikey",
        "API keys for clients of MAAS's API (Terraform, Ansible, Juju, `maas`).",
        ACCESS,
    ),
    Entry(
        "world",
        "world:app",
        "World files: the network and hosts as a file, for what-if questions and bug reports.",
        HERE,
    ),
    Entry("import", "imports:app", "Import the inventory of another system.", HERE),
)
