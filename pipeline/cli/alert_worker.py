"""`vision-events alert-worker`: one alert worker in the foreground."""

from pipeline.alerts.worker import run_alert_worker
from pipeline.cli.common import DataDir, SetOption, settings_from
from pipeline.logs import set_up_logging
from pipeline.worker.life import leave


def alert_worker(data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """Run one alert worker until it is told to stop. Start more of them to share the groups."""
    settings = settings_from(data_dir, assignments)
    set_up_logging(settings)
    run_alert_worker(settings)
    leave()
