"""Machines get a system by MAAS's API and lose it again, as each client asks for it; the hosts are fakes."""

import gzip
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from hostloom.model.deployment import Deployment
from hostloom.ports.context import Ports
from hostloom.server.secret import FileSecrets
from support.disk_images import a_disk_image
from support.fake_hypervisor import FakeHypervisor
from support.guest import phone_home
from support.little_world import URIS, LittleWorld, add_disk_image
from support.maas import Maas, make_key, read_until
from support.seeds import KEY
from support.server import CountedIds, serving
from support.waiting import wait_until

DEBIAN = a_disk_image(virtual_size_bytes=10**6)
JAMMY = a_disk_image(
    "jammy-cloud",
    os="ubuntu",
    release="22.04",
    codename="jammy",
    sha256="d" * 64,
    virtual_size_bytes=10**6,
    imported_at=DEBIAN.imported_at + 1,
)
#: Newer, and for other machines.
ARM = replace(
    DEBIAN, name="debian-arm", architecture="arm64", sha256="e" * 64, imported_at=DEBIAN.imported_at + 2
)
USER_DATA = "#cloud-config\npackages: [tmux]\n"
ENCODED = b64encode(USER_DATA.encode()).decode()


@dataclass
class Site:
    """A server with disk images, a machine on its host, and a client whose user has an SSH key."""

    maas: Maas
    ports: Ports
    url: str
    path: str

    def deploy(self, **fields: Any) -> Any:
        return self.maas.post(self.path, "deploy", **fields)

    def refuse(self, **fields: Any) -> httpx.Response:
        """The machine stays as it was."""
        before = self.maas.get(self.path)
        answer = self.maas.send("POST", self.path, fields, op="deploy")
        assert answer.status_code in (400, 409), answer.text
        assert self.maas.get(self.path) == before
        return answer

    def run(self, **report: Any) -> Any:
        phone_home(self.ports, "web", **report)
        return self.maas.get(self.path)

    def status(self) -> str:
        return str(self.maas.get(self.path)["status_name"])

    def deployment(self) -> Deployment | None:
        with self.ports.store.begin() as uow:
            machine = uow.machines.find("web")
            assert machine is not None
            return uow.deployments.find(machine.system_id)

    def until(self, status: str) -> Any:
        return read_until(lambda: self.maas.get(self.path), status)


@pytest.fixture
def site(world: LittleWorld, tmp_path: Path) -> Iterator[Site]:
    for image in (DEBIAN, JAMMY, ARM):
        add_disk_image(world, image)
    ports = replace(world.ports, secrets=FileSecrets(tmp_path / "secret"), ids=CountedIds())
    with serving(tmp_path, ports, worker=True) as url:
        maas = Maas(url, make_key(ports), world.clock.now())
        maas.post("account/prefs/sshkeys/", key=KEY)
        made = maas.post("pods/1/", "compose", hostname="web", interfaces="eth0:space=mgmt", storage="root:1")
        site = Site(maas, ports, url, f"machines/{made['system_id']}/")
        site.until("Ready")
        yield site


# -- from allocated to released --------------------------------------------------------------------------


def test_from_allocated_to_deployed_to_released(site: Site, world: LittleWorld) -> None:
    given = site.maas.post("machines/", "allocate", name="web")
    assert (given["status"], given["osystem"], given["distro_series"]) == (10, "", "")
    shown = site.deploy(distro_series="jammy", user_data=ENCODED, agent_name="juju", comment="for tests")
    assert (shown["status"], shown["status_name"], shown["owner"]) == (9, "Deploying", "ann")
    assert (shown["osystem"], shown["distro_series"], shown["agent_name"]) == ("ubuntu", "jammy", "juju")
    deployment = site.deployment()
    assert deployment is not None
    assert (deployment.user_data, deployment.ssh_keys) == (USER_DATA, (KEY,))
    shown = site.run()
    assert (shown["status"], shown["status_name"], shown["power_state"]) == (6, "Deployed", "on")
    assert [each["hostname"] for each in site.maas.get("machines/", distro_series="jammy")] == ["web"]
    assert site.maas.get("machines/", osystem="debian") == []
    assert site.maas.post("machines/", "release", machines=given["system_id"]) == [given["system_id"]]
    shown = site.until("Ready")
    assert (shown["owner"], shown["power_state"], shown["osystem"]) == (None, "off", "")
    assert [each["name"] for each in shown["blockdevice_set"]] == ["root"]
    hypervisor = world.hypervisors.of("kvm1", URIS[0])
    assert isinstance(hypervisor, FakeHypervisor)
    assert not [name for _, name in hypervisor.volumes.contents if ".seed." in name]


