"""The API of one server, by noun."""

import json
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self, cast

from hostloom.client import answers, nouns
from hostloom.client.errors import ServerUnreachable
from hostloom.client.transport import Collection, Document, Target, Transport

#: Pauses before a broken stream of events is reopened.
FOLLOW_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)


class Client:
    """The API of one server, for use in a `with` statement."""

    def __init__(self, target: Target) -> None:
        self._transport = transport = Transport(target)
        self.fabrics = nouns.Fabrics(transport, "fabrics")
        self.vlans = nouns.Vlans(transport, "vlans")
        self.spaces = nouns.Spaces(transport, "spaces")
        self.subnets = nouns.Subnets(transport, "subnets")
        self.ranges = nouns.Ranges(transport, "ranges")
        self.addresses = nouns.Addresses(transport, "addresses")
        self.racks = nouns.Racks(transport, "racks")
        self.nodes = nouns.Nodes(transport, "nodes")
        self.hosts = nouns.Hosts(transport, "hosts")
        self.storage_pools = nouns.StoragePools(transport, "storage-pools")
        self.machines = nouns.Machines(transport, "machines")
        self.plans = nouns.Plans(transport, "plans")
        self.operations = nouns.Operations(transport, "operations")
        self.events = nouns.Events(transport, "events")
        self.images = nouns.Images(transport, "images")
        self.disk_images = nouns.DiskImages(transport, "disk-images")
        self.reconcilers = nouns.Reconcilers(transport, "reconcilers")
        self.zones = nouns.Zones(transport, "zones")
        self.resource_pools = nouns.ResourcePools(transport, "resource-pools")
        self.domains = nouns.Domains(transport, "domains")
        self.tags = nouns.Tags(transport, "tags")
        self.users = nouns.Users(transport, "users")
        self.tokens = nouns.Tokens(transport, "tokens")
        self.ssh_keys = nouns.SshKeys(transport, "ssh-keys")
        self.apikeys = nouns.Apikeys(transport, "apikeys")
        self.imports = Collection[Document, answers.ImportResult, answers.Operation, Document](
            transport, "imports"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def about(self) -> answers.About:
        """The server's version and the current user."""
        return cast("answers.About", self._transport.send("GET", "/about"))

    def world(self) -> Document:
        """The live state as the document of a world file."""
        return self._transport.send("GET", "/world")

    def plan(self, request: Document) -> answers.Decision:
        """Plan a compose, with the reasons; `plan` is None if the request is refused."""
        return cast("answers.Decision", self._transport.send("POST", "/machines/plan", body=request))

    def plan_import(self, inventory: Document) -> answers.Import:
        """What an import would do."""
        return cast("answers.Import", self._transport.send("POST", "/imports/plan", body=inventory))

    def compose_batch(self, batch: Document) -> answers.Composing:
        """Compose machines together, all or none; returns the operation and the machines' names."""
        return cast("answers.Composing", self._transport.send("POST", "/machines/batch", body=batch))

    def verify(self, which: Document) -> answers.Operation:
        """Verify machines on the wire: `machines`, or those of `host`, or all; returns the operation."""
        return cast("answers.Operation", self._transport.send("POST", "/machines/verify", body=which))

    def send_disk_image(
        self, content: Iterator[bytes], size_bytes: int, name: str | None
    ) -> answers.UploadedFile:
        """Send a file, which `disk_images.create` then imports; a `name` that is taken is a Problem."""
        path = "/disk-images/uploads"
        expected = self._transport.send("POST", path, body={"size_bytes": size_bytes, "name": name})
        answer = self._transport.upload(f"{path}/{expected['id']}", content, size_bytes)
        return cast("answers.UploadedFile", answer)

    def build_disk_image(self, wanted: Document) -> answers.Operation:
        """Build a disk image on the server from packages; the operation."""
        return cast("answers.Operation", self._transport.send("POST", "/disk-images/build", body=wanted))

    def sync_disk_images(self, mirror: Document) -> answers.Sync:
        """Import what a mirror has newer, or with `plan` say what that would be."""
        return cast("answers.Sync", self._transport.send("POST", "/disk-images/sync", body=mirror))

    def follow(self, operation_id: str) -> Iterator[answers.Operation]:
        """Yield the operation now, and after every change until it is finished or stuck.

        A broken stream is reopened for a while, because the operation continues without the connection.
        """
        pauses = iter(FOLLOW_PAUSES_S)
        while True:
            broken: ServerUnreachable | None = None
            try:
                for document in self._events(operation_id):
                    yield document
                    if document["finished"]:
                        return
                    pauses = iter(FOLLOW_PAUSES_S)
            except ServerUnreachable as error:
                broken = error
            pause = next(pauses, None)
            if pause is None:
                raise broken or ServerUnreachable(operation_id, "the server ends the stream of events")
            time.sleep(pause)

    def _events(self, operation_id: str) -> Iterator[answers.Operation]:
        with self._transport.stream(f"/operations/{operation_id}/events") as lines:
            for line in lines:
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))
