"""`hostloom vlan probe`."""

import typer

from hostloom.cli.columns import Column
from hostloom.cli.output import Format, console, say, show, show_data, table, when
from hostloom.cli.session import open_client
from hostloom.client import Document


def offers(item: Document) -> str | None:
    """`10.0.0.50 - 10.0.0.60`."""
    first, last = item["first_offered"], item["last_offered"]
    return first if first == last else f"{first} - {last}"


SERVERS = (
    Column("SERVER", "server"),
    Column("MAC", "mac"),
    Column("OFFERS", offers),
    Column("SEEN FROM", "seen_from", rank=1),
    Column("SINCE", lambda item: when(item["first_seen_at"]), rank=2),
)


def probe_and_show(context: typer.Context, key: str, output: Format, *, last: bool) -> None:
    """Ask now, or show what was found the last time; people see that it takes a while."""
    with open_client(context) as client:
        if last:
            found = client.vlans.ask(key, "probe")
        else:
            with console(stderr=True).status("asking who serves DHCP there"):
                found = client.vlans.act(key, "probe")
    if output is not Format.TABLE:
        show_data(found, output)
        return
    say(summary(found))
    if found["foreign"]:
        show(table(found["foreign"], SERVERS))


def summary(found: Document) -> str:
    """What a probe found, in a line."""
    vlan, foreign = found["vlan"], len(found["foreign"])
    if found["at"] is None:
        return f"vlan {vlan} was never asked: `hostloom vlan probe {vlan}` asks now"
    if found["trouble"]:
        return f"vlan {vlan} could not be asked: {found['trouble']}"
    ours = {True: "our DHCP answered", False: "our DHCP did not answer, though it should have"}.get(
        found["ours_answered"], "our DHCP gives a client that nobody knows no answer here"
    )
    others = f"{foreign} other{'s' if foreign > 1 else ''} answered" if foreign else "nobody else did"
    return f"vlan {vlan}, asked from {found['seen_from']}: {ours}; {others}"
