"""`vision-events dashboard`: a link that logs in to the dashboard."""

import secrets
import time
from typing import Annotated, Final

import typer

from pipeline.cli.common import DataDir, SetOption, err, settings_from
from pipeline.edges.clickhouse import connect
from pipeline.edges.keys import SCOPES, list_keys
from pipeline.errors import ConfigurationError
from pipeline.gateway.sessions import Tokens
from pipeline.settings import Settings
from schemas.common import DEFAULT_WORKSPACE

_GOOD_FOR_S: Final = 3600


def dashboard(
    workspace: Annotated[str, typer.Option(help="Workspace to look at.")] = DEFAULT_WORKSPACE,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Print the address of the dashboard with a log-in that works once, within an hour."""
    settings = settings_from(data_dir, assignments)
    link = login_link(settings, workspace)
    if link is None:
        raise ConfigurationError(
            f"workspace {workspace!r} has no key with all scopes; `vision-events keys create NAME` makes one"
        )
    err.print("works once, within an hour; whoever opens it may do what the workspace's oldest key may:")
    typer.echo(link)


def login_link(settings: Settings, workspace: str = DEFAULT_WORKSPACE) -> str | None:
    """A link that opens a session of the workspace's oldest key with all scopes; None where there is no such key.

    Raises ConfigurationError without `link_secret`, as `clickhouse.translated` else. Whoever can call this has the
    secrets of the system already.
    """
    secret = settings.link_secret.get_secret_value()
    if not secret:
        raise ConfigurationError("set link_secret, the same as the gateway's: it signs the link")
    keys = [key for key in list_keys(connect(settings)) if key.workspace_id == workspace and key.revoked_at is None]
    key = next((key for key in keys if key.scopes == set(SCOPES)), None)
    if key is None:
        return None
    expires = int(time.time()) + _GOOD_FOR_S
    token = Tokens(secret.encode(), "login").write(key.id, expires, secrets.token_hex(8))
    base = settings.public_url.rstrip("/") or f"http://{settings.http_host}:{settings.http_port}"
    # Behind the #: browsers do not send it, so no log and no proxy sees it.
    return f"{base}/dashboard/#login={token}"