def test_a_ready_machine_is_allocated_to_the_one_who_deploys_it(site: Site) -> None:
    ben = Maas(site.url, make_key(site.ports, "ben", admin=False), site.maas.now)
    answer = ben.send("POST", site.path, {"distro_series": "jammy"}, op="deploy")
    assert (answer.status_code, list(answer.json())) == (400, ["ssh_keys"])
    ben.post(site.path, "deploy", distro_series="jammy", user_data=ENCODED)
    assert site.run()["owner"] == "ben"
    cleo = Maas(site.url, make_key(site.ports, "cleo", admin=False), site.maas.now)
    for op in ("deploy", "release", "abort"):
        assert cleo.send("POST", site.path, {"user_data": ENCODED}, op=op).status_code == 403
    assert site.status() == "Deployed"


@pytest.mark.parametrize(
    ("fields", "image"),
    [
        ({}, "jammy-cloud"),
        ({"osystem": "", "distro_series": ""}, "jammy-cloud"),
        ({"distro_series": "debian-12"}, "debian-12"),
        ({"osystem": "custom", "distro_series": "debian-12"}, "debian-12"),
        ({"distro_series": "custom/debian-12"}, "debian-12"),
        ({"osystem": "debian"}, "debian-12"),
        ({"osystem": "debian", "distro_series": "bookworm"}, "debian-12"),
        ({"distro_series": "debian/12"}, "debian-12"),
        ({"distro_series": "debian/bookworm"}, "debian-12"),
        ({"distro_series": "ubuntu/jammy"}, "jammy-cloud"),
        ({"osystem": "ubuntu", "distro_series": "22.04"}, "jammy-cloud"),
        ({"osystem": "ubuntu", "distro_series": "ubuntu/jammy"}, "jammy-cloud"),
    ],
)
def test_images_have_the_names_that_clients_use(site: Site, fields: dict[str, str], image: str) -> None:
    site.deploy(**fields)
    deployment = site.deployment()
    assert deployment is not None
    assert deployment.image == image


def test_what_is_not_there_is_refused_with_what_is(site: Site) -> None:
    for fields in (
        {"distro_series": "noble"},
        {"distro_series": "debian/jammy"},
        {"osystem": "debian", "distro_series": "jammy-cloud"},
        {"osystem": "custom", "distro_series": "jammy"},
    ):
        (message,) = site.refuse(**fields).json()["distro_series"]
        assert all(name in message for name in ("debian/12", "ubuntu/jammy"))
    assert list(site.refuse(osystem="windows").json()) == ["osystem"]
    # The only image of this name is for other machines.
    assert "arm64" in site.refuse(distro_series="debian-arm").text


def test_without_images_the_reason_is_said(fleet: Maas) -> None:
    made = fleet.post("pods/1/", "compose", storage="root:1")
    path = f"machines/{made['system_id']}/"
    read_until(lambda: fleet.get(path), "Ready")
    answer = fleet.send("POST", path, {"user_data": ENCODED}, op="deploy")
    assert (answer.status_code, "hostloom image import" in answer.text) == (400, True)


# -- user-data -------------------------------------------------------------------------------------------


