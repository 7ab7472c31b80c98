"""The seed of a deployed machine: meta-data, user-data, and the program that reports."""

import json
import os
import select
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.decide.deploy.phone_home import SCRIPT_PATH, PhoneHome, phone_home_script
from hostloom.decide.deploy.seed import SeedAccount, render_seed
from hostloom.decide.deploy.user_data import MAX_USER_DATA_BYTES, check_account_name, check_user_data
from hostloom.model.errors.values import InvalidValue
from support.depth import examples
from support.seeds import KEY, a_seed_input


def cloud_config(**changes: object) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(render_seed(a_seed_input(**changes)).user_data)
    return document


def test_the_meta_data_names_the_instance_and_the_host() -> None:
    assert yaml.safe_load(render_seed(a_seed_input()).meta_data) == {
        "instance-id": "abc123-1",
        "local-hostname": "web1",
    }


def test_the_keys_open_the_account_of_the_image_or_one_with_another_name() -> None:
    assert "user" not in cloud_config()
    document = cloud_config(user="ann")
    assert document["user"] == {"name": "ann"}
    assert (document["users"], document["ssh_authorized_keys"]) == (["default"], [KEY])
    assert document["ssh_pwauth"] is False


def test_other_accounts_have_no_password() -> None:
    document = cloud_config(accounts=(SeedAccount("hostloom", (KEY,), ("libvirt",)),))
    account = document["users"][1]
    assert (account["name"], account["groups"], account["lock_passwd"]) == ("hostloom", ["libvirt"], True)


def test_a_machine_without_a_domain_has_its_hostname_as_fqdn() -> None:
    assert cloud_config(domain="")["fqdn"] == "web1"


@settings(max_examples=examples(200))
@given(hostname=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True), token=st.text())
def test_every_text_survives_yaml(hostname: str, token: str) -> None:
    phone_home = PhoneHome("http://[2001:db8::1]:5248/deployed", token)
    seed = render_seed(a_seed_input(hostname=hostname, instance_id=hostname, phone_home=phone_home))
    assert yaml.safe_load(seed.meta_data) == {"instance-id": hostname, "local-hostname": hostname}
    document = yaml.safe_load(seed.user_data)
    assert document["hostname"] == hostname
    assert document["write_files"][0]["content"] == phone_home_script(phone_home)


def test_secrets_are_in_the_user_data_only() -> None:
    seed_input = a_seed_input(user_data="#cloud-config\npassword: hunter2\n")
    seed = render_seed(seed_input)
    for text in (repr(seed_input), repr(seed), seed.meta_data, seed.network_config):
        assert "s3cr3t" not in text and "hunter2" not in text
    assert "s3cr3t" in render_seed(a_seed_input()).user_data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "is nothing that cloud-init knows; begin it with '#cloud-config' or '#!'"),
        ("#cloud-config\na: [", "is not YAML in line 2"),
        ("#cloud-config\n- a\n", "is not a map"),
        ("#cloud-config\n", "is not a map"),
        ("#cloud-config\na: " + "[" * 5000, "is not YAML"),
        ("#!/bin/sh\n" + "x" * MAX_USER_DATA_BYTES, "use at most 65536"),
        ("#cloud-config\na: \ud800", "is not Unicode"),
        ("MIME-Version: 1.0\n\nhello", "is nothing that cloud-init knows"),
    ],
)
def test_user_data_that_cloud_init_could_not_use_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidValue) as error:
        check_user_data(text)
    assert message in str(error.value) and error.value.value is None


@pytest.mark.parametrize(
    "text", ["", "  \n", "#cloud-config\na: 1", "#!/bin/sh\n", "## template: jinja\n#cloud-config\n{{"]
)
def test_user_data_that_cloud_init_can_use_is_taken_as_it_is(text: str) -> None:
    assert check_user_data(text) == text


