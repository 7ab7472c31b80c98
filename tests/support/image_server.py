"""A web server of images: with ranges and ETags, and trouble on demand."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ImageServer:
    """What it serves, and the requests it got."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    #: Paths that lead elsewhere.
    redirects: dict[str, str] = field(default_factory=dict)
    #: Paths that answer with an error.
    errors: dict[str, int] = field(default_factory=dict)
    #: The next answers about these paths end after so many bytes.
    cuts: dict[str, list[int]] = field(default_factory=dict)
    #: Paths of which so many bytes are sent, and the rest once `released` is set.
    holds: dict[str, int] = field(default_factory=dict)
    held: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    has_etags: bool = True
    has_lengths: bool = True
    #: Content is sent in chunks and without its length; the connection stays open.
    is_chunked: bool = False
    #: (Path, Range) of each request.
    requests: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, content: bytes) -> str:
        """Serve a file; its URL."""
        self.files[path] = content
        return f"{self.url}{path}"


class _Http(ThreadingHTTPServer):
    """The socket and threads."""

    def __init__(self, images: ImageServer) -> None:
        self.images = images
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        images = self.server.images
        path, byte_range = self.path.partition("?")[0], self.headers.get("Range", "")
        images.requests.append((path, byte_range))
        if path in images.redirects:
            self.send_response(302)
            self.send_header("Location", images.redirects[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path in images.errors or path not in images.files:
            self.send_error(images.errors.get(path, 404))
        else:
            self._send(images, path, byte_range)

    def _send(self, images: ImageServer, path: str, byte_range: str) -> None:
        content, etag = images.files[path], f'"{hash(images.files[path])}"'
        start = 0
        if byte_range and self.headers.get("If-Range") == etag:
            start = int(byte_range.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if images.has_etags:
            self.send_header("ETag", etag)
        if images.has_lengths and not images.is_chunked:
            self.send_header("Content-Length", str(len(content) - start))
        if images.is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if images.is_chunked:
            self._send_chunks(content[start:], images.cuts.get(path, []))
            return
        cuts = images.cuts.get(path, [])
        if path in images.holds:
            start = self._hold(images, content, start, images.holds.pop(path))
        self.close_connection = bool(cuts) or not images.has_lengths
        with suppress(ConnectionError):  # the client may be gone
            self.wfile.write(content[start : start + cuts.pop(0)] if cuts else content[start:])

    def _send_chunks(self, content: bytes, cuts: list[int]) -> None:
        end = cuts.pop(0) if cuts else len(content)
        for start in range(0, end, 70_000):
            chunk = content[start : min(start + 70_000, end)]
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        if end == len(content):
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = end < len(content)

    def _hold(self, images: ImageServer, content: bytes, start: int, count: int) -> int:
        """Send a part, and wait; where the rest begins."""
        self.wfile.write(content[start : start + count])
        self.wfile.flush()
        images.held.set()
        assert images.released.wait(60)
        return start + count

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the signature of the library)
        """Say nothing."""


@contextmanager
def serving_images() -> Iterator[ImageServer]:
    """Serve on a free port of this machine."""
    server = ImageServer()
    http = _Http(server)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
