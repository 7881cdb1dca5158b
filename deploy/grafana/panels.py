"""What the dashboard shows: rows of panels, each with its queries. Names of metrics are those of docs/metrics.md."""

from dataclasses import dataclass
from typing import Final

_V: Final = "vision_events_"


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph. `queries` maps a legend to an expression; `meaning` is what the information mark says."""

    title: str
    unit: str
    queries: dict[str, str]
    meaning: str = ""


def _quantiles(histogram: str) -> dict[str, str]:
    """The median and the 99th percentile of a histogram."""
    rate = f"sum by (le) (rate({histogram}_bucket[5m]))"
    return {f"p{share * 100:.0f}": f"histogram_quantile({share}, {rate})" for share in (0.5, 0.99)}


ROWS: Final[dict[str, tuple[Panel, ...]]] = {
    "Overview": (
        Panel(
            "Produced, stored, rejected",
            "rps",
            {
                "produced": f'sum(rate({_V}topic_end_offset{{topic="vision.inferences"}}[5m]))',
                "stored": f"sum(rate({_V}events_stored_total[5m]))",
                "rejected": f"sum(rate({_V}rejects_total[5m])) or vector(0)",
            },
            "Records a second. Where produced stays above the sum of the others, lag grows.",
        ),
        Panel(
            "Lag",
            "short",
            {
                "{{group}} {{topic}}": "sum by (group, topic) (max by (group, topic, partition) "
                f"({_V}consumer_group_lag_records))"
            },
            "Records that a consumer group has not committed; known also while no worker runs.",
        ),
        Panel(
            "Kafka to queryable",
            "s",
            _quantiles(f"{_V}end_to_end_seconds"),
            "Of the oldest record of each batch: an upper bound for all records.",
        ),
        Panel(
            "Processes that answer",
            "short",
            {"{{job}}": "sum by (job) (up)"},
        ),
    ),
    "Ingest": (
        Panel(
            "Stages of a batch, p99",
            "s",
            {"{{stage}}": f"histogram_quantile(0.99, sum by (le, stage) (rate({_V}stage_seconds_bucket[5m])))"},
        ),
        Panel(
            "Seconds spent by stage",
            "percentunit",
            {"{{stage}}": f'sum by (stage) (rate({_V}stage_seconds_sum[5m])) / scalar(sum(up{{job="worker"}}))'},
            "Share of a worker's time; stages overlap, so the sum may pass 100 %.",
        ),
        Panel(
            "Rows of a batch",
            "short",
            {
                "mean": f"sum(rate({_V}batch_rows_sum[5m])) / sum(rate({_V}batch_rows_count[5m]))",
                **_quantiles(f"{_V}batch_rows"),
            },
        ),
        Panel("Bytes read", "Bps", {"records": f"sum(rate({_V}record_bytes_total[5m]))"}),
        Panel(
            "Records read by worker", "rps", {"{{instance}}": f"sum by (instance) (rate({_V}records_read_total[5m]))"}
        ),
        Panel(
            "Lag by partition",
            "short",
            {"{{topic}}/{{partition}}": f"max by (topic, partition) ({_V}consumer_lag_records)"},
        ),
        Panel("Stuck partitions", "short", {"partitions": f"sum({_V}stuck_partitions)"}),
        Panel("Services that answer workers", "short", {"{{service}}": f"min by (service) ({_V}dependency_up)"}),
        Panel("Repeated steps", "cps", {"{{job}}": f"sum by (job) (rate({_V}dependency_retries_total[5m]))"}),
        Panel("Rejects by reason", "rps", {"{{reason}}": f"sum by (reason) (rate({_V}rejects_total[5m]))"}),
    ),
    "Images": (
        Panel("Images put", "rps", {"images": f"sum(rate({_V}image_puts_total[5m]))"}),
        Panel("Bytes put", "Bps", {"bytes": f"sum(rate({_V}image_put_bytes_total[5m]))"}),
    ),
    "Alerts": (
        Panel(
            "Candidates",
            "rps",
            {
                "found": f"sum(rate({_V}alert_candidates_total[5m]))",
                "evaluated": f"sum(rate({_V}rule_evaluations_total[5m]))",
            },
        ),
        Panel("Transitions", "rps", {"{{status}}": f"sum by (status) (rate({_V}alert_transitions_total[5m]))"}),
        Panel(
            "Told",
            "rps",
            {"{{receiver}} {{state}}": f"sum by (receiver, state) (rate({_V}alert_deliveries_total[5m]))"},
        ),
    ),
    "Gateway": (
        Panel("Events accepted", "rps", {"events": f"sum(rate({_V}events_accepted_total[5m]))"}),
        Panel("Calls by status", "rps", {"{{status}}": f"sum by (status) (rate({_V}http_request_seconds_count[5m]))"}),
        Panel(
            "Seconds of a call, p99 by route",
            "s",
            {"{{route}}": f"histogram_quantile(0.99, sum by (le, route) (rate({_V}http_request_seconds_bucket[5m])))"},
        ),
    ),
    "Edge": (
        Panel("Spool depth", "short", {"{{instance}}": f"{_V}spool_events"}),
        Panel("Bytes in the spool", "bytes", {"{{instance}}": f"{_V}spool_bytes"}),
        Panel("Oldest event that waits", "s", {"{{instance}}": f"{_V}spool_oldest_seconds"}),
        Panel(
            "Taken, delivered, refused",
            "rps",
            {
                "taken": f"sum(rate({_V}spool_accepted_total[5m]))",
                "delivered": f"sum(rate({_V}spool_delivered_total[5m]))",
                "refused": f"sum(rate({_V}spool_refused_total[5m]))",
            },
        ),
        Panel("Refused, waiting for a decision", "short", {"{{instance}}": f"{_V}spool_refused_events"}),
    ),
    "Processes": (
        Panel("CPU", "percentunit", {"{{job}} {{instance}}": "rate(process_cpu_seconds_total[5m])"}),
        Panel("Memory", "bytes", {"{{job}} {{instance}}": "process_resident_memory_bytes"}),
        Panel("Open files", "short", {"{{job}} {{instance}}": "process_open_fds"}),
    ),
}
