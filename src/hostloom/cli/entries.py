"""The top-level commands and groups: their help lines and the modules with their code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A command or a group of commands, with the location of its code."""

    name: str
    #: `MODULE:ATTRIBUTE`, a module of hostloom.cli: a Typer app, or the function of a single command.
    target: str
    #: The line in the list of commands; for a group, also the title of its help page.
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
    Entry("logout", "access:logout", "Delete the server and token that `login` stored.", HERE),
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
        "IP ranges: `dynamic` ones are for DHCP leases; `reserved` ones are not assigned to machines (in an "
        "unmanaged subnet, only reserved ranges are assigned).",
        NETWORK,
    ),
    Entry("address", "addresses:app", "Addresses and their holders; reserve or release addresses.", NETWORK),
    Entry("rack", "racks:app", "Racks: machines whose Kea serves DHCP on VLANs.", NETWORK),
    Entry("node", "nodes:app", "Nodes: all devices, machines and controllers with interfaces.", HOSTS),
    Entry("host", "host_networks:app", "KVM hosts that hostloom manages.", HOSTS),
    Entry(
        "storage-pool",
        "storage_pools:app",
        "Storage pools of hosts, and the tags by which disks select them.",
        HOSTS,
    ),
    Entry("machine", "machines:app", "Machines: plan, compose, show, start, stop, decompose.", HOSTS),
    Entry(
        "plan",
        "plans:app",
        "Plans: results of a compose that are shown in advance and applied unchanged.",
        HOSTS,
    ),
    Entry("operation", "operations:app", "Operations: long actions and their steps.", HOSTS),
    Entry(
        "image",
        "images:app",
        "Images: of systems that boot from the network, and of disks.",
        HOSTS,
    ),
    Entry("event", "events:app", "Events: the history of hosts, machines and the network.", HOSTS),
    Entry(
        "reconciler",
        "reconcilers:app",
        "Reconcilers: the server's periodic tasks and their last results.",
        HOSTS,
    ),
    Entry("zone", "groupings:zone", "Zones: locations of nodes, hosts and machines.", ACCESS),
    Entry(
        "resource-pool",
        "groupings:resource_pool",
        "Resource pools: groups of machines and hosts with common access rights.",
        ACCESS,
    ),
    Entry("domain", "groupings:domain", "DNS domains.", ACCESS),
    Entry("tag", "groupings:tag", "Tags: words for finding and choosing nodes, hosts and machines.", ACCESS),
    Entry("user", "access:user", "Users of this server.", ACCESS),
    Entry("ssh-key", "user_ssh_keys:app", "SSH keys of users, for the machines that they deploy.", ACCESS),
    Entry("token", "access:token", "Tokens: credentials of users, instead of passwords.", ACCESS),
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
