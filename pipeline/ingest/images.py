"""The S3 requests of a worker: in threads of their own, a bounded number at once, each repeated until it succeeds."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from pipeline.core.images import ImageInfo
from pipeline.core.views import ImageReference, Upload
from pipeline.edges.retry import until_done
from pipeline.edges.s3 import ImageStore
from schemas.use_case import ImagePolicy

Result = TypeVar("Result")


class ImageRequests:
    """Awaitable requests to the object store. The event loop's own threads would be too few: cores plus four."""

    def __init__(self, store: ImageStore, concurrency: int) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="images")

    async def put(self, workspace_id: str, upload: Upload) -> None:
        """Make an image durable; a store that is away is waited for. Raises ConfigurationError."""
        await self._run(partial(self._store.put, workspace_id, upload))

    async def resolve(self, workspace_id: str, reference: ImageReference, policy: ImagePolicy) -> ImageInfo | None:
        """What is known of a referenced image. Raises as `ImageStore.resolve`, except for a store that is away."""
        return await self._run(partial(self._store.resolve, workspace_id, reference, policy))

    async def _run(self, request: Callable[[], Result]) -> Result:
        loop = asyncio.get_running_loop()
        return await until_done(lambda: loop.run_in_executor(self._threads, request))
