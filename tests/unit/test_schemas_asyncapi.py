"""`schemas/asyncapi.yaml` describes the topics that we create and the records that we read and write."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.core.decode import FORMAT_HEADER
from pipeline.core.record import ORIGIN_HEADER, ORIGIN_TIME_HEADER
from pipeline.ingest.publisher import OMITTED_HEADER, reject_headers
from pipeline.settings import Settings
from schemas.export import FOLDER
from schemas.reject import Reject, RejectReason
from schemas.topics import TOPICS, Topic
from tests.unit.registry import NOW

SCHEMAS = FOLDER.parent
DOCUMENT: dict[str, Any] = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8"))


def default(setting: str) -> Any:
    return Settings.model_fields[setting].default


def resolve(reference: str, base: Path = SCHEMAS) -> Any:
    """What a $ref points at: a place in this document, or in a file beside it."""
    name, _, pointer = reference.partition("#")
    node: Any = json.loads((base / name).read_text(encoding="utf-8")) if name else DOCUMENT
    for part in filter(None, pointer.split("/")):
        node = node[part]
    return node


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value] if key == "$ref" else references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_it_is_an_asyncapi_document() -> None:
    """What version 3 of the specification requires of each object."""
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["info"].keys() >= {"title", "version"}
    allowed = {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"}
    assert DOCUMENT.keys() <= allowed
    for server in DOCUMENT["servers"].values():
        assert server.keys() >= {"host", "protocol"}
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert operation["channel"].keys() == {"$ref"}


def test_every_reference_leads_somewhere() -> None:
    found = list(references(DOCUMENT))
    assert found
    for reference in found:
        assert resolve(reference), reference


def test_the_payloads_are_the_exported_schemas() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert messages["inference"]["payload"] == {"$ref": "json/raw-inference-result.json"}
    assert messages["event"]["payload"] == {"$ref": "json/vision-event.json"}


def test_it_has_our_topics_and_no_others() -> None:
    addresses = [channel["address"] for channel in DOCUMENT["channels"].values()]
    assert sorted(addresses) == sorted(topic.name for topic in TOPICS)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_channel_describes_its_topic_as_it_is_created(topic: Topic) -> None:
    (channel,) = [each for each in DOCUMENT["channels"].values() if each["address"] == topic.name]
    binding = channel["bindings"]["kafka"]
    configuration = {
        key: ",".join(value) if isinstance(value, list) else str(value)
        for key, value in binding["topicConfiguration"].items()
    }
    assert configuration == topic.config()
    assert binding["partitions"] == (topic.partitions or default("topic_partitions"))
    assert binding["replicas"] == default("topic_replication")


def test_every_message_has_an_operation_on_its_channel() -> None:
    used = [reference["$ref"] for each in DOCUMENT["operations"].values() for reference in each["messages"]]
    declared = [
        f"#/channels/{name}/messages/{message}"
        for name, channel in DOCUMENT["channels"].items()
        for message in channel.get("messages", {})
    ]
    assert sorted(used) == sorted(declared)
    for operation in DOCUMENT["operations"].values():
        for message in operation["messages"]:
            assert message["$ref"].startswith(operation["channel"]["$ref"] + "/")


def test_addresses_and_groups_are_those_of_the_settings() -> None:
    assert DOCUMENT["servers"]["local"]["host"] == default("kafka_bootstrap")
    group = DOCUMENT["operations"]["receiveInferences"]["bindings"]["kafka"]["groupId"]
    assert group["const"] == default("ingest_group")


def test_headers_of_rejects_are_those_that_are_written() -> None:
    example = Reject(
        topic="t",
        partition=0,
        offset=1,
        timestamp=NOW,
        reason=RejectReason.NOT_JSON,
        message="m",
        headers=(("x", b""),),
    )
    written = [name for name, _ in reject_headers(example)]
    described = DOCUMENT["components"]["messages"]["reject"]["headers"]
    assert written == ["x", *described["required"]]
    assert [*described["required"], OMITTED_HEADER] == list(described["properties"])


def test_headers_that_the_workers_look_at_are_described() -> None:
    described = DOCUMENT["components"]["schemas"]["inferenceHeaders"]["properties"]
    assert {name for name in described if not name.startswith("ce_")} == {
        FORMAT_HEADER,
        ORIGIN_HEADER,
        ORIGIN_TIME_HEADER,
    }
