"""docker-compose.yml names only settings and commands that exist, and no password."""

from pathlib import Path
from typing import Any

import typer
import yaml

from pipeline.cli import app
from pipeline.settings import PREFIX, Settings
from schemas.topics import MAX_RAW_RECORD_BYTES, RECORD_OVERHEAD_BYTES

ROOT = Path(__file__).parents[2]


def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return loaded


def test_every_setting_and_command_exists() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    ours = {name: service for name, service in services().items() if "build" in service}
    assert set(ours) == {"migrate", "worker", "alert-worker", "gateway"}
    for service in ours.values():
        assert service["command"] in commands
        names = {name.removeprefix(PREFIX).lower() for name in service["environment"]}
        assert names <= set(Settings.model_fields)


def test_secrets_come_from_outside_and_only_the_gateway_is_published() -> None:
    for name, service in services().items():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key or "SECRET" in key:
                assert value.startswith("${"), f"{name}: {key}"
                assert ":?" in value
        if "ports" in service:
            assert name == "gateway"
            assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_topics_of_compose_take_the_largest_record() -> None:
    largest = int(services()["kafka"]["environment"]["KAFKA_MESSAGE_MAX_BYTES"])
    assert largest >= MAX_RAW_RECORD_BYTES + RECORD_OVERHEAD_BYTES
