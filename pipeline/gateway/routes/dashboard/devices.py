"""`/dashboard/api/devices`: a workspace's devices, registered or only heard of, and what was heard of each lately."""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from pipeline.edges.device_activity import MAX_DEVICES, device_activity
from pipeline.gateway.access import Reader
from pipeline.gateway.reading import reading
from pipeline.gateway.services import services_of
from schemas.device import Device

router = APIRouter(prefix="/dashboard/api/devices")


@router.get("")
async def devices(request: Request, who: Reader) -> Response:
    """By id. Of a device that was not heard of within the look-back everything but its registration is empty."""
    services = services_of(request)
    await services.fresh_registry.renew()
    registry, settings = services.registry.current, services.settings
    cases = [case for case in registry.use_cases.values() if case.workspace_id == who.workspace_id]
    days = max([settings.lookback_days, *(case.retention_days for case in cases)])
    heard = await reading(
        request,
        lambda: device_activity(
            services.clickhouse, who.workspace_id, [case.id for case in cases], days, settings.query_timeout_s
        ),
    )
    registered = {device.id: device for device in registry.devices.values() if device.workspace_id == who.workspace_id}
    found = [_described(name, registered.get(name), heard.get(name)) for name in sorted(heard.keys() | registered)]
    answer = {"devices": found[:MAX_DEVICES], "lookbackDays": days, "more": len(found) > MAX_DEVICES}
    return Response(orjson.dumps(answer), media_type="application/json")


def _described(name: str, device: Device | None, heard: dict[str, Any] | None) -> dict[str, Any]:
    known = {"useCaseId": "", "factoryId": "", "streamId": "", "lastEvent": None, "lastDay": 0, "lastHour": 0}
    described = known | {"hours": [], "quietAfterSeconds": None, "rejects": 0} | (heard or {})
    if device is not None:
        for wire, value in (
            ("useCaseId", device.use_case_id),
            ("factoryId", device.factory_id),
            ("streamId", device.stream_id),
        ):
            described[wire] = described[wire] or value or ""
    return described | {"id": name, "name": device.name if device else "", "registered": device is not None}
