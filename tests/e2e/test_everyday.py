"""A day with machines: shut down and started again without a system, and hosts that lose their power."""

from typing import Any

from support.rig import Rig
from support.waiting import wait_until

#: Emulated machines beside others take their time.
BOOT_TIMEOUT_S = 120


def show(rig: Rig, name: str) -> Any:
    return rig.get("machine", "show", name)


def console(rig: Rig, name: str) -> str:
    return rig.run("machine", "console-log", name)


def wait_for_report(rig: Rig, name: str, after: float = 0.0) -> float:
    """Wait until the commissioning environment has reported; when it did."""

    def has_reported() -> bool:
        return (show(rig, name)["commissioned_at"] or 0.0) > after

    wait_until(has_reported, f"the report of {name}", BOOT_TIMEOUT_S)
    return float(show(rig, name)["commissioned_at"])


def test_a_machine_without_a_system_shuts_down_and_boots_the_commissioning_environment_again(
    clean: Rig,
) -> None:
    clean.compose("empty", "eth0:space=mgmt")
    first = wait_for_report(clean, "empty")
    boot = show(clean, "empty")["network_boot"]
    assert boot["reason"] == "not-deployed"
    assert "no system was installed on its disk" in boot["text"]
    # Only a system that answers the power button goes off within this time.
    clean.wait_for_report("empty")
    assert clean.run("machine", "stop", "empty", "--wait", "--timeout", "90") == "machine empty: power off\n"
    assert "hostloom: the power button was pressed; switching off" in console(clean, "empty")
    clean.run("machine", "start", "empty")
    wait_for_report(clean, "empty", after=first)
    log = console(clean, "empty")
    assert "hostloom: no system starts from its disk" in log
    assert "No bootable device" not in log


def test_machines_come_back_with_their_host_and_each_tells_of_it(clean: Rig) -> None:
    clean.compose_all(dict.fromkeys(("back", "stays"), "eth0:space=mgmt"), "kvm2")
    clean.run("machine", "update", "stays", "--no-autostart")
    clean.lab.unplug("kvm2")
    try:
        assert clean.call("host", "refresh", "kvm2").returncode == 4
    finally:
        clean.lab.plug("kvm2")
    wait_until(lambda: clean.call("host", "refresh", "kvm2").returncode == 0, "kvm2", 60)

    def is_back() -> bool:
        clean.run("host", "refresh", "kvm2")
        return bool(show(clean, "back")["power"] == "on")

    wait_until(is_back, "back", 60)
    assert show(clean, "stays")["power"] == "off"
    events = {(event["kind"], event["subject"]) for event in clean.list("event")}
    assert ("machine-off", "machine stays") in events
