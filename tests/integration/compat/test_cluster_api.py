"""What the Cluster API provider's client sends: HMAC-SHA1, the op among the fields, a form always."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, Client

from support.maas import HTTP, ROOT, Maas, read_until

FORM = "application/x-www-form-urlencoded"


@dataclass
class Provider:
    """Its way with requests."""

    maas: Maas

    def send(self, method: str, path: str, fields: dict[str, str] | None = None) -> httpx.Response:
        """Signs the fields too, but for those of a PUT."""
        consumer, token, secret = self.maas.key.split(":")
        signer = Client(
            consumer,
            client_secret="",
            resource_owner_key=token,
            resource_owner_secret=secret,
            signature_method=SIGNATURE_HMAC_SHA1,
            timestamp=str(int(self.maas.now)),
        )
        address, body = f"{self.maas.url}{ROOT}{path}", urlencode(fields or {})
        form = {"Content-Type": FORM}
        signed = (body, form) if body and method != "PUT" else (None, None)
        _, headers, _ = signer.sign(address, method, *signed)
        return HTTP.request(method, address, content=body, headers={**headers, **form}, timeout=30)

    def get(self, path: str) -> Any:
        """What a request without fields answers."""
        found = self.send("GET", path)
        assert found.status_code == 200, found.text
        return found.json()


@pytest.fixture
def provider(fleet: Maas) -> Provider:
    return Provider(fleet)


def test_a_machine_of_a_cluster_from_compose_to_delete(provider: Provider) -> None:
    assert provider.get("users/?op=whoami")["is_superuser"] is True
    (host,) = provider.get("vm-hosts/")
    path = f"vm-hosts/{host['id']}/"
    assert provider.send("PUT", path, {"memory_over_commit_ratio": "2"}).status_code == 200
    wanted = {"op": "compose", "hostname": "vm1", "cores": "2", "memory": "1024", "storage": "20"}
    # MAAS also required a label, or ignored the text.
    refused = provider.send("POST", path, wanted | {"interfaces": "name=eth0,ip=10.0.0.88"})
    assert (refused.status_code, list(refused.json())) == (400, ["interfaces"])
    made = provider.send("POST", path, wanted | {"interfaces": "eth0:ip=10.0.0.88"}).json()

    machine = f"machines/{made['system_id']}/"
    shown = read_until(lambda: provider.get(machine), "Ready")
    assert shown["parent"]["system_id"] == host["host"]["system_id"]
    assert (shown["ip_addresses"], shown["storage"], shown["swap_size"]) == (["10.0.0.88"], 20000.0, None)
    assert shown["boot_interface"].keys() >= {"id", "type", "name", "children"}
    # Neither its id 0 nor ours: those that it takes for none.
    assert shown["zone"]["id"] > 0
    assert shown["pool"]["id"] > 0

    off = provider.send("POST", f"machines/{made['system_id']}/op-power_off")
    assert (off.status_code, off.json()["power_state"]) == (200, "off")
    assert provider.get(f"resourcepool/{shown['pool']['id']}")["name"] == "default"
    assert provider.get(f"domains/{shown['domain']['id']}")["name"] == "maas"
    assert provider.send("DELETE", machine).status_code == 204
    assert provider.send("GET", machine).status_code == 404
