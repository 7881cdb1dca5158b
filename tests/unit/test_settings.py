"""Where settings come from, and what is said of a bad one."""

import json
from pathlib import Path

import pytest

from pipeline.cli.common import settings_from
from pipeline.errors import ConfigurationError
from pipeline.settings import STACK_FILE, load_settings


def test_flags_win_over_environment_over_file_over_running_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / STACK_FILE).write_text('s3_region = "stack"\ns3_bucket = "stack"\nlog_level = "ERROR"\nhttp_port = 1\n')
    config = tmp_path / "config.toml"
    config.write_text('s3_bucket = "file"\nlog_level = "WARNING"\nhttp_port = 2\n')
    monkeypatch.setenv("VISION_EVENTS_CONFIG", str(config))
    monkeypatch.setenv("VISION_EVENTS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VISION_EVENTS_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("VISION_EVENTS_HTTP_PORT", "3")
    settings = load_settings(http_port=4)
    assert (settings.s3_region, settings.s3_bucket, settings.log_level, settings.http_port) == (
        *("stack", "file", "DEBUG"),
        4,
    )


@pytest.mark.parametrize(
    ("assignment", "named"),
    [
        ("http_port=99999", "http_port"),
        ("nonsense=1", "nonsense"),
        ("log_level", "log_level"),
        ("expected_rejects=unknown_use_case", "expected_rejects.*JSON list"),
        ("clickhouse_url=http://127.0.0.1:abc", "clickhouse_url.*not a URL"),
        ("s3_endpoint=http://[/x]", "s3_endpoint.*not a URL"),
        ("kafka_bootstrap=one:9092,two:abc", "kafka_bootstrap.*host:port"),
    ],
)
def test_a_bad_setting_is_named(assignment: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=named):
        settings_from(tmp_path, [assignment])


def test_an_unknown_name_in_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / STACK_FILE).write_text("colour = 1\n")
    with pytest.raises(ConfigurationError, match="colour"):
        settings_from(tmp_path, None)


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    settings = settings_from(tmp_path, ["s3_secret_key=hunter2", "clickhouse_password=hunter3"])
    assert "hunter" not in repr(settings) + str(settings.model_dump())


def test_no_insert_may_last_as_long_as_kafka_waits_for_a_poll() -> None:
    assert load_settings(insert_timeout_s=240).insert_timeout_s < 300
    with pytest.raises(ConfigurationError, match="insert_timeout_s"):
        load_settings(insert_timeout_s=241)


def test_lists_are_json_on_the_command_line_and_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = '["unknown_use_case", "invalid_timestamp"]'
    assert settings_from(tmp_path, [f"expected_rejects={given}"]).expected_rejects == tuple(json.loads(given))
    monkeypatch.setenv("VISION_EVENTS_EXPECTED_REJECTS", given)
    assert settings_from(tmp_path, None).expected_rejects == tuple(json.loads(given))
    monkeypatch.setenv("VISION_EVENTS_EXPECTED_REJECTS", "unknown_use_case")
    with pytest.raises(ConfigurationError, match=r"VISION_EVENTS_EXPECTED_REJECTS.*JSON list"):
        settings_from(tmp_path, None)


@pytest.mark.parametrize("brokers", ["one:9092", "one", "one:9092, two:9093", "[::1]:9092", "10.0.0.1:1"])
def test_addresses_of_brokers(brokers: str) -> None:
    assert load_settings(kafka_bootstrap=brokers).kafka_bootstrap == brokers
