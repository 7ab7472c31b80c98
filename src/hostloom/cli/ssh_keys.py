"""SSH keys of machines that are added: shown, and accepted by the user."""

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.output import say
from hostloom.client import Document, Problem

CreatedT = TypeVar("CreatedT")


def create_trusting(
    create: Callable[[Document], CreatedT], body: Document, option: str = "--accept-key {fingerprint}"
) -> CreatedT:
    """Add a machine; an SSH key that is not pinned is shown, and added with once the user accepts it.

    `option` accepts it beforehand.
    """
    try:
        return create(body)
    except Problem as problem:
        if problem.code != "host-key-unknown":
            raise
        fingerprint = str(problem.details["fingerprint"])
        if body.get("accept_key"):
            raise fail(str(problem), "it is not the key that you gave", Exit.REFUSED) from None
        if not sys.stdin.isatty():
            hint = (
                f"compare it with the host's own, then add it with {option.format(fingerprint=fingerprint)}"
            )
            raise fail(str(problem), hint, Exit.REFUSED) from None
    say(f"The SSH key of {body['name']} is not known:\n  {fingerprint}")
    say("On the host, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows its own.")
    typer.confirm("Is it the same?", abort=True, err=True)
    return create(body | {"accept_key": fingerprint})
