"""Nothing gets into a script that is more than a word of it, and no script ends in a prompt."""

from dataclasses import replace

import pytest

from hostloom.boot.scripts import MachineBoot, chain_script, machine_script
from hostloom.model.commissioning import BootAction
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress

MAC = MacAddress("52:54:00:00:00:01")
BASE = "http://10.77.10.2:5248"
TO_DISK = "sanboot --no-describe --drive 0x80 ||"


@pytest.mark.parametrize("name", ["", "a b", "web1\nshell", "web1||shell", "${net0/ip}", "web_1", "#web"])
def test_a_name_is_one_label(name: str) -> None:
    with pytest.raises(InvalidValue, match="hostname"):
        MachineBoot(name, BootAction.LOCAL)


@pytest.mark.parametrize("options", ["quiet\nshell", "quiet\r", "quiet\x00"])
def test_options_are_one_line(options: str) -> None:
    with pytest.raises(InvalidValue, match="kernel_options"):
        MachineBoot("web1", BootAction.COMMISSION, kernel_options=options)


def test_a_reason_is_read_not_run() -> None:
    boot = MachineBoot("web1", BootAction.LOCAL, "its disk `x` || shell && ${net0/ip} # no")
    (line,) = [each for each in machine_script(boot, MAC, BASE).splitlines() if "web1" in each]
    assert line == "echo hostloom: web1 (52:54:00:00:00:01) boots its disk x  shell  net0/ip  no"


@pytest.mark.parametrize("action", [BootAction.COMMISSION, BootAction.ENLIST, BootAction.RESCUE])
def test_what_cannot_be_loaded_is_tried_again_and_then_the_disk_is(action: BootAction) -> None:
    lines = machine_script(MachineBoot("web1", action, image="given"), MAC, BASE).splitlines()
    loads = [each for each in lines if each.startswith(("kernel ", "initrd ", "boot "))]
    assert len(loads) == 3
    assert all(each.endswith("|| goto failed") for each in loads)
    failed = lines[lines.index(":failed") :]
    assert failed.index("iseq ${attempt} 3 && goto disk ||") < failed.index("goto again")
    assert TO_DISK in failed[failed.index(":disk") :]


@pytest.mark.parametrize(
    "script",
    [
        chain_script(BASE),
        machine_script(MachineBoot("web1", BootAction.LOCAL), MAC, BASE),
        machine_script(MachineBoot("web1", BootAction.COMMISSION), MAC, BASE),
        machine_script(MachineBoot("web1", BootAction.RESCUE, image="given"), MAC, BASE),
    ],
)
def test_every_script_ends_at_the_disk(script: str) -> None:
    lines = script.splitlines()
    assert lines[0] == "#!ipxe"
    assert lines[-1] == "exit 1"
    assert "shell" not in script
    labels = {each.removeprefix(":") for each in lines if each.startswith(":")}
    gone_to = {part.split()[0] for each in lines for part in each.split("goto ")[1:]}
    assert gone_to <= labels


def test_only_a_machine_that_reports_has_a_token() -> None:
    rescue = machine_script(MachineBoot("web1", BootAction.RESCUE, image="given"), MAC, BASE)
    assert "hl.action=rescue" in rescue
    assert "hl.token" not in rescue


def test_a_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(MachineBoot("web1", BootAction.COMMISSION, secret="s3cret"))


def test_a_machine_without_a_deployed_system_tries_its_disk_before_the_image() -> None:
    boot = MachineBoot("web1", BootAction.COMMISSION, "why", "virtual-1", disk_first=True)
    before, _, _ = machine_script(boot, MAC, BASE).partition(":again")
    assert f"iseq ${{platform}} efi || {TO_DISK}" in before
    before, _, _ = machine_script(replace(boot, disk_first=False), MAC, BASE).partition(":again")
    assert "sanboot" not in before
