"""The short form of the fault suite; `make faults` is the full one."""

import pytest

from tests.faults.arena import Arena
from tests.faults.cases import EVERY
from tests.faults.cases.base import Fault

SEED = "20261124"


@pytest.mark.parametrize("fault", [fault for fault in EVERY if fault.short], ids=lambda fault: fault.name)
def test_nothing_is_lost_and_nothing_doubled(arena: Arena, fault: Fault) -> None:
    outcome, findings, _ = arena.run(fault.name, f"{SEED} {fault.name}", fault.inject)
    assert not findings.problems
    assert outcome.injected
    assert findings.produced == findings.stored + findings.rejected
    assert (findings.lost, findings.doubled) == (0, 0)
