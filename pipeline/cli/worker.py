"""`vision-events worker`: one ingest worker in the foreground."""

from pipeline.cli.common import DataDir, SetOption, settings_from
from pipeline.ingest.worker import run_worker
from pipeline.logs import set_up_logging
from pipeline.worker.life import leave


def worker(data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """Run one ingest worker until it is told to stop. Start more of them to share the partitions."""
    settings = settings_from(data_dir, assignments)
    set_up_logging(settings)
    run_worker(settings)
    leave()
