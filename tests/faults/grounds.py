"""Where faults are tried: one broker, or a cluster of three, each with an object store and a ClickHouse of its own."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path

from deploy.embedded.stack import EmbeddedStack, Ports
from pipeline.settings import load_settings
from tests.conftest import Embedded
from tests.end_to_end.system import System
from tests.faults.arena import Arena, Pace


@contextmanager
def one_broker(folder: Path, pace: Pace) -> Iterator[Arena]:
    """The embedded stack."""
    with EmbeddedStack(folder / "stack", Ports(0, 0, 0)) as stack:
        names = {f"VISION_EVENTS_{name.upper()}": value for name, value in asdict(stack.addresses).items()}
        System(names, folder)
        arena = Arena(load_settings(data_dir=folder, **asdict(stack.addresses)), Embedded(stack), folder, pace)
        try:
            yield arena
        finally:
            arena.close()


GROUNDS: dict[str, Callable[[Path, Pace], AbstractContextManager[Arena]]] = {"one broker": one_broker}
