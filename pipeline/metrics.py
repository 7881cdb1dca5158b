"""What each process tells Prometheus: every metric of ours, its meaning and its labels.

Counted by the batch, never by the record. `python -m pipeline.metrics` writes docs/metrics.md from this module.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics import MetricWrapperBase

Process = Literal["worker", "alert-worker", "gateway", "edge"]

PREFIX: Final = "vision_events_"
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
PAGE: Final = Path(__file__).parents[1] / "docs" / "metrics.md"

_STEPS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_END_TO_END_S: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30, 60, 300, 1800)
_ROWS: Final = (1, 10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 60_000)


class Definition(NamedTuple):
    """A metric as the docs list it. `name` is the one to query by, without the suffixes of a histogram's series."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    processes: tuple[Process, ...]


DEFINITIONS: Final[list[Definition]] = []

Metric = TypeVar("Metric", bound=MetricWrapperBase)

_registries: Final[dict[Process, CollectorRegistry]] = {
    name: CollectorRegistry() for name in ("worker", "alert-worker", "gateway", "edge")
}
for _registry in _registries.values():
    ProcessCollector(registry=_registry)


def _defined(metric: Metric, meaning: str, labels: Sequence[str], processes: tuple[Process, ...]) -> Metric:
    (described,) = metric.describe()
    name = described.name + ("_total" if described.type == "counter" else "")
    DEFINITIONS.append(Definition(name, described.type, tuple(labels), meaning, processes))
    for process in processes:
        _registries[process].register(metric)
    return metric


def _counter(name: str, meaning: str, *processes: Process, labels: Sequence[str] = ()) -> Counter:
    return _defined(Counter(PREFIX + name, meaning, labels, registry=None), meaning, labels, processes)


def _gauge(name: str, meaning: str, *processes: Process, labels: Sequence[str] = ()) -> Gauge:
    return _defined(Gauge(PREFIX + name, meaning, labels, registry=None), meaning, labels, processes)


def _histogram(
    name: str, meaning: str, *processes: Process, buckets: Sequence[float] = _STEPS_S, labels: Sequence[str] = ()
) -> Histogram:
    made = Histogram(PREFIX + name, meaning, labels, registry=None, buckets=buckets)
    return _defined(made, meaning, labels, processes)


# -- every process

DEPENDENCY_RETRIES = _counter(
    "dependency_retries",
    "Steps repeated because Kafka, S3, ClickHouse or a receiver of the edge did not answer or asked to wait.",
    *("worker", "alert-worker", "gateway", "edge"),
)

# -- ingest

RECORDS_READ = _counter(
    "records_read", "Records read from `vision.inferences`, those that came again after a crash included.", "worker"
)
RECORD_BYTES = _counter("record_bytes", "Bytes of keys and values of the records read.", "worker")
EVENTS_STORED = _counter(
    "events_stored", "Rows of events inserted into ClickHouse, those that came again included.", "worker"
)
REJECTS = _counter(
    "rejects", "Records that could not be stored, by reason (`schemas/reject.py`).", "worker", labels=["reason"]
)
BATCH_ROWS = _histogram("batch_rows", "Events and rejects that were written together.", "worker", buckets=_ROWS)
STAGE_SECONDS = _histogram(
    "stage_seconds",
    "Seconds of each stage of a batch, waits for a service included: `prepare` (decode, validate, enrich), `images` "
    "(what is left of the puts when rows could go), `insert` (rows of events), `rejects`, `publish`.",
    "worker",
    labels=["stage"],
)
IMAGE_PUTS = _counter("image_puts", "Images put into S3, repetitions included.", "worker")
IMAGE_PUT_BYTES = _counter("image_put_bytes", "Bytes of these images.", "worker")
END_TO_END_SECONDS = _histogram(
    "end_to_end_seconds",
    "Seconds from a record's arrival at Kafka until it is stored, published and acknowledged, of the oldest record of "
    "each batch read: an upper bound for the others of that batch. Includes the difference of the clocks.",
    "worker",
    buckets=_END_TO_END_S,
)
LAG = _gauge(
    "consumer_lag_records",
    "Records of an assigned partition that are not done yet, looked at every few seconds.",
    "worker",
    "alert-worker",
    labels=["topic", "partition"],
)
STUCK_PARTITIONS = _gauge(
    "stuck_partitions",
    "Assigned partitions in which records wait and nothing is done for `stuck_after_s`.",
    "worker",
    "alert-worker",
)
DEPENDENCY_UP = _gauge(
    "dependency_up",
    "1 while a service (`kafka`, `s3`, `clickhouse`) answers this worker, else 0.",
    "worker",
    "alert-worker",
    labels=["service"],
)
ALERT_CANDIDATES = _counter(
    "alert_candidates", "Matches of the stateless part of alert rules, published for the alert workers.", "worker"
)

