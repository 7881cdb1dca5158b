"""MinIO, built from its Go module: `go install github.com/minio/minio@latest`."""

import urllib.request
from pathlib import Path

from deploy.embedded.ports import HOST, free_port
from deploy.embedded.supervisor import Part
from tests.support.tools import tool


def minio_part(folder: Path, access_key: str, secret_key: str) -> tuple[Part, str]:
    """The server as a part of a stack, under the name of the one it replaces, and its URL."""
    url = f"http://{HOST}:{free_port()}"
    address = url.removeprefix("http://")
    program = tool("minio", "go install github.com/minio/minio@latest")
    folder.mkdir(parents=True, exist_ok=True)
    command = [program, "server", str(folder), "--address", address, "--console-address", f"{HOST}:{free_port()}"]
    environment = {
        "MINIO_ROOT_USER": access_key,
        "MINIO_ROOT_PASSWORD": secret_key,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }

    def ready() -> None:
        urllib.request.urlopen(f"{url}/minio/health/ready", timeout=2).close()

    return Part("s3", command, environment, ready=ready), url