def test_user_data_may_be_compressed_as_juju_does(site: Site) -> None:
    site.deploy(user_data=b64encode(gzip.compress(USER_DATA.encode())).decode())
    deployment = site.deployment()
    assert deployment is not None
    assert deployment.user_data == USER_DATA


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(USER_DATA, id="no base64"),
        pytest.param("YQ", id="no padding"),
        pytest.param(b64encode(b"\xff\xfe").decode(), id="no text"),
        pytest.param(b64encode(b"hello").decode(), id="nothing for cloud-init"),
        pytest.param(b64encode(b"#" * 65537).decode(), id="too long"),
        pytest.param("A" * 200_000, id="much too long"),
        pytest.param(b64encode(gzip.compress(b"#" * 10**8)).decode(), id="a bomb"),
        pytest.param(b64encode(gzip.compress(USER_DATA.encode())[:-9]).decode(), id="cut off"),
        pytest.param(b64encode(b"\x1f\x8b" + b"x" * 20).decode(), id="no gzip"),
    ],
)
def test_bad_user_data_is_refused(site: Site, content: str) -> None:
    assert list(site.refuse(user_data=content).json()) == ["user_data"]


# -- other fields ----------------------------------------------------------------------------------------


def test_a_kernel_is_ignored_with_a_warning(site: Site) -> None:
    assert site.deploy(hwe_kernel="hwe-22.04")["hwe_kernel"] is None
    (event,) = [
        event
        for event in site.maas.get("events/", op="query", level="WARNING")["events"]
        if event["hostname"] == "web"
    ]
    assert "hwe-22.04" in event["description"]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("install_kvm", "True", 409),
        ("register_vmhost", "true", 409),
        ("bridge_all", "true", 400),
        ("bridge_type", "ovs", 400),
        ("bridge_fd", "15", 400),
        ("ephemeral_deploy", "true", 400),
        ("enable_hw_sync", "true", 400),
        ("install_rackd", "true", 400),
        ("vcenter_registration", "true", 400),
    ],
)
def test_what_has_no_meaning_here_is_refused(site: Site, field: str, value: str, status: int) -> None:
    answer = site.refuse(**{field: value})
    assert answer.status_code == status
    assert "hostloom" in answer.text


def test_fields_that_are_off_are_accepted(site: Site) -> None:
    fields = ("install_kvm", "register_vmhost", "bridge_all", "ephemeral_deploy", "enable_hw_sync")
    assert site.deploy(**dict.fromkeys(fields, "False"))["status_name"] == "Deploying"


# -- failures, abort, release ----------------------------------------------------------------------------


def test_a_failure_is_shown_and_the_machine_can_be_deployed_again(site: Site) -> None:
    site.deploy()
    shown = site.run(errors=["no mirror"])
    assert (shown["status"], shown["status_name"], shown["status_message"]) == (
        11,
        "Failed deployment",
        "no mirror",
    )
    site.deploy()
    shown = site.run()
    assert (shown["status_name"], shown["status_message"]) == ("Deployed", None)
    assert site.refuse().status_code == 409


def test_an_aborted_deployment_leaves_the_machine_to_its_owner(site: Site) -> None:
    assert site.maas.send("POST", site.path, {}, op="abort").status_code == 409
    site.deploy(agent_name="juju")
    wait_until(lambda: (found := site.deployment()) is not None and found.is_started, "it was started", 30)
    site.maas.post(site.path, "abort", comment="wrong image")
    shown = site.until("Allocated")
    assert (shown["owner"], shown["power_state"], shown["agent_name"]) == ("ann", "off", "juju")
    assert [each["name"] for each in shown["blockdevice_set"]] == ["root"]
    assert site.deployment() is None
    assert site.deploy()["status_name"] == "Deploying"


