"""Makes the secrets of docker-compose.yml: `python -m deploy.compose.secrets [FOLDER]`. What is there stays."""

import secrets
import sys
from pathlib import Path
from typing import Final

NAMES: Final = (
    *("s3_root_password", "s3_secret_key", "s3_retention_key", "clickhouse_admin_password", "clickhouse_password"),
    *("clickhouse_reader_password", "analyst_password", "grafana_admin_password", "link_secret", "api_key"),
    *("gateway_api_key", "edge_api_key", "kafka_password"),
)
"""`gateway_api_key` is what an edge shows to its gateway: replace it by a key that `vision-events keys create` made."""


def make(folder: Path) -> list[str]:
    """Make the secrets that are missing, each of 256 random bits, and return their names.

    The folder is closed to others, its files are not: containers run as users of their own, and see the files alone.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    made = [name for name in NAMES if not (folder / name).exists()]
    for name in made:
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="ascii")
        path.chmod(0o444)
    return made


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else "secrets")
    print(f"{where}: made {', '.join(make(where)) or 'nothing: all are there'}")
