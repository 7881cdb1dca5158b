"""What a number of factories needs: `python -m deploy.capacity --factories 1 20 500 --cameras 40 --rate 1`.

The costs are those measured in docs/performance.md, rounded up; a test holds them to docs/benchmarks. Disk is measured
on synthetic events with three boxes; masks and long metadata need more.
"""

import argparse
import math
from dataclasses import dataclass
from typing import Final

WORKER_US: Final = 62
"""CPU of a worker for a record, published too (throughput.json)."""
CLICKHOUSE_US: Final = 45
"""CPU of ClickHouse for a record, merges of that time included (throughput.json)."""
GATEWAY_US: Final = 190
"""CPU of a gateway for an event that comes in batches (gateway.json)."""
IMAGE_WORKER_MS: Final = 2.2
"""CPU of a worker for an image in its record (images.json)."""
IMAGE_S3_MS: Final = 2.0
"""CPU of S3 for such an image (images.json)."""
RECORD_BYTES: Final = 740
"""A raw record without its image, and the event that is published of it (performance.md)."""
ROW_BYTES: Final = 103
"""An event in ClickHouse (reads.json)."""

PEAK: Final = 3
"""A shift's beginning against the mean of the day."""
BUSY: Final = 0.6
"""Share of a core that should be used at the peak."""
PARTITION_RATE: Final = 2_000
"""Records a second of one partition at the peak: a tenth of what a worker on a core of its own does."""
RAW_DAYS, EVENT_DAYS, DAYS = 7, 3, 14
"""How long Kafka keeps raw records and events, and the stores keep events and images."""
KAFKA_COPIES, ROW_COPIES, IMAGE_COPIES = 3, 2, 2
"""Replication: brokers, replicas of ClickHouse, and erasure coding 4+4 of S3."""


@dataclass(frozen=True)
class Load:
    """What the factories send, on the mean of a day."""

    factories: int
    cameras: int = 40
    rate: float = 1.0
    """Events a second of a camera."""
    image_share: float = 0.2
    image_kb: float = 105
    inline: bool = True
    """Images in the records (base64) or put before and referred to."""

    @property
    def events(self) -> float:
        """Events a second."""
        return self.factories * self.cameras * self.rate

    @property
    def images(self) -> float:
        """Images a second."""
        return self.events * self.image_share


@dataclass(frozen=True, slots=True)
class Need:
    """What they need: cores at the peak, disk in GB, partitions."""

    worker_cores: int
    clickhouse_cores: int
    s3_cores: int
    gateway_cores: int
    partitions: int
    kafka_mb_s: float
    kafka_gb: float
    rows_gb_day: float
    rows_gb: float
    images_gb_day: float
    images_gb: float


def need(load: Load) -> Need:
    """The arithmetic."""
    peak = load.events * PEAK
    image_bytes = load.image_kb * 1000
    on_topic = RECORD_BYTES + (load.image_share * image_bytes * 4 / 3 if load.inline else 0)
    day = load.events * 86_400 / 1e9
    images_day = load.images * 86_400 * image_bytes / 1e9
    worker_s = WORKER_US / 1e6 + (load.image_share * IMAGE_WORKER_MS / 1e3 if load.inline else 0)
    return Need(
        worker_cores=_cores(peak * worker_s),
        clickhouse_cores=_cores(peak * CLICKHOUSE_US / 1e6),
        s3_cores=_cores(load.images * PEAK * IMAGE_S3_MS / 1e3),
        gateway_cores=_cores(peak * GATEWAY_US / 1e6),
        partitions=max(8, math.ceil(peak / PARTITION_RATE), _cores(peak * worker_s)),
        kafka_mb_s=peak * on_topic / 1e6,
        kafka_gb=day * (on_topic * RAW_DAYS + RECORD_BYTES * EVENT_DAYS) * KAFKA_COPIES,
        rows_gb_day=day * ROW_BYTES,
        rows_gb=day * ROW_BYTES * DAYS * ROW_COPIES,
        images_gb_day=images_day,
        images_gb=images_day * DAYS * IMAGE_COPIES,
    )


def _cores(busy: float) -> int:
    return max(1, math.ceil(busy / BUSY))


def table(loads: list[Load]) -> str:
    """A Markdown table with a column a load."""
    needs = [need(load) for load in loads]
    rows = {
        "events a second, mean (peak)": [f"{load.events:,.0f} ({load.events * PEAK:,.0f})" for load in loads],
        "images a second, mean (peak)": [f"{load.images:,.0f} ({load.images * PEAK:,.0f})" for load in loads],
        "events a day": [f"{load.events * 86_400 / 1e6:,.1f} million" for load in loads],
        "workers, a core each": [f"{each.worker_cores:,}" for each in needs],
        "cores of ClickHouse for the inserts": [f"{each.clickhouse_cores:,}" for each in needs],
        "cores of S3 for the images": [f"{each.s3_cores:,}" for each in needs],
        "gateways, a core each, if all comes over HTTP": [f"{each.gateway_cores:,}" for each in needs],
        "partitions of `vision.inferences`, at least": [f"{each.partitions:,}" for each in needs],
        "into Kafka at the peak": [f"{each.kafka_mb_s:,.1f} MB/s" for each in needs],
        "Kafka's disks (7 days raw, 3 copies)": [_size(each.kafka_gb) for each in needs],
        "rows a day, one copy": [_size(each.rows_gb_day) for each in needs],
        "ClickHouse's disks (14 days, 2 copies)": [_size(each.rows_gb) for each in needs],
        "images a day, one copy": [_size(each.images_gb_day) for each in needs],
        "S3's disks (14 days, erasure coding 4+4)": [_size(each.images_gb) for each in needs],
    }
    heads = [f"{load.factories:,} {'factory' if load.factories == 1 else 'factories'}" for load in loads]
    lines = [f"| | {' | '.join(heads)} |", f"| --- | {' | '.join(['---:'] * len(loads))} |"]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()]
    return "\n".join(lines)


def _size(gigabytes: float) -> str:
    return f"{gigabytes / 1000:,.1f} TB" if gigabytes >= 1000 else f"{gigabytes:,.1f} GB"


def main() -> None:
    """Print the table for the load that the command line describes."""
    parser = argparse.ArgumentParser(prog="python -m deploy.capacity", description="What factories need.")
    parser.add_argument("--factories", type=int, nargs="+", default=[1, 20, 500])
    parser.add_argument("--cameras", type=int, default=Load.cameras, help="cameras of a factory (%(default)s)")
    parser.add_argument("--rate", type=float, default=Load.rate, help="events a second of a camera (%(default)s)")
    parser.add_argument(
        "--image-share", type=float, default=Load.image_share, help="part of events with an image (%(default)s)"
    )
    parser.add_argument("--image-kb", type=float, default=Load.image_kb, help="size of an image (%(default)s)")
    parser.add_argument("--by-reference", action="store_true", help="images are put before, not sent in the record")
    given = parser.parse_args()
    load = (given.cameras, given.rate, given.image_share, given.image_kb, not given.by_reference)
    print(table([Load(count, *load) for count in given.factories]))


if __name__ == "__main__":
    main()
