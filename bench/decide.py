"""Planning one machine on 1 to 10,000 hosts, explanation included.

python bench/decide.py [HOSTS …]

Beside each figure: the same request tried host by host (at most on 1,000 of them), which is what it costs
without indexes. Bars: docs/explanation/quality-bars.md.
"""

import gc
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median, quantiles

from hostloom.decide.dry_run import simulate
from hostloom.decide.fleet.fleet import fleet_of
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.placement.host_evaluation import evaluate_host
from hostloom.decide.placement.make_plan import with_plan
from hostloom.decide.request.resolve import parse_request, resolve_request
from hostloom.decide.snapshot import Snapshot
from hostloom.model.request import ComposeRequest, ParsedRequest
from worlds import big_world

SIZES = (1, 10, 100, 1000, 10000)
SHAPES = 1250
ROUNDS = 100
BAR_ONE_MS, BAR_ANY_MS = 2.0, 50.0

REQUESTS = {
    "4 NICs by space, vid, tag, speed": (
        "eth0:space=mgmt;eth1:space=dmz,not_tag=public;eth2:fabric=fabric-1,link_speed=1000;eth3:space=storage"
    ),
    "4 NICs, almost everything fits": "eth0:not_tag=x;eth1:not_vid=5;eth2:not_space=mgmt;eth3:type=bridge",
    "4 NICs, nothing fits": "eth0:space=dmz;eth1:space=tenant;eth2:space=backup;eth3:vid=4000",
    "4 NICs, one passthru": (
        "eth0:space=mgmt;eth1:space=dmz,macvlan_mode=passthru;eth2:fabric=fabric-2;eth3:vid=0"
    ),
    "3 NICs, two passthru": (
        "eth0:space=mgmt;eth1:space=dmz,macvlan_mode=passthru;eth2:macvlan_mode=passthru"
    ),
    "libvirt network": "eth0:space=mgmt;eth1:attach=network,network=default",
    "by id of an interface": "eth0:space=mgmt;eth1:not_id=105",
    "no constraints": "",
}


def measure(call: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median and 99th percentile in ms."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1000)
    return median(took), quantiles(took, n=100)[-1]


def one_by_one_ms(snapshot: Snapshot, request: ParsedRequest) -> float:
    """Every host tried in full, scaled up from the first 1,000."""
    address_index = address_index_of(snapshot)
    asked = resolve_request(snapshot, address_index, request)
    states = snapshot.hosts[:1000]
    began = time.perf_counter()
    for state in states:
        evaluate_host(snapshot, address_index, state, asked)
    return (time.perf_counter() - began) * 1000 * len(snapshot.hosts) / len(states)


def run(hosts: int) -> None:
    """All requests on one world."""
    snapshot = big_world(hosts, min(hosts, SHAPES))
    began = time.perf_counter()
    classes = len(fleet_of(snapshot).table.classes)
    address_index_of(snapshot)
    cold = (time.perf_counter() - began) * 1000
    gc.collect()
    gc.freeze()  # as the server does once it has read the world: no collection walks it again
    print(f"\n{hosts} hosts, {classes} host classes; indexes built once in {cold:.0f} ms")
    bar = BAR_ONE_MS if hosts == 1 else BAR_ANY_MS
    for name, interfaces in REQUESTS.items():
        request = parse_request(ComposeRequest(interfaces=interfaces, cores=2, memory_mib=4096))
        began = time.perf_counter()
        decision = simulate(snapshot, request)
        first = (time.perf_counter() - began) * 1000
        middle, p99 = measure(lambda request=request: simulate(snapshot, request), ROUNDS)  # type: ignore[misc]
        floor = one_by_one_ms(snapshot, request)
        answer = decision.plan.host_name if decision.plan else decision.explanation.refusal.code  # type: ignore[union-attr]
        print(
            f"  {name:34} {middle:7.2f} ms  p99 {p99:7.2f}  {middle * 1000 / hosts:7.2f} us a host",
            f"first {first:7.2f}  host by host {floor:8.1f} ({floor / middle:5.1f} x)",
            f"bar {bar:g} ms: {'met' if p99 <= bar else 'MISSED'}  {answer}",
            sep="  ",
        )
    after_a_compose(snapshot)


def after_a_compose(snapshot: Snapshot) -> None:
    """The next decision in the world that a compose has changed."""
    request = parse_request(ComposeRequest(interfaces=REQUESTS["4 NICs by space, vid, tag, speed"]))
    decision = simulate(snapshot, request)
    if decision.plan is None:
        return
    plan = decision.plan
    carried = measure(lambda: with_plan(snapshot, plan), 20)
    later = with_plan(snapshot, plan)
    decided = measure(lambda: simulate(later, request), 20)
    named = replace(request, host=snapshot.hosts[-1].host.name)
    told = measure(lambda: simulate(snapshot, named), 20)
    print(
        f"  a machine is placed: indexes carried in {carried[0]:.2f} ms, next decision {decided[0]:.2f} ms;",
        f"one more host explained in {told[0]:.2f} ms",
    )


def main() -> None:
    """Measure."""
    for hosts in [int(each) for each in sys.argv[1:]] or SIZES:
        run(hosts)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
