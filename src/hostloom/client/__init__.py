"""A client of the native API over HTTP or the server's Unix socket.

Answers are the API's own documents, as plain dicts (docs/reference/openapi.json says what is in them): they
can be printed, stored and compared as they are, and a newer server's fields get through an older client.
"""

from hostloom.client.api import Client
from hostloom.client.collection import Collection
from hostloom.client.errors import ClientError, InvalidTarget, Problem, ServerUnreachable, Unsendable
from hostloom.client.transport import Document, Target

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
