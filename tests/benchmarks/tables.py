"""Results as tables, for the terminal and for docs/performance.md alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.table import Table as RichTable


@dataclass(frozen=True)
class Table:
    """A heading, column names and cells as text. The first column is text, the others are figures."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def rich(self) -> RichTable:
        table = RichTable(title=self.title, title_justify="left", title_style="bold")
        for index, name in enumerate(self.header):
            table.add_column(name, justify="right" if index else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        lines = [self.header, ("---", *("---:" for _ in self.header[1:])), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def alerts(result: Any) -> Table:
    waits = ", ".join(f"{name} {result[f'{name}_ms']:,.0f}" for name in ("p50", "p99", "max"))
    found = ", ".join(f"{name} {result[f'detected_{name}_ms']:,.0f}" for name in ("p50", "p99"))
    plain, ruled = result["us_without_rules"], result["us_with_rules"]
    rows = [
        ("rules, groups, events/s", f"{result['rules']:,}, {result['groups']:,}, {result['rate']:,}"),
        ("alerts measured, of those due", f"{result['alerts']:,} of {result['expected']:,}"),
        ("event to alert at a consumer, ms", waits),
        ("of that until the alert worker found it, ms", found),
        ("processing an event without rules, with them: CPU us", f"{plain:.1f}, {ruled:.1f}"),
        ("of an event that no rule matches: CPU us", f"{result['us_of_an_event_that_no_rule_matches']:.2f}"),
        ("alert worker: share of a core", f"{result['alert_worker_cpu_share']:.2f}"),
        ("alert worker: peak MB", f"{result['alert_worker_mb']:.0f}"),
    ]
    return Table("From an event to its alert", ("what", "figure"), rows)


def throughput(result: Any) -> Table:
    rows = [
        (
            row["title"],
            f"{row['rate']:,.0f}",
            f"{min(row['rates']):,.0f} to {max(row['rates']):,.0f}",
            "" if row["ours_over"] is None else f"{row['ours_over']:.2f}",
            f"{row['worker_cpu_s'] / row['records'] * 1e6:.1f}",
            f"{row['clickhouse_cpu_s'] / row['records'] * 1e6:.1f}",
            f"{row['peak_mb']:.0f}",
        )
        for row in result
    ]
    header = ("who", "records/s", "runs", "ours / theirs", "CPU us", "ClickHouse us", "peak MB")
    return Table("Kafka to queryable, one worker process", header, rows)


def stages(result: Any) -> Table:
    rows = [
        (
            row["stage"],
            f"{row['rate']:,.0f}",
            f"{row['own_us']:.2f}",
            f"{row.get('clickhouse_us', 0):.2f}",
            f"{row.get('kafka_us', 0):.2f}",
        )
        for row in result
    ]
    return Table("Stages alone", ("stage", "records/s", "CPU us/record", "ClickHouse us", "Kafka us"), rows)


def workers(result: Any) -> Table:
    rows = [
        (
            str(row["workers"]),
            f"{row['limit']} cores" if row.get("limit") else "",
            f"{row['rate']:,.0f}",
            *(f"{row['cores_used'][name]:.2f}" for name in ("worker", "clickhouse", "kafka")),
        )
        for row in result["rows"]
    ]
    title = f"Workers in one group: {result['ratio']:.2f} times"
    if result.get("ratio_limited"):
        title += f"; with limited workers {result['ratio_limited']:.2f} times"
    return Table(title, ("workers", "each limited to", "records/s", "cores: workers", "ClickHouse", "Kafka"), rows)


def latency(result: Any) -> Table:
    names = ("p50_ms", "p90_ms", "p99_ms", "max_ms")
    row = (f"{result['rate']:,.0f}", f"{result['events']:,}", *(f"{result[name]:.0f}" for name in names))
    return Table("Produce to queryable", ("events/s", "events", "p50 ms", "p90 ms", "p99 ms", "max ms"), [row])


def memory(result: Any) -> Table:
    rows = [(f"{p['events']:,}", f"{p['resident_mb']:.0f}", f"{p['peak_mb']:.0f}") for p in result["points"]]
    title = f"Memory of a worker: {result['growth']:+.1%} from first to last"
    return Table(title, ("events so far", "resident MB", "peak MB"), rows)


def reads(result: Any) -> Table:
    rows = [(r["query"], f"{r['rows']:,}", f"{r['p50_ms']:.1f}", f"{r['p95_ms']:.1f}") for r in result["queries"]]
    title = f"Reads on {result['events']:,} events, {result['bytes_per_event']:.1f} bytes each on disk"
    return Table(title, ("query", "rows", "p50 ms", "p95 ms"), rows)


def images(result: Any) -> Table:
    bare = result[0]["rate"]
    rows = [
        (
            row["way"],
            f"{row['rate']:,.0f}",
            f"{row['rate'] / bare:.2f}",
            f"{row['own_ms']:.2f}",
            f"{row['s3_ms']:.2f}",
        )
        for row in result
    ]
    title = f"Images of {result[0]['image_bytes'] / 1000:.0f} kB"
    return Table(title, ("way", "images/s", "of the SDK", "CPU ms/image", "S3 CPU ms/image"), rows)


def gateway(result: Any) -> Table:
    rows = [
        (
            row["name"],
            f"{row['per_second']:,.0f}",
            f"{row['events_per_second']:,.0f}",
            f"{row['p50_ms']:.1f}",
            f"{row['p99_ms']:.1f}",
            f"{row['server_us_per_call']:.0f}",
            ", ".join(f"{status}: {count:,}" for status, count in row["statuses"].items()),
        )
        for row in result
    ]
    header = ("what", "201 a second", "events/s", "p50 ms", "p99 ms", "server CPU us a call", "answers")
    return Table("Writes over HTTP", header, rows)


TABLES: dict[str, Callable[[Any], Table]] = {
    "alerts": alerts,
    "throughput": throughput,
    "stages": stages,
    "workers": workers,
    "latency": latency,
    "memory": memory,
    "reads": reads,
    "images": images,
    "gateway": gateway,
}
