"""`vision-events sql`: a query as the read-only analyst."""

import sys
from typing import Annotated

import typer

from pipeline.cli.common import DataDir, SetOption, settings_from
from pipeline.edges.clickhouse import connect, translated
from pipeline.errors import ConfigurationError, DependencyError


def sql(
    query: Annotated[str, typer.Argument(help="A query, for instance 'SELECT count() FROM vision_events'.")],
    output_format: Annotated[
        str | None,
        typer.Option("--format", "-f", help="Any output format of ClickHouse: CSVWithNames, JSONEachRow, Parquet ..."),
    ] = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Run a query as the read-only analyst. A table on a terminal, tab separated with a header otherwise."""
    client = connect(settings_from(data_dir, assignments), analyst=True)
    chosen = output_format or ("PrettyCompactMonoBlock" if sys.stdout.isatty() else "TabSeparatedWithNames")
    try:
        with translated(), client.raw_stream(query, fmt=chosen) as stream:
            while chunk := stream.read(1 << 20):
                sys.stdout.buffer.write(chunk)
    except DependencyError as error:
        if "READONLY" not in str(error):
            raise
        # For a worker this code means a replica that cannot take writes now; here it means the statement.
        raise ConfigurationError(f"`sql` only reads: {error}") from None
    sys.stdout.flush()
