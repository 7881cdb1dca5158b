"""The table of what factories need: current, right in the small, and held to what was measured."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from deploy import capacity
from deploy.capacity import Load, need, table

ROOT = Path(__file__).parents[2]


def results(name: str) -> list[dict[str, Any]]:
    found = json.loads((ROOT / "docs" / "benchmarks" / f"{name}.json").read_text())["result"]
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize(("marker", "inline"), [("capacity", True), ("capacity by reference", False)])
def test_the_page_has_the_table(marker: str, inline: bool) -> None:
    page = (ROOT / "docs" / "topologies.md").read_text()
    shown = page.split(f"<!-- begin {marker} -->")[1].split(f"<!-- end {marker} -->")[0].strip()
    assert shown == table([Load(count, inline=inline) for count in (1, 20, 500)]), "run `python -m deploy.capacity`"


def test_the_arithmetic() -> None:
    load = Load(factories=1, cameras=100, rate=10, image_share=0.5, image_kb=100)
    assert (load.events, load.images) == (1000, 500)
    found = need(load)
    assert found.worker_cores == math.ceil(3000 * (62e-6 + 0.5 * 2.2e-3) / 0.6)
    assert found.images_gb_day == pytest.approx(500 * 86_400 * 100_000 / 1e9)
    assert found.rows_gb == pytest.approx(1000 * 86_400 * 14 * 103 * 2 / 1e9)
    by_reference = need(Load(1, 100, 10, 0.5, 100, inline=False))
    assert by_reference.kafka_mb_s == pytest.approx(3000 * 740 / 1e6)
    assert by_reference.worker_cores < found.worker_cores
    assert need(Load(2, 100, 10)).partitions >= need(Load(1, 100, 10)).partitions


def test_the_costs_are_those_that_were_measured() -> None:
    worker = next(
        each for each in results("throughput") if each["name"] == "ours_publishing" or "publishing)" in each["title"]
    )
    per_record = worker["worker_cpu_s"] / worker["records"] * 1e6
    clickhouse = max(
        each["clickhouse_cpu_s"] / each["records"] * 1e6
        for each in results("throughput")
        if "vision-events" in each["title"]
    )
    inline = next(each for each in results("images") if "inline" in each["way"])
    batch = next(each for each in results("gateway") if each.get("events") == 100 and each["server_us_per_call"])
    (reads,) = results("reads")
    for cost, measured in (
        (capacity.WORKER_US, per_record),
        (capacity.CLICKHOUSE_US, clickhouse),
        (capacity.IMAGE_WORKER_MS, inline["own_ms"]),
        (capacity.IMAGE_S3_MS, inline["s3_ms"]),
        (capacity.GATEWAY_US, batch["server_us_per_call"] / 100),
        (capacity.ROW_BYTES, reads["bytes_per_event"]),
    ):
        assert 0.8 * measured <= cost <= 2.5 * measured
