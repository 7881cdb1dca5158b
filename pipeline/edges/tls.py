"""TLS: whom our clients trust, and what our servers show."""

import ssl
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.settings import Settings


def client_context(settings: Settings) -> ssl.SSLContext:
    """A context that verifies the server's certificate and name. Raises ConfigurationError for a file that is none."""
    try:
        return ssl.create_default_context(cafile=ca_file(settings))
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"setting tls_ca_file: {settings.tls_ca_file}: {error}") from None


def ca_file(settings: Settings) -> str | None:
    """The file of the authorities, None for those of the system. Raises ConfigurationError where it is not there."""
    if not settings.tls_ca_file:
        return None
    if not Path(settings.tls_ca_file).is_file():
        raise ConfigurationError(f"setting tls_ca_file: {settings.tls_ca_file}: no such file")
    return settings.tls_ca_file


def server_files(settings: Settings) -> dict[str, Any]:
    """The certificate of a server of ours as uvicorn takes it; empty without TLS. Raises ConfigurationError."""
    if not settings.tls_cert_file and not settings.tls_key_file:
        return {}
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert_file, settings.tls_key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"settings tls_cert_file and tls_key_file: {settings.tls_cert_file!r}, {settings.tls_key_file!r}: {error}"
        ) from None
    return {"ssl_certfile": settings.tls_cert_file, "ssl_keyfile": settings.tls_key_file}
