"""What holds for every test."""

import gc

import pytest
from hypothesis import settings

from support.depth import SHALLOW
from support.shared_statements import share_statements

# No test fails because a machine is slow.
settings.register_profile("shallow", max_examples=SHALLOW, deadline=None)
settings.register_profile("deep", deadline=None)
settings.load_profile("shallow")
share_statements()

#: Tests of these files take long; the workers begin with them, so that none of them works alone at the end.
SLOW = (
    "clients/test_gomaasapi.py",
    "contract/sagas/test_saga_proofs.py",
    "contract/sagas/test_two_servers.py",
    "e2e/test_chaos.py",
    "e2e/test_netboot.py",
    "e2e/test_racks.py",
    "integration/api/test_openapi.py",
    "integration/compat/test_fuzz.py",
    "integration/compat/test_statements.py",
    "integration/remote/test_connection.py",
    "integration/remote/test_forwarding.py",
    "integration/test_exposure.py",
    "unit/decide/test_properties.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow files first; the order is otherwise as it was."""
    items.sort(key=lambda item: not str(item.path).endswith(SLOW))


def pytest_collection_finish() -> None:
    """Take the thousands of collected tests out of the garbage collector's rounds, which they make slow."""
    gc.collect()
    gc.freeze()
