"""`GET /vision-events/custom-metadata-schema/{useCaseId}` and `/image-metadata-schema/{useCaseId}`."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict

from pipeline.edges.metadata_fields import Fields, custom_metadata_fields, image_metadata_fields
from pipeline.gateway.access import Reader
from pipeline.gateway.errors import answers
from pipeline.gateway.reading import reading
from pipeline.gateway.routes.query import lookback_of
from pipeline.gateway.services import services_of
from schemas.use_case import MetadataType

router = APIRouter(prefix="/vision-events", tags=["query"])

UseCaseId = Annotated[str, Path(alias="useCaseId", min_length=1, max_length=256)]


class SeenTypes(BaseModel):
    """The types of a key's values."""

    model_config = ConfigDict(extra="forbid")

    types: list[MetadataType]


class MetadataFields(BaseModel):
    """Keys of metadata, as seen among the newest events of the use case."""

    model_config = ConfigDict(extra="forbid")

    fields: dict[str, SeenTypes]


@router.get("/custom-metadata-schema/{useCaseId}", summary="Keys of custom metadata", responses=answers(404, 408))
async def custom_metadata_schema(request: Request, who: Reader, use_case_id: UseCaseId) -> MetadataFields:
    """What `customMetadataFilters` can be built from."""
    return await _schema(request, who, use_case_id, custom_metadata_fields)


@router.get("/image-metadata-schema/{useCaseId}", summary="Keys of image metadata", responses=answers(404, 408))
async def image_metadata_schema(request: Request, who: Reader, use_case_id: UseCaseId) -> MetadataFields:
    """What `imageMetadataFilters` can be built from."""
    return await _schema(request, who, use_case_id, image_metadata_fields)


async def _schema(request: Request, who: Reader, use_case_id: str, read: Callable[..., Fields]) -> MetadataFields:
    services = services_of(request)
    use_case = await services.use_cases.get(who.workspace_id, use_case_id)
    days, timeout_s = lookback_of(services, use_case), services.settings.query_timeout_s
    found = await reading(request, lambda: read(services.clickhouse, who.workspace_id, use_case_id, days, timeout_s))
    return MetadataFields(fields={name: SeenTypes(**seen) for name, seen in found.items()})
