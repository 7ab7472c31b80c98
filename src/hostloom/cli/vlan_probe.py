"""`hostloom vlan probe`."""

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.listing import natural
from hostloom.cli.output import Format, console, say, show, show_data, table, when
from hostloom.cli.session import open_client
from hostloom.client import Client, answers, keys


def offers(item: answers.Foreign) -> str | None:
    """`10.0.0.50 - 10.0.0.60`."""
    first, last = item["first_offered"], item["last_offered"]
    return first if first == last else f"{first} - {last}"


SERVERS: Columns[answers.Foreign, keys.ForeignKey] = (
    Column("SERVER", "server"),
    Column("MAC", "mac"),
    Column("OFFERS", offers),
    Column("SEEN FROM", "seen_from", rank=1),
    Column("SINCE", lambda item: when(item["first_seen_at"]), rank=2),
)


def probe_and_show(context: typer.Context, key: str | None, output: Format, *, last: bool) -> None:
    """Probe now, or show the last result; without a key, for every served VLAN."""
    with open_client(context) as client:
        served = [] if key is not None else [vlan["key"] for vlan in client.vlans.list() if vlan["bootable"]]
        names = sorted(served, key=natural) if key is None else [key]
        probes = [_probe(client, name, last=last) for name in names]
    if output is not Format.TABLE:
        show_data(probes if key is None else probes[0], output)
        return
    if not probes:
        say("our DHCP serves no VLAN: `hostloom vlan dhcp on FABRIC/VID` serves one")
    for probe in probes:
        say(summary(probe))
        if probe["foreign"]:
            show(table(probe["foreign"], SERVERS))


def _probe(client: Client, key: str, *, last: bool) -> answers.Probe:
    if last:
        return client.vlans.get_probe(key)
    with console(stderr=True).status(f"probing {key} for DHCP servers"):
        return client.vlans.probe(key)


#: Whether our server answered; null: it has no addresses for unknown clients.
_OURS = {
    True: "our DHCP answered",
    False: "our DHCP did not answer, although it should",
    None: "our DHCP did not answer, as expected: it serves only reserved addresses here",
}


def summary(probe: answers.Probe) -> str:
    """The result of a probe in one line."""
    vlan, foreign = probe["vlan"], len(probe["foreign"])
    if probe["at"] is None:
        return f"vlan {vlan} was never probed: `hostloom vlan probe {vlan}` probes it now"
    if probe["trouble"]:
        return f"vlan {vlan} could not be probed: {probe['trouble']}"
    own_answers = _OURS[probe["ours_answered"]]
    others = (
        f"{foreign} other server{'s' if foreign > 1 else ''} answered"
        if foreign
        else "no other server answered"
    )
    return f"vlan {vlan}, probed from {probe['seen_from']}: {own_answers}; {others}"
