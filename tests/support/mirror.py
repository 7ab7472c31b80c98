"""A simplestreams mirror with disk images on a server of images."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from support.image_server import ImageServer

STREAM = "streams/v1/images.json"


class Mirror:
    """Products with versions; `publish` writes the documents anew."""

    def __init__(self, server: ImageServer) -> None:
        self._server = server
        self.products: dict[str, Any] = {}
        self.publish()

    @property
    def url(self) -> str:
        """The mirror's root."""
        return f"{self._server.url}/mirror/"

    def add(self, os: str, release: str, version: str, content: bytes, **item: Any) -> None:
        """Add a version of a product of amd64."""
        path = f"{os}/{release}/{version}/disk.img"
        self._server.add(f"/mirror/{path}", content)
        product = self.products.setdefault(f"{os}:{release}:amd64:cloud", a_product(os, release))
        disk = {
            "ftype": "disk1.img",
            "path": path,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }
        product["versions"][version] = {"items": {"disk1.img": disk | item}}
        self.publish()

    def publish(self, sign: Callable[[bytes], bytes] | None = None) -> None:
        """Write the index and the document of products; with `sign` also their signed forms."""
        entry = {"path": STREAM, "format": "products:1.0", "datatype": "image-downloads"}
        documents = {
            "streams/v1/index.json": {"format": "index:1.0", "index": {"images": entry}},
            STREAM: {"format": "products:1.0", "products": self.products},
        }
        for path, document in documents.items():
            content = json.dumps(document).encode()
            self._server.add(f"/mirror/{path}", content)
            if sign is not None:
                self._server.add(f"/mirror/{path.removesuffix('.json')}.sjson", sign(content))


def a_product(os: str, release: str, **fields: Any) -> dict[str, Any]:
    """A product without versions."""
    product: Mapping[str, Any] = {
        "os": os,
        "release": f"{os}-{release}-codename",
        "version": release,
        "release_title": f"{release} LTS",
        "aliases": f"{release},latest",
        "arch": "amd64",
        "versions": {},
    }
    return {**product, **fields}