@pytest.mark.parametrize("fields", [{"erase": "true"}, {"erase": "true", "secure_erase": "true"}, {}])
@pytest.mark.parametrize("is_bulk", [True, False])
def test_release_erases_when_asked(
    site: Site, world: LittleWorld, fields: dict[str, str], is_bulk: bool
) -> None:
    site.deploy()
    site.run()
    key = site.path.split("/")[1]
    if is_bulk:
        site.maas.post("machines/", "release", machines=key, comment="done", **fields)
    else:
        site.maas.post(site.path, "release", comment="done", quick_erase="false", force="true", **fields)
    site.until("Ready")
    with site.ports.store.begin() as uow:
        texts = [event.message for event in uow.events.list() if event.kind.value == "machine-released"]
    assert len(texts) == 1
    assert ("disks are erased" in texts[0]) is bool(fields)


# -- images ----------------------------------------------------------------------------------------------


def test_images_as_clients_list_them(site: Site) -> None:
    listed = site.maas.get("boot-resources/", type="uploaded")
    assert [(each["name"], each["architecture"], each["type"]) for each in listed] == [
        ("debian/12", "arm64/generic", "Uploaded"),
        ("ubuntu/jammy", "amd64/generic", "Uploaded"),
        ("debian/12", "amd64/generic", "Uploaded"),
    ]
    for each in listed:
        path = each["resource_uri"].removeprefix("/MAAS/api/2.0/")
        assert site.maas.get(path) == each
        (version,) = each["sets"].values()
        assert version["complete"] is True
        assert version["size"] == sum(file["size"] for file in version["files"].values())
    assert site.maas.get("boot-resources/", type="synced") == []
    assert site.maas.get("boot-sources/") == []
    assert site.maas.get("maas/", op="get_config", name="default_osystem") == "debian"
    assert site.maas.get("maas/", op="get_config", name="default_distro_series") == "12"


def test_an_image_is_deleted_unless_machines_run_it(site: Site) -> None:
    site.deploy(distro_series="jammy")
    keys = {
        each["name"] + each["architecture"].partition("/")[0]: each["id"]
        for each in site.maas.get("boot-resources/", type="uploaded")
    }
    assert site.maas.send("DELETE", f"boot-resources/{keys['ubuntu/jammyamd64']}/").status_code == 409
    site.maas.delete(f"boot-resources/{keys['debian/12amd64']}/")
    assert site.maas.send("GET", f"boot-resources/{keys['debian/12amd64']}/").status_code == 404


# -- what other clients send -----------------------------------------------------------------------------


def test_an_instance_of_terraform_from_apply_to_destroy(site: Site) -> None:
    given = site.maas.post("machines/", "allocate", name="web", cpu_count="1", mem="512", zone="default")
    path = f"machines/{given['system_id']}/"
    site.maas.post(path, "deploy", distro_series="jammy", user_data=ENCODED, hwe_kernel="ga-22.04")
    assert site.status() == "Deploying"
    shown = site.run()
    assert shown["status_name"] == "Deployed"
    fields = ("system_id", "fqdn", "hostname", "ip_addresses", "cpu_count", "memory", "tag_names", "pool")
    assert all(shown[name] for name in fields if name != "tag_names")
    site.maas.post("machines/", "release", machines=[given["system_id"]], comment="destroyed", force="true")
    site.until("Ready")


def test_an_instance_of_ansible_from_present_to_absent(site: Site) -> None:
    given = site.maas.post("machines/", "allocate", name="web")
    path = f"machines/{given['system_id']}/"
    wanted = {"osystem": "ubuntu", "distro_series": "jammy", "hwe_kernel": "None", "user_data": ENCODED}
    assert site.maas.post(path, "deploy", **wanted)["status_name"] == "Deploying"
    shown = site.run()
    read = ("fqdn", "hostname", "osystem", "distro_series", "hwe_kernel", "min_hwe_kernel", "status_name")
    assert set(read) <= set(shown)
    assert shown["status_name"] == "Deployed"
    site.maas.post(path, "release")
    site.until("Ready")
