"""The registry in ClickHouse: documents of one workspace leave those of another alone."""

import uuid
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import connect
from pipeline.edges.migrations import load_migrations, migrate
from pipeline.edges.registry import RegistryReader, apply_entries
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from schemas.device import Device
from schemas.use_case import UseCase


@pytest.fixture
def client(environment: dict[str, str]) -> Iterator[Client]:
    """A database of this test alone."""
    names = {name.removeprefix("VISION_EVENTS_").lower(): value for name, value in environment.items()}
    database = f"registry_{uuid.uuid4().hex[:8]}"
    settings = Settings(**(names | {"clickhouse_database": database}))  # type: ignore[arg-type]
    migrate(settings)
    found = connect(settings)
    yield found
    found.command(f"DROP DATABASE {database}")


def test_two_workspaces_have_a_device_of_the_same_id(client: Client) -> None:
    apply_entries(client, [Device(id="cam", workspace_id=name, name=f"of {name}") for name in ("a", "b")])
    reader = RegistryReader(client)
    reader.refresh()
    assert {key: device.name for key, device in reader.current.devices.items()} == {
        ("a", "cam"): "of a",
        ("b", "cam"): "of b",
    }
    apply_entries(client, [Device(id="cam", workspace_id="a", name="changed")])
    reader.refresh()
    assert reader.current.devices["a", "cam"].name == "changed"
    assert reader.current.devices["b", "cam"].name == "of b"


def test_the_id_of_a_use_case_cannot_be_taken_over(client: Client) -> None:
    apply_entries(client, [UseCase(id="case", name="Case", workspace_id="a")])
    intruders = [UseCase(id=key, name="Mine", workspace_id="b") for key in ("other", "case")]
    with pytest.raises(ConfigurationError, match="'case' belongs to another workspace"):
        apply_entries(client, intruders)
    reader = RegistryReader(client)
    reader.refresh()
    assert {key: case.workspace_id for key, case in reader.current.use_cases.items()} == {"case": "a"}


def test_documents_of_the_old_table_move(client: Client) -> None:
    """The migration over a filled table, run twice as after a cut."""
    statements = next(found.statements for found in load_migrations() if found.number == 7)
    move = [statement for statement in statements if "registry" in statement]
    client.command(move[0])
    document = Device(id="old", name="Old").model_dump_json()
    client.insert(
        "registry", [("device", "old", "default", document, 1)], ["kind", "id", "workspace_id", "document", "version"]
    )
    for _ in range(2):
        for statement in move:
            client.command(statement.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS "))
    reader = RegistryReader(client)
    reader.refresh()
    assert reader.current.devices["default", "old"].name == "Old"
    assert client.query("SELECT name FROM devices").result_rows == [("Old",)]
    assert client.command("EXISTS TABLE registry") == 0
