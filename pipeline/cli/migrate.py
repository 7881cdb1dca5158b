"""`vision-events migrate`: topics, bucket and tables as this version needs them."""

import asyncio

from pipeline.cli.common import DataDir, SetOption, out, settings_from
from pipeline.edges.kafka import ensure_topics
from pipeline.edges.migrations import migrate
from pipeline.edges.s3 import ImageStore
from pipeline.settings import Settings


def migrate_command(data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """Create or update topics, bucket and tables. Safe to run again: what is there stays."""
    for line in prepare_services(settings_from(data_dir, assignments)):
        out.print(line)


def prepare_services(settings: Settings) -> list[str]:
    """Bring all three services to the state that workers expect, and say what was done."""
    applied = migrate(settings)
    topics = asyncio.run(ensure_topics(settings))
    ImageStore(settings).ensure_bucket()
    done = [f"applied {name}" for name in applied] + [f"created topic {name}" for name in topics]
    return done or ["nothing to do"]
