"""The services that benchmarks run against: an embedded stack of their own, or one that is running."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.settings import Settings, load_settings
from tests.benchmarks.processes import WORK, BenchmarkError


@contextmanager
def services(stack: Path | None, note: Callable[[str], None]) -> Iterator[Settings]:
    """Settings of services that answer: those of a running stack's data folder, or new and empty ones.

    Raises BenchmarkError when the embedded stack does not start.
    """
    if stack is not None:
        yield load_settings(data_dir=stack)
        return
    from deploy.embedded.errors import EmbeddedError
    from deploy.embedded.stack import EmbeddedStack, Ports

    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK, prefix="stack-", ignore_cleanup_errors=True) as folder:
        note("starting Kafka, S3 and ClickHouse")
        embedded = EmbeddedStack(Path(folder), Ports(0, 0, 0))
        for last in (False, False, True):  # a port that was free a moment ago may be taken by now
            try:
                embedded.start()
                break
            except EmbeddedError as error:
                if last:
                    raise BenchmarkError(str(error)) from None
        try:
            yield load_settings(data_dir=Path(folder))
        finally:
            embedded.stop()
