"""Calls that only the dashboard makes, and the dashboard's files. They are no part of the public HTTP API.

files       the page itself, `pipeline/dashboard`
session     logging in and out
analysis    figures of the events that filters find
deliveries  who was told of alerts
devices     what was heard of each lately
rejects     records that could not be stored
system      the state of the pipeline as a whole, for operators
use_cases   use cases with their last day, and their documents
events      one event, its neighbours, what people said of events, values for filters
live        new events as they are stored
views       filters that people gave a name
thumbnails  small pictures for lists

Like every route they take `who: Reader` or `who: Writer` and touch only what belongs to `who.workspace_id`. What the
public API answers already the page asks there.
"""

from fastapi import APIRouter

from pipeline.gateway.routes.dashboard import (
    analysis,
    deliveries,
    devices,
    events,
    files,
    live,
    rejects,
    session,
    system,
    thumbnails,
    use_cases,
    views,
)

router = APIRouter(include_in_schema=False)
# Files last: they answer every other address below /dashboard.
for part in (
    session,
    use_cases,
    events,
    live,
    views,
    thumbnails,
    analysis,
    deliveries,
    devices,
    rejects,
    system,
    files,
):
    router.include_router(part.router)
