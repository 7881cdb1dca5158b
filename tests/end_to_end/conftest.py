"""One prepared system for all end-to-end tests: each test has a use case of its own."""

import pytest

from tests.end_to_end.system import System


@pytest.fixture(scope="session")
def system(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> System:
    """Topics, bucket and tables of the session's services, with the shipped use cases."""
    return System(environment, tmp_path_factory.mktemp("system"))
