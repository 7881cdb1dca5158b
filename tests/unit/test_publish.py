"""What `publish` makes of files."""

from pathlib import Path

import orjson
import pytest

from pipeline.cli.publish import Completer, read_records
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (b'{"a": 1}\n{"b": 2}\n\n', 2),
        (b'{"a": 1}', 1),
        (b'[{"use_case_id": "a"}, {"use_case_id": "b"}]', 2),
        (b'[{"name": "cup", "class": 1, "confidence": 0.5, "box": {"x1": 0, "y1": 0, "x2": 1, "y2": 1}}]', 1),
        (b'{"a": 1}\nbroken\n', 2),
    ],
)
def test_lines_elements_and_whole_results_are_records(content: bytes, count: int, tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_bytes(content)
    assert len(list(read_records(str(path)))) == count


def test_a_record_that_needs_nothing_goes_as_it_is() -> None:
    record = b'{"use_case_id":  "a", "source": {"device_id": "cam"}}'
    assert Completer(Settings(), None, None, None).complete(record) == (b"cam", record)


def test_defaults_fill_what_is_absent() -> None:
    completer = Completer(Settings(), "defects", "cam", None)
    key, value = completer.complete(b'{"predictions": []}')
    assert key == b"cam"
    assert orjson.loads(value) == {
        "result": {"predictions": []},
        "use_case_id": "defects",
        "source": {"device_id": "cam"},
    }
    _, kept = completer.complete(b'{"use_case_id": "own", "source": {"device_id": "mine"}}')
    assert orjson.loads(kept) == {"use_case_id": "own", "source": {"device_id": "mine"}}


def test_image_files_outside_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "images"
    folder.mkdir()
    completer = Completer(Settings(), None, None, folder)
    with pytest.raises(ConfigurationError, match="no such file"):
        completer.complete(b'{"images": [{"file": "../secret"}]}')


def test_a_missing_file_is_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        read_records("nowhere")


def test_a_source_that_is_no_object_goes_as_it_is() -> None:
    _, value = Completer(Settings(), "defects", "cam", None).complete(b'{"source": "cam-7", "result": {}}')
    assert orjson.loads(value) == {"source": "cam-7", "result": {}, "use_case_id": "defects"}
