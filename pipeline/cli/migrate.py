"""`vision-events migrate`: topics, bucket, tables and shipped use cases as this version needs them."""

import asyncio

from pipeline.cli.common import DataDir, SetOption, out, settings_from
from pipeline.cli.keys import ensure_key
from pipeline.cli.use_cases import shipped_use_cases
from pipeline.edges import kafka
from pipeline.edges.clickhouse import connect
from pipeline.edges.kafka import ensure_topics
from pipeline.edges.migrations import migrate
from pipeline.edges.registry import RegistryReader, apply_entries
from pipeline.edges.rejects import keep_for
from pipeline.edges.s3 import ImageStore
from pipeline.settings import Settings
from schemas.topics import REJECTS


def migrate_command(data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """Create or update topics, bucket and tables, and apply the shipped use cases that are missing.

    Safe to run again: what is there stays.
    """
    for line in prepare_services(settings_from(data_dir, assignments)):
        out.print(line)


def prepare_services(settings: Settings) -> list[str]:
    """Bring all three services to the state that workers expect, and say what was done."""
    applied = migrate(settings)
    topics = asyncio.run(ensure_topics(settings))
    ImageStore(settings).ensure_bucket()
    ensure_key(settings, make=False)
    shipped = _apply_missing_use_cases(settings)
    done = _keep_rejects(settings)
    done += [f"applied {name}" for name in applied] + [f"created topic {name}" for name in topics]
    return done + [f"applied use case {name}" for name in shipped] or ["nothing to do"]


def _keep_rejects(settings: Settings) -> list[str]:
    days = settings.reject_retention_days
    if not keep_for(connect(settings), days):
        return []
    asyncio.run(kafka.keep_for(settings, REJECTS, days))
    return [f"rejects are kept {days} days"]


def _apply_missing_use_cases(settings: Settings) -> list[str]:
    """A shipped use case that somebody changed or archived stays as it is."""
    client = connect(settings)
    reader = RegistryReader(client)
    reader.refresh()
    missing = [case for case in shipped_use_cases() if case.id not in reader.current.use_cases]
    if missing:
        apply_entries(client, missing)
    return [case.id for case in missing]
