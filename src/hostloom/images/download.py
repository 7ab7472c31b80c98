"""Downloads files over HTTP and HTTPS, from checked addresses only, and continues broken downloads."""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from hostloom.images.limits import MIB, ImportLimits
from hostloom.model.disk_import import check_url
from hostloom.model.errors.outside import DownloadFailed
from hostloom.model.errors.values import InvalidValue
from hostloom.ports.disk_images import Progress

_CHUNK = MIB
_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_CONNECT_TIMEOUT_S = 15.0
_PORTS = {"http": 80, "https": 443}
#: Answers that may be different later.
_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
#: The server's file is shorter than the part that is already here.
_NOT_SATISFIABLE = http.client.REQUESTED_RANGE_NOT_SATISFIABLE


@dataclass(frozen=True)
class Downloader:
    """Downloads within limits; `allow_local`: also from this machine (loopback addresses)."""

    limits: ImportLimits
    allow_local: bool = False

    def read(self, url: str, limit_bytes: int) -> bytes:
        """A whole document; DownloadFailed if it is larger than allowed."""
        with self._open(url, {}) as response:
            self._check_length(url, response, 0, limit_bytes)
            return b"".join(_chunks(url, response, limit_bytes, self.limits.document_timeout_s))

    def fetch(self, url: str, target: Path, progress: Progress) -> None:
        """Write the file to `target`; a part of it is kept beside it for the next attempt."""
        part, about = target.with_suffix(".part"), target.with_suffix(".part.json")
        done, validator = _kept_part(part, about, url)
        headers = {"Range": f"bytes={done}-", "If-Range": validator} if done else {}
        with self._open(url, headers) as response:
            if response.status == _NOT_SATISFIABLE:
                part.unlink()
                raise DownloadFailed(url, "the file is shorter than what has arrived", is_temporary=True)
            if response.status != http.client.PARTIAL_CONTENT:
                done = 0
            elif not response.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
                part.unlink()
                raise DownloadFailed(
                    url, "the server continues at another byte than asked", is_temporary=True
                )
            total = self._check_length(url, response, done, self.limits.disk_bytes)
            limit = self.limits.disk_bytes - done
            about.write_text(json.dumps({"url": url, "validator": _validator(response)}))
            with part.open("ab" if done else "wb") as output:
                for chunk in _chunks(url, response, limit, self.limits.download_timeout_s):
                    output.write(chunk)
                    done += len(chunk)
                    progress(done, total)
        if total is not None and done != total:
            raise DownloadFailed(url, f"it ended after {done} of {total} bytes", is_temporary=True)
        part.rename(target)
        about.unlink()

    # -- parts ---------------------------------------------------------------------------------------------

    @contextmanager
    def _open(self, url: str, headers: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
        """The answer with the content, after redirects."""
        address = url
        for _ in range(_MAX_REDIRECTS + 1):
            connection = self._connect(address, url)
            try:
                with closing(_ask(connection, address, headers, url)) as response:
                    if response.status in _REDIRECTS:
                        address = _next_address(url, address, response)
                        continue
                    _check_status(url, response, is_continued=bool(headers))
                    yield response
                return
            finally:
                connection.close()
        raise DownloadFailed(url, f"it redirects more than {_MAX_REDIRECTS} times")

    def _connect(self, address: str, url: str) -> http.client.HTTPConnection:
        """A connection to one of the checked addresses; the name is not resolved again."""
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        timeout_s = self.limits.stall_timeout_s
        connection: http.client.HTTPConnection = http.client.HTTPConnection(host, port, timeout=timeout_s)
        problem: OSError | None = None
        for ip in self._resolve(host, port, url):
            try:
                raw = socket.create_connection((str(ip), port), timeout=_CONNECT_TIMEOUT_S)
                raw.settimeout(timeout_s)
                if parts.scheme == "https":
                    raw = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
            except OSError as error:
                problem = error
                continue
            connection.sock = raw
            return connection
        raise DownloadFailed(url, _describe(problem or OSError()), is_temporary=True) from problem

    def _resolve(self, host: str, port: int, url: str) -> list[IPv4Address | IPv6Address]:
        """The addresses of a host, all of which must be allowed."""
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise DownloadFailed(url, f"{host}: {_describe(error)}", is_temporary=True) from error
        addresses = [ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]
        for ip in addresses:
            if not is_allowed(ip, allow_local=self.allow_local):
                raise DownloadFailed(
                    url, f"{host} is {ip}, and addresses of this machine and of its links are not asked"
                )
        return addresses

    def _check_length(
        self, url: str, response: http.client.HTTPResponse, done: int, limit: int
    ) -> int | None:
        """The size of the whole file, if the server says it; DownloadFailed if that is too much."""
        if response.length is None:
            return None
        total = done + response.length
        if total > limit:
            raise DownloadFailed(url, f"it has {total} bytes, and {limit} are allowed")
        return total


def _chunks(url: str, response: http.client.HTTPResponse, limit: int, timeout_s: float) -> Iterator[bytes]:
    """The content, as it arrives; DownloadFailed beyond the limits of size and time."""
    deadline, count = time.monotonic() + timeout_s, 0
    length = response.length  # read1 of some versions of Python does not count it down
    while length is None or count < length:
        chunk = _read(url, response, _CHUNK if length is None else min(_CHUNK, length - count))
        if not chunk:
            break
        count += len(chunk)
        if count > limit:
            raise DownloadFailed(url, f"it has more than the {limit} bytes that are allowed")
        if time.monotonic() > deadline:
            raise DownloadFailed(url, f"it did not end within {timeout_s:g} s")
        yield chunk


def _next_address(url: str, address: str, response: http.client.HTTPResponse) -> str:
    """Where an answer redirects to; DownloadFailed if that is not a URL of a file."""
    try:
        return check_url(urljoin(address, response.headers.get("Location", "")))
    except ValueError as error:  # of urljoin
        raise DownloadFailed(url, "it redirects to something that is not a URL") from error
    except InvalidValue as error:
        raise DownloadFailed(url, "it redirects to something that is not the URL of a file") from error


def is_allowed(ip: IPv4Address | IPv6Address, *, allow_local: bool) -> bool:
    """Whether files may be downloaded from an address.

    Link-local addresses are where clouds keep credentials; loopback leads to services of this machine.
    """
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_loopback:
        return allow_local
    return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved)