@pytest.mark.parametrize("name", ["root", "Ann", "1a", "a b", "a:b", "a" * 33, "ann\n", "../x"])
def test_a_name_that_no_account_can_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match=r"^user "):
        check_account_name(name)
    with pytest.raises(InvalidValue):
        render_seed(a_seed_input(user=name))


@pytest.mark.parametrize("name", ["", "ann", "_apt", "a-b_c1", "a" * 32])
def test_a_name_that_an_account_can_have_is_taken(name: str) -> None:
    assert check_account_name(name) == name


def test_a_message_with_too_many_layers_is_refused() -> None:
    layers = "".join(f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(1500))
    with pytest.raises(InvalidValue):
        check_user_data(layers[:MAX_USER_DATA_BYTES])


@pytest.fixture
def reports() -> Iterator[tuple[str, Queue[tuple[str, bytes]], list[int]]]:
    """A server: its URL, the reports with their authorization, and what it answers next (204 by default)."""
    received: Queue[tuple[str, bytes]] = Queue()
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(answers.pop(0) if answers else 204)
            self.end_headers()
            received.put((self.headers["Authorization"], body))

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/deployed", received, answers
    server.shutdown()
    thread.join()
    server.server_close()


class RunningScript:
    """The program in a root folder of its own; it goes on in the background."""

    def __init__(self, folder: Path, url: str) -> None:
        text = phone_home_script(PhoneHome(url, 'to"ken\\'))
        for path in ("/run/cloud-init/result.json", "/etc/ssh/"):
            assert path in text
            text = text.replace(path, f"{folder}{path}")
        self.folder, self.script = folder, folder / "phone-home"
        self.script.write_text(text.replace("time.sleep(10)", "time.sleep(0.01)"))
        self.script.chmod(0o700)
        (folder / "etc/ssh").mkdir(parents=True)
        (folder / "etc/ssh/ssh_host_ed25519_key.pub").write_text("ssh-ed25519 AAAA root@web1\n")
        (folder / "run/cloud-init").mkdir(parents=True)
        # Its copy of the pipe is closed when it ends.
        self._ended, inherited = os.pipe()
        subprocess.run([self.script], check=True, timeout=60, pass_fds=[inherited])
        os.close(inherited)

    def end_cloud_init(self, *errors: str) -> None:
        """Write the result as cloud-init does: all of it at once."""
        partial = self.folder / "partial"
        partial.write_text(json.dumps({"v1": {"datasource": "DataSourceNoCloud", "errors": errors}}))
        partial.rename(self.folder / "run/cloud-init/result.json")

    def wait(self) -> None:
        """Return when it has ended."""
        assert select.select([self._ended], [], [], 60)[0]
        os.close(self._ended)


Reports = tuple[str, Queue[tuple[str, bytes]], list[int]]


def test_the_machine_reports_its_keys_and_the_errors_of_cloud_init(tmp_path: Path, reports: Reports) -> None:
    url, received, answers = reports
    answers += [503, 204]
    script = RunningScript(tmp_path, url)
    assert received.empty()
    script.end_cloud_init("('scripts_user', RuntimeError())")
    script.wait()
    assert received.qsize() == 2 and not script.script.exists()
    for _ in range(2):
        authorization, body = received.get()
        assert authorization == 'Bearer to"ken\\'
        errors = ["('scripts_user', RuntimeError())"]
        assert json.loads(body) == {"host_keys": ["ssh-ed25519 AAAA"], "errors": errors}


def test_a_report_that_is_refused_is_not_repeated(tmp_path: Path, reports: Reports) -> None:
    url, received, answers = reports
    answers.append(401)
    script = RunningScript(tmp_path, url)
    script.end_cloud_init()
    script.wait()
    assert received.qsize() == 1 and not script.script.exists()


def test_the_program_is_run_at_the_end_of_every_boot() -> None:
    file = cloud_config()["write_files"][0]
    assert (file["path"], file["permissions"]) == (SCRIPT_PATH, "0700")
    assert "write_files" not in cloud_config(phone_home=None)
