"""ClickHouse's engine (chDB) behind ClickHouse's own HTTP protocol, on localhost.

A chDB path opens in one process only, so this process owns it and everybody else speaks HTTP to it, with the same
client and the same addresses as to a ClickHouse server. `python -m deploy.embedded.clickhouse --help` runs it.

serve     start and end
confine   nothing outside the data folder
app       HTTP: routes and parameters
answer    answers, streamed
access    users and what a read-only user may not say
statements  where an INSERT ends and its data begins, where an answer's FORMAT stands
engine    one request in the engine
config    the engine's configuration files
errors    the engine's errors and their HTTP statuses
"""

import sys
from pathlib import Path
from typing import Final

DEFAULT_PORT: Final = 8123

MALLOC: Final = {
    "MALLOC_TRIM_THRESHOLD_": str(512 * 1024**2),
    "MALLOC_TOP_PAD_": str(16 * 1024**2),
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2),
}
"""Environment in which glibc keeps what an insert has freed for the next one.

chDB allocates with the C library, unlike the server. Given back and taken anew, that memory costs a page fault of up
to 4 us for each 4 KB, a fifth of an insert (docs/performance.md).
"""


def prepare(data_dir: Path, port: int) -> list[str]:
    """Return the command that runs the server on a data folder.

    Its environment must hold the passwords: CLICKHOUSE_PASSWORD of the user `default`, who may write, and
    CLICKHOUSE_ANALYST_PASSWORD of the read-only user `analyst`.
    """
    return [sys.executable, "-m", __name__, "--data-dir", str(data_dir), "--port", str(port)]
