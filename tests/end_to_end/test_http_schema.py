"""The OpenAPI document and the gateway agree: whatever is sent, no 5xx and no answer that is not documented.

SCHEMA_EXAMPLES=200 sends more.
"""

import os
import uuid
from contextlib import suppress
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from schemas.use_case import UseCase
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "4"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@schemathesis.serializer("application/gzip")
def _archive(context: Any, value: Any) -> bytes:
    """A bundle is sent as whatever was drawn."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
def test_no_answer_is_undocumented(system: System, gateway: Gateway, mode: GenerationMode) -> None:
    workspace, use_case = f"schema-{uuid.uuid4().hex[:6]}", f"schema-{uuid.uuid4().hex[:6]}"
    system.apply(UseCase(id=use_case, name=use_case, workspace_id=workspace))
    key = gateway.client(workspace=workspace).headers["Authorization"]
    schema = schemathesis.openapi.from_dict(httpx.get(f"{gateway.url}/openapi.json").json())
    schema.config.update(base_url=gateway.url)
    asked: set[str] = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        with suppress(Unsatisfiable):  # a call without parameters has no invalid ones
            _examine(operation.as_strategy(generation_mode=mode), key, use_case)
        asked.add(operation.label)
    assert len(asked) >= 15, asked


def _examine(strategy: Any, key: str, use_case: str) -> None:
    @given(case=strategy, known=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def examine(case: Any, known: bool) -> None:
        # A use case that exists, half of the time: what lies behind "no such use case" is examined too.
        if known and isinstance(case.body, dict) and "useCaseId" in case.body:
            case.body["useCaseId"] = use_case
        response = case.call(headers={"Authorization": key})
        case.validate_response(response, checks=CHECKS)

    examine()
