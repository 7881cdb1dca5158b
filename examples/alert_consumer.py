"""Consumes alerts: prints each transition once. Run: python alert_consumer.py [host:port]

Kafka delivers at least once: after a crash the same `id` can come again, so the ids that were handled are remembered
here (in memory; keep them with your own data where a repetition after a restart of the consumer matters).
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer


async def alerts(group: str = "my-alert-consumer", **connection: Any) -> AsyncIterator[dict[str, Any]]:
    """Every transition of an alert, as a CloudEvent.

    `connection` is what AIOKafkaConsumer takes: `bootstrap_servers`, and of brokers with users and TLS
    `security_protocol`, `sasl_mechanism`, `sasl_plain_username`, `sasl_plain_password` and `ssl_context`.
    """
    consumer = AIOKafkaConsumer(
        "vision.alerts", group_id=group, auto_offset_reset="earliest", enable_auto_commit=False, **connection
    )
    handled: set[str] = set()
    await consumer.start()
    try:
        async for record in consumer:
            event = json.loads(record.value)
            if event["id"] not in handled:
                yield event  # act on it; the offset is committed after that
                handled.add(event["id"])
            await consumer.commit()
    finally:
        await consumer.stop()


async def main(bootstrap: str) -> None:
    """Print what comes."""
    async for event in alerts(bootstrap_servers=bootstrap):
        alert = event["data"]
        print(alert["status"], alert["rule"], alert["group"], alert["annotations"].get("summary"), alert["image_url"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"))
