"""What a machine boots from the network: a disk that has a system on it is never booted past."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostloom.decide.explain.boot import ACTIONS, BOOT_REASONS, render_boot
from hostloom.decide.machines.boot import BootDecision, BootReason, decide_boot, decide_strangers_boot
from hostloom.model.commissioning import BootAction
from hostloom.model.ids import HostId, SystemId
from hostloom.model.machine import Machine, MachineOrigin, MachineState

COMPOSED, ENLISTED, ADOPTED = MachineOrigin.COMPOSED, MachineOrigin.ENLISTED, MachineOrigin.ADOPTED


def a_machine(
    origin: MachineOrigin = COMPOSED,
    state: MachineState = MachineState.READY,
    next_boot: BootAction | None = None,
) -> Machine:
    host = None if origin is ENLISTED else HostId(1)
    return Machine(SystemId("abc123"), "web", "u", origin, state, host, "amd64", 1, 1024, next_boot=next_boot)


@pytest.mark.parametrize(
    ("origin", "state", "commissioned", "wanted"),
    [
        (COMPOSED, MachineState.COMMISSIONING, False, BootReason.NEVER_COMMISSIONED),
        (COMPOSED, MachineState.READY, False, BootReason.NEVER_COMMISSIONED),
        (COMPOSED, MachineState.READY, True, BootReason.NOT_DEPLOYED),
        (COMPOSED, MachineState.COMMISSIONING, True, BootReason.COMMISSIONING),
        (COMPOSED, MachineState.DEPLOYED, False, BootReason.SETTLED),
        (COMPOSED, MachineState.DEPLOYED, True, BootReason.SETTLED),
        (COMPOSED, MachineState.ALLOCATED, False, BootReason.NEVER_COMMISSIONED),
        (COMPOSED, MachineState.ALLOCATED, True, BootReason.NOT_DEPLOYED),
        (COMPOSED, MachineState.FAILED_COMMISSIONING, True, BootReason.NOT_DEPLOYED),
        (COMPOSED, MachineState.MISSING, False, BootReason.IDLE),
        (COMPOSED, MachineState.BROKEN, True, BootReason.IDLE),
        (COMPOSED, MachineState.DEPLOYING, True, BootReason.IDLE),
        (ADOPTED, MachineState.DEPLOYED, False, BootReason.ADOPTED),
        (ADOPTED, MachineState.READY, False, BootReason.ADOPTED),
        (ENLISTED, MachineState.NEW, True, BootReason.NEW),
        (ENLISTED, MachineState.COMMISSIONING, True, BootReason.COMMISSIONING),
        (ENLISTED, MachineState.FAILED_COMMISSIONING, True, BootReason.IDLE),
        (ENLISTED, MachineState.READY, False, BootReason.IDLE),
        (ENLISTED, MachineState.DEPLOYED, True, BootReason.SETTLED),
    ],
)
def test_by_its_state(
    origin: MachineOrigin, state: MachineState, commissioned: bool, wanted: BootReason
) -> None:
    reports = wanted in (
        BootReason.NEVER_COMMISSIONED,
        BootReason.COMMISSIONING,
        BootReason.NOT_DEPLOYED,
    )
    action = BootAction.COMMISSION if reports else BootAction.LOCAL
    found = decide_boot(a_machine(origin, state), commissioned=commissioned)
    assert found == BootDecision(action, wanted)


@given(
    st.sampled_from(MachineOrigin),
    st.sampled_from(MachineState),
    st.booleans(),
    st.sampled_from([BootAction.COMMISSION, BootAction.LOCAL, BootAction.RESCUE]),
)
def test_the_users_word_comes_first(
    origin: MachineOrigin, state: MachineState, commissioned: bool, asked: BootAction
) -> None:
    found = decide_boot(a_machine(origin, state, asked), commissioned=commissioned)
    assert found == BootDecision(asked, BootReason.ASKED)


@given(st.sampled_from(MachineOrigin), st.sampled_from(MachineState), st.booleans())
def test_nothing_is_deployed_or_rescued_unasked(
    origin: MachineOrigin, state: MachineState, commissioned: bool
) -> None:
    found = decide_boot(a_machine(origin, state), commissioned=commissioned)
    assert found.action in (BootAction.COMMISSION, BootAction.LOCAL)
    assert found == decide_boot(a_machine(origin, state), commissioned=commissioned)


@pytest.mark.parametrize(
    ("is_node", "enlist", "wanted"),
    [
        (False, True, BootDecision(BootAction.ENLIST, BootReason.UNKNOWN)),
        (False, False, BootDecision(BootAction.LOCAL, BootReason.ENLISTING_OFF)),
        (True, True, BootDecision(BootAction.LOCAL, BootReason.OTHER_NODE)),
        (True, False, BootDecision(BootAction.LOCAL, BootReason.OTHER_NODE)),
    ],
)
def test_who_is_no_machine(is_node: bool, enlist: bool, wanted: BootDecision) -> None:
    assert decide_strangers_boot(is_node=is_node, enlist=enlist) == wanted


def test_every_decision_has_words() -> None:
    assert set(ACTIONS) == set(BootAction)
    assert set(BOOT_REASONS) == set(BootReason)
    new = decide_boot(a_machine(ENLISTED, MachineState.NEW), commissioned=True)
    assert render_boot(new).startswith("its own disk, because it is new")
