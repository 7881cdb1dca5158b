"""One prepared system for all end-to-end tests: each test has a use case of its own."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System


@pytest.fixture(scope="session")
def system(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> System:
    """Topics, bucket and tables of the session's services, with the shipped use cases."""
    return System(environment, tmp_path_factory.mktemp("system"))


@pytest.fixture(scope="session")
def gateway(system: System) -> Iterator[Gateway]:
    """The HTTP API of the system, in a process of its own."""
    with Gateway(system) as running:
        yield running
