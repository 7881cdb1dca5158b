"""One arena for all faults, before the session's services."""

from collections.abc import Iterator

import pytest

from tests.conftest import Services
from tests.end_to_end.system import System
from tests.faults.arena import SHORT, Arena


@pytest.fixture(scope="module")  # its worker would take the records of other files
def arena(stack: Services, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    folder = tmp_path_factory.mktemp("faults")
    system = System(environment, folder)
    made = Arena(system.settings, stack, folder, SHORT)
    yield made
    made.close()
