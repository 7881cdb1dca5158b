"""Kafka's jars: resolved from Maven coordinates once, then kept in a cache of the user."""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from deploy.embedded.errors import EmbeddedError

KAFKA_VERSION: Final = "4.3.1"
# Kafka's own artifact brings the slf4j interface and log4j, but not what joins the two.
_LOGGING: Final = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
COORDINATES: Final = {
    "kafka": (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", _LOGGING),
    # MirrorMaker 2 and the command line tools: tests run them as operators do.
    "kafka-tools": (
        f"org.apache.kafka:connect-mirror:{KAFKA_VERSION}",
        f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}",
        _LOGGING,
    ),
}


def kafka_jars(kind: str = "kafka") -> Path:
    """The folder with all jars of Kafka, or of another of COORDINATES. The first call of a user downloads them.

    That takes about 20 s (44 MB). Raises EmbeddedError when they cannot be had.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vision-events"
    jars = cache / f"{kind}-{KAFKA_VERSION}"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "kafka.lock"):
        if not jars.is_dir():
            print(f"Downloading Apache Kafka {KAFKA_VERSION} ({kind}, once) ...", file=sys.stderr, flush=True)
            _download(cache, jars, COORDINATES[kind])
    return jars


def _download(cache: Path, jars: Path, coordinates: Sequence[str]) -> None:
    # jgo writes straight to the final name, so an interrupted download would pass for a whole jar from then on:
    # everything goes to a folder of its own, which gets its name when it is complete.
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        ready = Path(scratch) / "ready"
        ready.mkdir()
        try:
            for jar in _resolve(Path(scratch) / "repository", coordinates):
                shutil.move(jar, ready / jar.name)
        except Exception as error:
            raise EmbeddedError(
                f"the jars of Apache Kafka {KAFKA_VERSION} cannot be downloaded from Maven Central: {error}. "
                "Check the network; a mirror can be set in the [repositories] section of ~/.config/jgo.conf as central"
            ) from error
        ready.rename(jars)


def _resolve(repository: Path, coordinates: Sequence[str]) -> list[Path]:
    """Download the artifacts and all that they need at run time. jgo checks each against its published SHA-1."""
    # Not jgo.build: that sorts jars into modules with a JDK 11, which it would download for the purpose.
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext
    from jgo.parse import Coordinate

    context = MavenContext(
        repo_cache=repository, remote_repos={"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    )
    found: dict[tuple[str, str], Any] = {}
    # One by one: resolved together, what log4j's parent says of versions (kafka-clients 3.9.1) wins over Kafka.
    for text in coordinates:
        wanted = context.create_dependency(replace(Coordinate.parse(text), scope="compile"))
        inputs, transitive = context.resolver.resolve([wanted])
        for needed in (*inputs, *(other for other in transitive if other.scope in ("compile", "runtime"))):
            found.setdefault((needed.groupId, needed.artifactId), needed.artifact)
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda artifact: Path(artifact.resolve()), found.values()))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
