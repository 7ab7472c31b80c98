"""A client of the native API over HTTP or the server's Unix socket.

Answers are the API's own documents, as plain dicts with the types of `answers.py`, which is made from
docs/reference/openapi.json. They can be printed, stored and compared directly; an older client passes on the
fields of a newer server.
"""

from hostloom.client.api import Client
from hostloom.client.errors import ClientError, InvalidTarget, Problem, ServerUnreachable, Unsendable
from hostloom.client.transport import Collection, Document, Target

__all__ = [
    "Client",
    "ClientError",
    "Collection",
    "Document",
    "InvalidTarget",
    "Problem",
    "ServerUnreachable",
    "Target",
    "Unsendable",
]
