"""Planning many machines at once over many hosts, beside plain first fit.

python bench/joint.py [MACHINES] [HOSTS]

First fit takes the machines in the order of the batch, each by the full decision on the world that those
before it left. Beside it every strategy: time, hosts in use, machines on the fullest host.
"""

import gc
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hostloom.decide.batch.decide_batch import decide_all
from hostloom.decide.check.check import check_all
from hostloom.decide.dry_run import identities_of
from hostloom.decide.fleet.fleet import fleet_of
from hostloom.decide.placement.compose import decide, prepare
from hostloom.decide.placement.make_plan import with_plan
from hostloom.decide.request.resolve import parse_request
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.ids import HostId
from hostloom.model.plan import Plan
from hostloom.model.reasons import Refusal, RequestCode, SubjectKind
from hostloom.model.request import ComposeRequest, Identities, ParsedBatch, Strategy
from worlds import big_world

MACHINES, HOSTS, SHAPES = 1000, 1000, 1000
#: Kinds of machines: constraints, cores, memory in GiB, disks, a word of anti-affinity for every so many.
KINDS = (
    ("eth0:space=mgmt", 2, 4, "root:8", 0),
    ("eth0:space=mgmt;eth1:space=dmz,not_tag=public", 4, 8, "root:20", 10),
    ("eth0:space=storage;eth1:fabric=fabric-1", 2, 8, "root:8,data:20(ssd)", 0),
    ("eth0:space=tenant,attach=macvlan;eth1:space=mgmt", 1, 2, "root:8", 0),
    ("", 8, 32, "root:40", 0),
    ("eth0:space=dmz,link_speed=10000;eth1:space=mgmt", 16, 64, "root:8", 4),
)


def batch_of(machines: int, strategy: Strategy | None) -> ParsedBatch:
    """Machines of all kinds in turn."""
    wanted = []
    for number in range(machines):
        interfaces, cores, memory_gib, storage, apart = KINDS[number % len(KINDS)]
        word = f"group{number // len(KINDS) // apart}" if apart else None
        wanted.append(
            parse_request(
                ComposeRequest(
                    interfaces=interfaces,
                    cores=cores,
                    memory_mib=memory_gib * 1024,
                    storage=storage,
                    anti_affinity=word and f"{word}-{number % len(KINDS)}",
                )
            )
        )
    return ParsedBatch(tuple(wanted), strategy)


def first_fit(snapshot: Snapshot, batch: ParsedBatch, identities: Sequence[Identities]) -> list[Plan]:
    """Each machine in turn, by the full decision; those that found no place are left out."""
    plans: list[Plan] = []
    apart: dict[str, dict[HostId, Refusal]] = {}
    for request, names in zip(batch.machines, identities, strict=True):
        barred = apart.setdefault(request.anti_affinity, {}) if request.anti_affinity else {}
        plan = decide(snapshot, request, names, barred).plan
        if plan is None:
            continue
        barred[plan.host_id] = Refusal("apart", RequestCode.ANTI_AFFINITY, SubjectKind.HOST, plan.host_name)
        plans.append(plan)
        snapshot = with_plan(snapshot, plan)
    return plans


def scarce(snapshot: Snapshot, machines: int) -> Snapshot:
    """The same world with so little memory that the batch fills most of it."""
    wanted = sum(each.memory_mib for each in batch_of(machines, None).machines)
    had = sum(each.host.memory_mib for each in snapshot.hosts)
    used = sum(vm.memory_mib for each in snapshot.hosts for vm in each.machines)
    ratio = (wanted * 1.15 + used) / had
    hosts = tuple(
        HostState(replace(each.host, memory_over_commit_ratio=ratio), each.machines)
        for each in snapshot.hosts
    )
    return replace(snapshot, hosts=hosts)


def report(name: str, took: object, plans: Sequence[Plan], wanted: int, more: str = "") -> None:
    """One line."""
    on = Counter(each.host_id for each in plans)
    placed = f"{len(plans):5} of {wanted} placed"
    print(f"  {name:10} {took}  {placed}  {len(on):5} hosts  at most {max(on.values(), default=0):3}{more}")


class Watch:
    """Seconds by the clock and of the processor: others may use the machine, too."""

    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def __str__(self) -> str:
        clock, cpu = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
        return f"{clock:6.2f} s (processor {cpu:6.2f} s)"


def run(snapshot: Snapshot, machines: int) -> None:
    """First fit, then every strategy."""
    prepare(snapshot)
    plain = batch_of(machines, None)
    identities = tuple(identities_of(each, at) for at, each in enumerate(plain.machines))
    gc.collect()
    gc.freeze()  # as the server does once it has read the world
    watch = Watch()
    plans = first_fit(snapshot, plain, identities)
    report("first fit", watch, plans, machines)
    for strategy in (None, *Strategy):
        batch = batch_of(machines, strategy)
        watch = Watch()
        found = decide_all(snapshot, batch, identities)
        told = str(watch)
        watch = Watch()
        wrong = check_all(snapshot, batch, found.plans) if found.plans else ()
        refusal = found.explanations[0].refusal
        more = f"  check {watch}: {len(wrong)} wrong" if refusal is None else f"  refused: {refusal.found}"
        report(strategy or "in turn", told, found.plans, machines, more)


def main() -> None:
    """A world with room, and one with little."""
    sizes = [int(each) for each in sys.argv[1:]]
    machines, hosts = (*sizes, *(MACHINES, HOSTS)[len(sizes) :])
    snapshot = big_world(hosts, min(hosts, SHAPES))
    classes = len(fleet_of(snapshot).table.classes)
    print(f"{machines} machines of {len(KINDS)} kinds over {hosts} hosts of {classes} host classes")
    run(snapshot, machines)
    print("the same with memory for 1.15 times as many")
    run(scarce(snapshot, machines), machines)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
