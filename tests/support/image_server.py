"""A web server of images: with ranges and ETags, and trouble on demand."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
    has_etags: bool = True
    has_lengths: bool = True
    #: (Path, Range) of each request.
    requests: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, content: bytes) -> str:
        """Serve a file; its URL."""
        self.files[path] = content
        return f"{self.url}{path}"


def _handler(server: ImageServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, wanted = self.path.partition("?")[0], self.headers.get("Range", "")
            server.requests.append((path, wanted))
            if path in server.redirects:
                self.send_response(302)
                self.send_header("Location", server.redirects[path])
                self.end_headers()
            elif path in server.errors or path not in server.files:
                self.send_error(server.errors.get(path, 404))
            else:
                self._send(path, wanted)

        def _send(self, path: str, wanted: str) -> None:
            content, etag = server.files[path], f'"{hash(server.files[path])}"'
            start = 0
            if wanted and self.headers.get("If-Range") == etag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            if server.has_etags:
                self.send_header("ETag", etag)
            if server.has_lengths:
                self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            cuts = server.cuts.get(path, [])
            self.wfile.write(content[start : start + cuts.pop(0)] if cuts else content[start:])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the signature of the library)
            """Say nothing."""

    return Handler


@contextmanager
def serving_images() -> Iterator[ImageServer]:
    """Serve on a free port of this machine."""
    server = ImageServer()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
