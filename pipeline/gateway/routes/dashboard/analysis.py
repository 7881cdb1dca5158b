"""`/dashboard/api/analysis`: figures of the events that the filters of a query find. Each names its SQL."""

from collections.abc import Callable
from typing import Annotated, Final, Literal, Self
from zoneinfo import available_timezones

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator
from pydantic.alias_generators import to_camel

from pipeline.core.analysis.charts import Charts
from pipeline.core.query.document import EventFilters, Time
from pipeline.core.query.spans import Span, microseconds
from pipeline.core.query.statements import Statement
from pipeline.edges.analysis import Analyst, Chart
from pipeline.gateway.access import Reader
from pipeline.gateway.bodies import parse, read_body
from pipeline.gateway.errors import ApiError
from pipeline.gateway.reading import reading
from pipeline.gateway.routes.query import lookback_of
from pipeline.gateway.services import services_of
from schemas.common import MEBIBYTE

router = APIRouter(prefix="/dashboard/api/analysis")

Key = Annotated[str, StringConstraints(min_length=1, max_length=120)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class _Between(_Wire):
    """A span of time, both ends included."""

    since: Time
    until: Time

    @model_validator(mode="after")
    def _since_before_until(self) -> Self:
        if self.since >= self.until:
            raise ValueError("until must be after since")
        return self


class _Question(_Wire):
    """What is to be shown: `by` is the key of a split, two of them make a heat map."""

    chart: Literal["overTime", "split", "classes", "confidences", "heatMap", "comparison"]
    filters: EventFilters
    by: Annotated[list[Key], Field(max_length=2)] = []
    spans: Annotated[list[_Between], Field(max_length=2)] = []
    time_zone: str = "UTC"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wanted = {"split": 1, "heatMap": 2}.get(self.chart)
        if wanted is not None and len(self.by) != wanted:
            raise ValueError(f"by: {self.chart} takes {wanted}")
        if self.chart == "comparison" and len(self.spans) != 2:
            raise ValueError("spans: comparison takes 2")
        if self.time_zone not in available_timezones():
            raise ValueError(f"timeZone: {self.time_zone!r} is not the name of a time zone")
        return self


_QUESTION: Final = TypeAdapter(_Question)


@router.post("")
async def analysis(request: Request, who: Reader) -> Response:
    """`{rows, sql, since, until, stepSeconds}`; times are milliseconds since the epoch."""
    asked = parse(await read_body(request, MEBIBYTE), _QUESTION)
    services = services_of(request)
    case = await services.use_cases.get(who.workspace_id, asked.filters.use_case_id)
    days, timeout_s = lookback_of(services, case), services.settings.query_timeout_s

    def read() -> Chart:
        return _answer(Analyst(services.clickhouse, who.workspace_id, asked.filters, days, timeout_s), asked)

    try:
        chart = await reading(request, read)
    except ValueError as error:
        raise ApiError(400, f"by: {error}") from None
    answer = {
        "rows": chart.rows,
        "sql": chart.sql,
        "since": chart.span.since // 1000,
        "until": chart.span.until // 1000,
        "stepSeconds": chart.step_s,
    }
    return Response(orjson.dumps(answer), media_type="application/json")


def _answer(analyst: Analyst, asked: _Question) -> Chart:
    if asked.chart == "overTime":
        return analyst.over_time(asked.time_zone, asked.by[0] if asked.by else None)
    if asked.chart == "comparison":
        spans = [Span(microseconds(span.since), microseconds(span.until)) for span in asked.spans]
        return analyst.comparison(spans)
    made: dict[str, Callable[[Charts], Statement]] = {
        "split": lambda charts: charts.split(asked.by[0]),
        "classes": Charts.classes,
        "confidences": Charts.confidences,
        "heatMap": lambda charts: charts.heat_map(*asked.by),
    }
    return analyst.chart(made[asked.chart])
