"""Calls that only the dashboard makes, and the dashboard's files. They are no part of the public HTTP API.

files       the page itself, `pipeline/dashboard`
session     logging in and out
use_cases   use cases with their last day, and their documents

Like every route they take `who: Reader` or `who: Writer` and touch only what belongs to `who.workspace_id`. What the
public API answers already the page asks there.
"""

from fastapi import APIRouter

from pipeline.gateway.routes.dashboard import files, session, use_cases

router = APIRouter(include_in_schema=False)
for part in (session, use_cases, files):  # files last: they answer every other address below /dashboard
    router.include_router(part.router)
