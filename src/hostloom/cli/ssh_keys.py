"""Shows the SSH keys of new hosts and racks, and asks the user to accept them."""

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.output import say
from hostloom.client import Document, Problem

CreatedT = TypeVar("CreatedT")


def create_trusting(create: Callable[[Document], CreatedT], body: Document) -> CreatedT:
    """Add a host or rack; if its SSH key is not pinned, show it and add again with the accepted key."""
    try:
        return create(body)
    except Problem as problem:
        if problem.code != "host-key-unknown":
            raise
        fingerprint = str(problem.details["fingerprint"])
        if body.get("accept_key"):
            raise fail(str(problem), "it is not the key that you specified", Exit.REFUSED) from None
        if not sys.stdin.isatty():
            hint = f"compare it with the key on the host, then add --accept-key {fingerprint}"
            raise fail(str(problem), hint, Exit.REFUSED) from None
    if not is_verified(body["name"], fingerprint):
        raise typer.Abort
    return create(body | {"accept_key": fingerprint})


def is_verified(name: str, fingerprint: str) -> bool:
    """Show the SSH key of a machine and ask whether it is the right one."""
    say(f"The SSH key of {name} is unknown:\n  {fingerprint}")
    say("On the host, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows its key.")
    return typer.confirm("Is it the same?", err=True)
