"""Users and monitors see how the last run of each reconciler went."""

from pathlib import Path

from hostloom.api import monitoring
from hostloom.model.reconciler import Reconciler
from hostloom.server.periodic import Reports
from support.server import running


class Fixed:
    """A task whose last run is given."""

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    def report(self) -> Reconciler:
        return self._reconciler


def reports() -> Reports:
    all_reports = Reports()
    all_reports.add(Fixed(Reconciler("racks", 5.0)))
    all_reports.add(Fixed(Reconciler("host-pulse", 15.0, 1000.0, 0.25, 7, 2, "the disk is full")))
    return all_reports


def test_each_has_its_last_run_and_result(tmp_path: Path) -> None:
    with running(tmp_path, reports=reports()) as server, server.http() as http:
        items = http.get("/reconcilers").json()["items"]
    assert [item["name"] for item in items] == ["host-pulse", "racks"]
    assert items[0] == {
        "name": "host-pulse",
        "every_s": 15.0,
        "started_at": 1000.0,
        "duration_s": 0.25,
        "runs": 7,
        "failures": 2,
        "error": "the disk is full",
    }
    assert items[1]["started_at"] is None


def test_pages_follow_one_another(tmp_path: Path) -> None:
    with running(tmp_path, reports=reports()) as server, server.http() as http:
        first = http.get("/reconcilers", params={"limit": 1}).json()
        second = http.get("/reconcilers", params={"limit": 1, "after": first["next"]}).json()
    assert [item["name"] for item in (*first["items"], *second["items"])] == ["host-pulse", "racks"]


def test_monitors_read_failures_and_durations() -> None:
    collector = monitoring.ReconcilerCollector(reports().all)
    samples = {
        (sample.name, sample.labels["reconciler"]): sample.value
        for metric in collector.collect()
        for sample in metric.samples
    }
    assert samples["hostloom_reconciler_failures", "host-pulse"] == 2
    assert samples["hostloom_reconciler_failures", "racks"] == 0
    assert samples["hostloom_reconciler_last_duration_seconds", "host-pulse"] == 0.25
    assert ("hostloom_reconciler_last_duration_seconds", "racks") not in samples
