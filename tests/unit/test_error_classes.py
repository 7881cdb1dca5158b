"""What an error of a service means: wait, reject this record, or stop. Codes as servers and clients give them."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import urllib3
from aiokafka import errors as kafka_errors
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from minio.error import S3Error

from pipeline.cli import exit_code
from pipeline.edges import clickhouse, kafka, objects
from pipeline.edges.retry import until_done
from pipeline.errors import ConfigurationError, DependencyError, InvalidRecordError, RowRefusedError, VisionEventsError
from schemas.reject import RejectReason

RETRYABLE_CODES = (3, 107, 159, 164, 202, 203, 209, 210, 241, 242, 252, 285, 319, 425, 999)
DISK_FULL_CODES = (75, 243)


def meaning(translated: Callable[[], AbstractContextManager[None]], error: Exception) -> VisionEventsError:
    with pytest.raises(VisionEventsError) as caught, translated():
        raise error
    return caught.value


def clickhouse_error(code: int) -> DatabaseError:
    error = DatabaseError(f"Code: {code}. DB::Exception: x")
    error.code = code
    return error


@pytest.mark.parametrize("code", [*RETRYABLE_CODES, *DISK_FULL_CODES])
def test_clickhouse_overloaded_away_or_full_is_waited_for(code: int) -> None:
    found = meaning(clickhouse.translated, clickhouse_error(code))
    assert isinstance(found, DependencyError)
    assert found.retryable


@pytest.mark.parametrize("code", [60, 81, 16, 192, 193, 194, 497, 516])
def test_clickhouse_without_table_or_access_is_configuration(code: int) -> None:
    found = meaning(clickhouse.translated, clickhouse_error(code))
    assert isinstance(found, ConfigurationError)
    assert not found.retryable
    assert str(code) in str(found)
    assert exit_code(found) == 2


@pytest.mark.parametrize("code", [6, 27, 38, 53, 117, 131])
def test_clickhouse_refusing_content_is_about_that_row(code: int) -> None:
    found = meaning(clickhouse.translated, clickhouse_error(code))
    assert isinstance(found, RowRefusedError)
    assert found.code == code
    assert not found.retryable


@pytest.mark.parametrize(
    "error", [OperationalError("no answer"), urllib3.exceptions.ProtocolError("cut"), OSError(104)]
)
def test_clickhouse_that_does_not_answer_is_waited_for(error: Exception) -> None:
    assert isinstance(meaning(clickhouse.translated, error), DependencyError)


def s3_error(code: str) -> S3Error:
    return S3Error(urllib3.HTTPResponse(), code, "m", "/r", "1", "h")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "code", ["SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "XMinioStorageFull"]
)
def test_s3_overloaded_is_waited_for(code: str) -> None:
    assert isinstance(meaning(objects.translated, s3_error(code)), DependencyError)


@pytest.mark.parametrize("code", ["NoSuchBucket", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"])
def test_s3_without_bucket_or_access_is_configuration(code: str) -> None:
    found = meaning(objects.translated, s3_error(code))
    assert isinstance(found, ConfigurationError)
    assert code in str(found)


@pytest.mark.parametrize(
    "error",
    [
        kafka_errors.KafkaConnectionError(),
        kafka_errors.KafkaTimeoutError(),
        kafka_errors.RequestTimedOutError(),
        kafka_errors.NotLeaderForPartitionError(),
        kafka_errors.NotEnoughReplicasError(),
        kafka_errors.NotEnoughReplicasAfterAppendError(),
        kafka_errors.LeaderNotAvailableError(),
        kafka_errors.GroupCoordinatorNotAvailableError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_kafka_away_or_changing_leaders_is_waited_for(error: Exception) -> None:
    assert isinstance(meaning(kafka.translated, error), DependencyError)


@pytest.mark.parametrize(
    "error",
    [
        kafka_errors.UnknownTopicOrPartitionError(),
        kafka_errors.TopicAuthorizationFailedError(),
        kafka_errors.ClusterAuthorizationFailedError(),
        kafka_errors.SaslAuthenticationFailed(),
        kafka_errors.InvalidTopicError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_kafka_without_topic_or_access_is_configuration(error: Exception) -> None:
    found = meaning(kafka.translated, error)
    assert isinstance(found, ConfigurationError)
    assert exit_code(found) == 2


async def test_a_retryable_error_is_waited_out_with_jitter(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    left = 12

    async def step() -> str:
        nonlocal left
        left -= 1
        if left:
            raise DependencyError("away")
        return "done"

    with caplog.at_level(logging.WARNING):
        assert await until_done(step) == "done"
    assert len(waits) == 11
    assert len(set(waits)) > 5
    assert all(0 <= wait <= 10 for wait in waits)
    assert "attempt 1 failed" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("no table"),
        RowRefusedError(53, "type"),
        InvalidRecordError(RejectReason.INVALID_VALUE, "m"),
    ],
)
async def test_no_other_error_is_tried_again(error: VisionEventsError) -> None:
    calls = 0

    async def step() -> None:
        nonlocal calls
        calls += 1
        raise error

    with pytest.raises(type(error)):
        await until_done(step)
    assert calls == 1