def _ask(
    connection: http.client.HTTPConnection, address: str, headers: dict[str, str], url: str
) -> http.client.HTTPResponse:
    parts = urlsplit(address)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fixed = {"User-Agent": "hostloom", "Accept-Encoding": "identity"}
    try:
        connection.request("GET", path, headers=fixed | headers)
        return connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise DownloadFailed(url, _describe(error), is_temporary=True) from error


def _read(url: str, response: http.client.HTTPResponse, size: int) -> bytes:
    """The bytes that have arrived, at most `size`; waits for the first one."""
    try:
        return response.read1(size)
    except (OSError, http.client.HTTPException) as error:
        raise DownloadFailed(url, _describe(error), is_temporary=True) from error


def _check_status(url: str, response: http.client.HTTPResponse, *, is_continued: bool) -> None:
    allowed = (http.client.PARTIAL_CONTENT, _NOT_SATISFIABLE) if is_continued else ()
    if response.status in (http.client.OK, *allowed):
        return
    temporary = response.status in _TEMPORARY
    raise DownloadFailed(
        url, f"the server answers {response.status} {response.reason[:100]}", is_temporary=temporary
    )


def _validator(response: http.client.HTTPResponse) -> str:
    """What proves later that the file is still the same: a strong ETag or the time of its change."""
    etag: str = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return str(response.headers.get("Last-Modified", ""))


def _kept_part(part: Path, about: Path, url: str) -> tuple[int, str]:
    """The size of the part that is already here, and its validator; (0, "") to start from the beginning."""
    try:
        document = json.loads(about.read_bytes())
        done = part.stat().st_size
    except (OSError, ValueError):
        return 0, ""
    if document.get("url") != url or not document.get("validator"):
        return 0, ""
    return done, str(document["validator"])


def _describe(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if isinstance(error, http.client.IncompleteRead):
        return f"the connection ended in the middle, after {len(error.partial)} bytes of a block"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
