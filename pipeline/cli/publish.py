"""`vision-events publish`: records of files to the raw topic."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.cli.common import DataDir, SetOption, err, out, settings_from
from pipeline.core.formats import recognise
from pipeline.core.images import inspect_image
from pipeline.core.views import Upload
from pipeline.edges.kafka import producer
from pipeline.edges.s3 import ImageStore
from pipeline.errors import ConfigurationError, DependencyError
from pipeline.settings import Settings
from schemas.common import DEFAULT_WORKSPACE
from schemas.raw_inference import ENVELOPE_FIELDS
from schemas.topics import INFERENCES
from schemas.use_case import ImagePolicy


def publish(
    paths: Annotated[list[str], typer.Argument(metavar="FILE...", help="NDJSON or JSON files; - is standard input.")],
    use_case: Annotated[str | None, typer.Option(help="Use case of records that name none.")] = None,
    device: Annotated[str | None, typer.Option(help="Device of records that name none.")] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the image files that records name as images[].file.")
    ] = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Publish raw inference results to Kafka, one record a line (NDJSON), an element (array) or a file (object).

    Records are sent as they are: what cannot be stored shows up under `vision-events rejects list`.
    """
    settings = settings_from(data_dir, assignments)
    completer = Completer(settings, use_case, device, images)
    records = [record for path in paths for record in read_records(path)]
    sent = asyncio.run(_send(settings, [completer.complete(record) for record in records]))
    out.print(f"published [bold]{sent:,}[/] records to {INFERENCES.name}")


def read_records(path: str) -> Iterator[bytes]:
    """The records of a file, as bytes. Raises ConfigurationError when it cannot be read."""
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        # Not one JSON value: a line a record. Broken lines are sent too, so that they are counted as rejects.
        return (line for line in content.splitlines() if line.strip())
    if isinstance(document, list) and recognise(document) is None:
        return map(orjson.dumps, document)
    return iter((content.strip(),))


class Completer:
    """Fills in what the command line gives and a record does not."""

    def __init__(self, settings: Settings, use_case: str | None, device: str | None, images: Path | None) -> None:
        self._settings = settings
        self._use_case = use_case
        self._device = device
        self._images = images.resolve() if images else None
        if self._images and not self._images.is_dir():
            raise ConfigurationError(f"--images {images}: not a folder")
        self._store: ImageStore | None = None

    def complete(self, record: bytes) -> tuple[bytes | None, bytes]:
        """Key and value to send. A record that needs nothing, or is not JSON, goes as it is."""
        try:
            document = orjson.loads(record)
        except orjson.JSONDecodeError:
            return self._key({}), record
        changed = self._with_defaults(document)
        if self._images and isinstance(changed, dict) and isinstance(changed.get("images"), list):
            changed = changed | {"images": [self._with_image(image) for image in changed["images"]]}
        key = self._key(changed)
        return key, record if changed is document else orjson.dumps(changed)

    def _with_defaults(self, document: Any) -> Any:
        if self._use_case is None and self._device is None:
            return document
        is_envelope = isinstance(document, dict) and not document.keys() - ENVELOPE_FIELDS
        envelope: dict[str, Any] = dict(document) if is_envelope else {"result": document}
        if self._use_case is not None and not envelope.get("use_case_id"):
            envelope["use_case_id"] = self._use_case
        if self._device is not None and isinstance(envelope.get("source") or {}, dict):
            envelope["source"] = {"device_id": self._device} | (envelope.get("source") or {})
        return envelope

    def _with_image(self, image: Any) -> Any:
        """An image named by `file` is uploaded and referred to: the claim check."""
        if not isinstance(image, dict) or "file" not in image or self._images is None:
            return image
        path = (self._images / str(image["file"])).resolve()
        if not path.is_relative_to(self._images) or not path.is_file():
            raise ConfigurationError(f"images[].file {image['file']!r}: no such file in {self._images}")
        content = path.read_bytes()
        info = inspect_image(content, str(path), ImagePolicy())
        if self._store is None:
            self._store = ImageStore(self._settings)
        self._store.put(DEFAULT_WORKSPACE, Upload(info, content))
        return {key: value for key, value in image.items() if key != "file"} | {"image_id": info.image_id}

    def _key(self, document: Any) -> bytes | None:
        source = document.get("source") if isinstance(document, dict) else None
        device = source.get("device_id") if isinstance(source, dict) else None
        key = device if isinstance(device, str) else self._device
        return key.encode() if key else None


async def _send(settings: Settings, records: list[tuple[bytes | None, bytes]]) -> int:
    columns = (TextColumn("publishing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    kafka = producer(settings)
    try:
        await kafka.start()
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task("", total=len(records))
            pending = []
            for number, (key, value) in enumerate(records, start=1):
                pending.append(await kafka.send(INFERENCES.name, key=key, value=value))
                if len(pending) >= 5_000:
                    await asyncio.gather(*pending)
                    pending.clear()
                    bar.update(task, completed=number)
            await asyncio.gather(*pending)
    except MessageSizeTooLargeError as error:
        raise ConfigurationError(
            f"a record is larger than the topic takes; refer to its images instead: {error}"
        ) from None
    except KafkaError as error:
        raise DependencyError(f"Kafka at {settings.kafka_bootstrap}: {error!r}") from error
    finally:
        await kafka.stop()
    return len(records)
