"""Reads lists for completion in one short attempt, without httpx, which takes long to import."""

import json
import socket
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode, urlsplit

from hostloom.client.transport import PREFIX, Document, Target

#: Page size.
PAGE = 500


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("hostloom", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def read_documents(target: Target, path: str, patience_s: float) -> list[Document]:
    """The documents of a list that arrive within `patience_s`; none after any error."""
    until = time.monotonic() + patience_s
    documents: list[Document] = []
    try:
        connection = _connect(target, patience_s)
        try:
            after: str | None = None
            while time.monotonic() < until:
                page = _read_page(connection, target, path, after)
                documents += page["items"]
                after = page["next"]
                if after is None:
                    break
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return []
    return documents


def _connect(target: Target, timeout_s: float) -> HTTPConnection:
    if target.socket is not None:
        return UnixConnection(str(target.socket), timeout_s)
    url = urlsplit(target.url)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    return kind(url.hostname or "", url.port, timeout=timeout_s)


def _read_page(connection: HTTPConnection, target: Target, path: str, after: str | None) -> Document:
    """One page of the list; KeyError for an answer that is a problem."""
    query = {"limit": PAGE} | ({"after": after} if after is not None else {})
    prefix = "" if target.socket is not None else urlsplit(target.url).path.rstrip("/")
    headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
    connection.request("GET", f"{prefix}{PREFIX}/{path}?{urlencode(query)}", headers=headers)
    page: Document = json.loads(connection.getresponse().read())
    return page
