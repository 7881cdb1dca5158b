"""`vision-events images`: links to stored images."""

from datetime import timedelta
from typing import Annotated

import typer

from pipeline.cli.common import DataDir, SetOption, settings_from
from pipeline.edges.objects import is_image_id
from pipeline.edges.s3 import ImageStore
from pipeline.errors import ConfigurationError
from schemas.common import DEFAULT_WORKSPACE

app = typer.Typer(help="Images: links that a browser can open for a while.", no_args_is_help=True)


@app.callback()
def images() -> None:
    """Images: links that a browser can open for a while."""


@app.command("link")
def link(
    image_ids: Annotated[list[str], typer.Argument(help="Ids as in the view `images`: source_id, input_source_id.")],
    hours: Annotated[float, typer.Option(min=0.01, max=168, help="How long the links work.")] = 1,
    workspace: Annotated[str, typer.Option(help="Workspace that the images belong to.")] = DEFAULT_WORKSPACE,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Print a signed link for each image: to the object store itself, which whoever opens it must be able to reach."""
    store = ImageStore(settings_from(data_dir, assignments))
    for image_id in image_ids:
        if not is_image_id(image_id):
            raise ConfigurationError(f"{image_id!r} is not an image id: 64 hexadecimal digits")
        typer.echo(store.link(workspace, image_id, timedelta(hours=hours)))
