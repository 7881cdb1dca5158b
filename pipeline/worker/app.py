"""The Faust app of a worker, on the record-batch transport."""

from contextlib import suppress
from typing import Any, Final

import faust
from aiokafka.errors import KafkaError

from pipeline.core.stalls import Place
from pipeline.edges.kafka import credentials
from pipeline.settings import Settings
from pipeline.transport import BatchOptions, broker_url

_REQUEST_TIMEOUT_S: Final = 90.0
"""Faust's own; it must not be shorter than the session."""


def make_app(settings: Settings, group: str, options: BatchOptions, **differences: Any) -> faust.App:
    """The app of one worker of a group. `differences` are options of Faust that only one kind of worker has."""
    return faust.App(
        group,
        broker=broker_url(settings.kafka_bootstrap, options),
        broker_credentials=credentials(settings),
        broker_commit_interval=1.0,
        broker_max_poll_records=2_000,
        broker_session_timeout=settings.session_timeout_s,
        # Answers to heartbeats tell of a rebalance: with a long session, too, it must not wait long for this worker.
        broker_heartbeat_interval=min(settings.session_timeout_s / 4, 3.0),
        broker_request_timeout=max(_REQUEST_TIMEOUT_S, settings.session_timeout_s),
        consumer_group_instance_id=settings.worker_id or None,
        consumer_auto_offset_reset="earliest",
        # Any other number selects Faust's sticky assignor, which gave three workers on four partitions 2, 2 and 0.
        # An app with tables has an assignor of its own, which keeps the partitions of all its topics together.
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        datadir=str(settings.data_dir / "faust"),
        **differences,
    )


def places(app: faust.App, topic: str) -> dict[str, Place] | None:
    """Where each assigned partition of a topic stands, None while no group is joined."""
    consumer: Any = app.consumer
    if app.rebalancing or not app.consumer_generation_id:
        return None
    found = {}
    for tp in sorted(consumer.assignment()):
        done = consumer.done_until(tp) if tp.topic == topic else None
        if done is not None:
            with suppress(KafkaError, AssertionError):  # revoked meanwhile
                found[f"{tp.topic}/{tp.partition}"] = Place(done, max(done, consumer.highwater(tp) or 0))
    return found