# -- alerts

RULE_EVALUATIONS = _counter(
    "rule_evaluations", "Candidates that an alert worker evaluated against the state of their group.", "alert-worker"
)
ALERT_TRANSITIONS = _counter(
    "alert_transitions", "Alerts that fired or were resolved, by status.", "alert-worker", labels=["status"]
)
ALERT_DELIVERIES = _counter(
    "alert_deliveries",
    "Transitions that a receiver was told of (`delivered`) or never will be (`dead`).",
    "alert-worker",
    labels=["receiver", "state"],
)

# -- gateway

HTTP_SECONDS = _histogram(
    "http_request_seconds",
    "Seconds of a call, from its first byte to the last of its answer, by route, method and status.",
    "gateway",
    labels=["route", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
EVENTS_ACCEPTED = _counter("events_accepted", "Events that Kafka has acknowledged to this gateway.", "gateway")
GROUP_LAG = _gauge(
    "consumer_group_lag_records",
    "Records of a partition that a consumer group has not committed; also known while no worker runs.",
    "gateway",
    labels=["group", "topic", "partition"],
)
TOPIC_END = _gauge(
    "topic_end_offset",
    "The offset that the next record of a partition gets: its rate is what is produced.",
    "gateway",
    labels=["topic", "partition"],
)

# -- edge

SPOOL_ACCEPTED = _counter("spool_accepted", "Events that the edge took and has on its disk.", "edge")
SPOOL_DELIVERED = _counter("spool_delivered", "Events of the edge that their receiver has.", "edge")
SPOOL_REFUSED = _counter("spool_refused", "Events of the edge that their receiver refused for good.", "edge")
SPOOL_EVENTS = _gauge("spool_events", "Events that wait in the spool: its depth.", "edge")
SPOOL_BYTES = _gauge("spool_bytes", "Bytes of the events that wait in the spool.", "edge")
SPOOL_REFUSED_EVENTS = _gauge("spool_refused_events", "Refused events that wait for a person's decision.", "edge")
SPOOL_OLDEST_SECONDS = _gauge("spool_oldest_seconds", "Age of the oldest event that waits; 0 when none does.", "edge")


def exposition(process: Process) -> bytes:
    """What a process answers at /metrics, in Prometheus' text format (`CONTENT_TYPE`)."""
    return generate_latest(_registries[process])


def set_all(gauge: Gauge, values: Mapping[tuple[str, ...], float]) -> None:
    """Set the values of a gauge by its labels, and take away those that are no longer known."""
    known = {tuple(sample.labels.values()) for family in gauge.collect() for sample in family.samples}
    for labels in known - values.keys():
        gauge.remove(*labels)
    for labels, value in values.items():
        gauge.labels(*labels).set(value)


def page() -> str:
    """The text of docs/metrics.md."""
    rows = [
        f"| `{each.name}` | {each.kind} | {', '.join(f'`{label}`' for label in each.labels)} "
        f"| {', '.join(each.processes)} | {each.meaning} |"
        for each in sorted(DEFINITIONS)
    ]
    return "\n".join([_INTRODUCTION, *rows, ""])


_INTRODUCTION: Final = """# Metrics

Written by `python -m pipeline.metrics` from `pipeline/metrics.py`; a test holds it current.

Workers, alert workers, gateways and edges serve `/metrics` in Prometheus' text format on their health port
(`health_host`, `health_port`), and there only: not on the port of the gateway that others reach. Numbers are counted by
the batch, not by the record. Beside these, each process tells its CPU time, memory and open files (`process_*`).
Dashboards are in `deploy/grafana`, alert rules in `deploy/prometheus`, what to do when one fires in
[runbook.md](runbook.md).

| metric | type | labels | process | meaning |
| --- | --- | --- | --- | --- |"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
