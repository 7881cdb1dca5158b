"""Use cases of the caller's workspace."""

from typing import Final

from pipeline.edges.registry import RegistryReader
from pipeline.gateway.errors import ApiError
from pipeline.gateway.snapshots import Snapshot
from schemas.use_case import UseCase

UNKNOWN_USE_CASE: Final = "no use case of this id in the key's workspace"


class RegisteredUseCases:
    """Finds the use cases that calls name."""

    def __init__(self, registry: RegistryReader, fresh: Snapshot) -> None:
        self._registry = registry
        self._fresh = fresh

    async def get(self, workspace_id: str, use_case_id: str) -> UseCase:
        """The use case, archived or not; one that is not known is looked for once more. Raises ApiError 404."""
        found = self._registry.current.use_cases.get(use_case_id)
        if found is None:
            await self._fresh.renew()
            found = self._registry.current.use_cases.get(use_case_id)
        if found is None or found.workspace_id != workspace_id:
            raise ApiError(404, f"useCaseId: {UNKNOWN_USE_CASE}")
        return found
