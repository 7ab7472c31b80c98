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
        "Remember a server and a token, after trying them; only you can read them.",
        HERE,
    ),
    Entry("logout", "access:logout", "Forget the server and token that `login` stored.", HERE),
    Entry(
        "simulate",
        "simulate:simulate",
        "Plan the cases of world files and compare with what they expect; or ask what a change would do.",
        HERE,
    ),
    Entry(
        "serve",
        "serve:serve",
        "Run the server in the foreground until it is asked to stop (SIGTERM, ctrl-C).",
        HERE,
    ),
    Entry("fabric", "fabrics:app", "Fabrics: VLANs that are joined at layer 2.", NETWORK),
    Entry(
        "vlan",
        "vlans:app",
        "VLANs: one broadcast domain each, named FABRIC/VID; 0 is the untagged one.",
        NETWORK,
    ),
    Entry("space", "spaces:app", "Spaces: labels for VLANs that may route to each other.", NETWORK),
    Entry("subnet", "subnets:app", "Subnets: IP prefixes on VLANs.", NETWORK),
    Entry(
        "range",
        "ranges:app",
        "IP ranges: `dynamic` ones are for DHCP leases; `reserved` ones are never given to machines (of an "
        "unmanaged subnet: the only ones that are).",
        NETWORK,
    ),
    Entry("address", "addresses:app", "Addresses: who has which, and setting one aside.", NETWORK),
    Entry("rack", "racks:app", "Racks: whose Kea serves DHCP on which VLANs.", NETWORK),
    Entry("node", "nodes:app", "Nodes: everything with interfaces that hostloom knows.", HOSTS),
    Entry("host", "host_networks:app", "KVM hosts that hostloom manages.", HOSTS),
    Entry(
        "storage-pool",
        "storage_pools:app",
        "Storage pools of hosts, and the tags by which disks ask for them.",
        HOSTS,
    ),
    Entry("machine", "machines:app", "Machines: plan, compose, look at, switch and take apart.", HOSTS),
    Entry(
        "plan", "plans:app", "Plans: what composing would do, to be looked at and applied as it is.", HOSTS
    ),
    Entry("operation", "operations:app", "Operations: long actions and their steps.", HOSTS),
    Entry("image", "images:app", "Boot images: the system in which machines are commissioned.", HOSTS),
    Entry("event", "events:app", "Events: what happened.", HOSTS),
    Entry("zone", "groupings:zone", "Zones: where nodes, hosts and machines are.", ACCESS),
    Entry(
        "resource-pool",
        "groupings:resource_pool",
        "Resource pools: groups of machines and hosts that rights attach to.",
        ACCESS,
    ),
    Entry("domain", "groupings:domain", "DNS domains.", ACCESS),
    Entry("tag", "groupings:tag", "Tags: words that nodes, hosts and machines carry.", ACCESS),
    Entry("user", "access:user", "Users of this hostloom.", ACCESS),
    Entry("token", "access:token", "Tokens: what users show instead of a password.", ACCESS),
    Entry(
        "apikey",
        "apikeys:apikey",
        "API keys: what clients of MAAS's API sign with (Terraform, Ansible, Juju, `maas`).",
        ACCESS,
    ),
    Entry(
        "world",
        "world:app",
        "World files: the network and hosts as a file, for questions and bug reports.",
        HERE,
    ),
    Entry("import", "imports:app", "What another system managed, taken over.", HERE),
)
