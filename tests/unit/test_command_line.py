"""The command line: each command stands alone, and costs what it needs only."""

import subprocess
import sys

import pytest
import typer

from pipeline.cli import main, make_app
from pipeline.errors import ConfigurationError


def names(app: typer.Typer) -> list[str]:
    return list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", names(make_app()))
def test_a_command_alone_is_called_by_its_name(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert names(make_app([name])) == [name]
    if name != "bench":  # its help is that of the benchmarks
        monkeypatch.setattr(sys, "argv", ["vision-events", name, "--help"])
        with pytest.raises(SystemExit, match="0"):
            main()
        assert f"vision-events {name}" in capsys.readouterr().out


def test_a_query_loads_neither_stream_processor_nor_web_framework() -> None:
    asked = "import sys; from pipeline.cli import make_app; make_app(['sql']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert "clickhouse_connect" in loaded
    assert not {"faust", "fastapi", "minio", "aiokafka"}.intersection(loaded)


@pytest.mark.parametrize("text", ["pip install 'vision-events[embedded]'", "no use case '[/red]'", "[bold]"])
def test_an_error_is_printed_as_it_is(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: object) -> typer.Typer:
        raise ConfigurationError(text)

    monkeypatch.setattr("pipeline.cli.make_app", fails)
    with pytest.raises(SystemExit, match="2"):
        main()
    assert capsys.readouterr().err == f"error: {text}\n"
