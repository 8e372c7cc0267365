"""Schemathesis asks the API everything that its own description allows, and more.

Whatever is sent, the answer is one that the description names, in its form, and never an error
of the program. That a well-formed number names nothing is no error. `pytest --torture` makes
many more requests.
"""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from recorder_sync.rules.access import ApiScope
from tests.web.served import Service


@pytest.fixture(scope="module")
def described(api: Service) -> Any:
    scopes = [word for scope in ApiScope for word in ("--scope", scope.value)]
    token = api.dock.run("tokens", "add", "schemathesis", *scopes, "--json").json["token"]
    schema = schemathesis.openapi.from_url(f"{api.address}/api/v1/openapi.json")
    schema.config.base_url = f"{api.address}/api/v1"
    return schema, {"Authorization": f"Bearer {token}"}


def test_every_answer_is_one_that_the_description_names(
    described: Any, request: pytest.FixtureRequest
) -> None:
    examples = 100 if request.config.getoption("--torture") else 8
    schema, headers = described
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
        def asked(case: Any) -> None:
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

        asked()


def test_the_description_names_every_route_and_how_to_come_in(api: Service) -> None:
    found = httpx.get(f"{api.address}/api/v1/openapi.json").json()
    assert "/recordings/{recording}/proof" in found["paths"]
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            assert operation["security"], f"{method} {path}"
            assert {"401", "403", "429"} <= set(operation["responses"])
