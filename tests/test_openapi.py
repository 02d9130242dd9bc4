"""The description of the API is true: schemathesis sends what it allows and what it does not, and finds no server
error and no answer that is not described."""

import re
from collections.abc import Iterator

import pytest
import requests
from http_world import Api, serving
from schemathesis_run import run_schemathesis
from world import World, csv_rows, person

from local.azurite import Azurite
from local.standin import StandIn

EXAMPLES = 10  # of each operation, beside those that cover each parameter


@pytest.fixture(scope="module")
def api(campaign_monitor: StandIn) -> Iterator[Api]:
    """On a storage of its own: exports of nobody's making come and go here."""
    with Azurite() as azurite:
        world = World(azurite.connection_string, campaign_monitor.url)
        world.put_rows(csv_rows(person(1), person(2, EMail="nobody")))
        with serving(world) as api:
            assert api.put_connection().status_code == 201
            assert api.put_export(schedule=None).status_code == 201
            yield api


def test_no_call_gives_a_server_error_or_an_answer_that_is_not_described(api: Api) -> None:
    ran = run_schemathesis(f"{api.url}/openapi.json", EXAMPLES)

    assert ran.returncode == 0, ran.stdout
    operations = len(operations_of(api))
    assert f"Selected: {operations}/{operations}" in ran.stdout
    assert re.search(rf"Tested: {operations}\b", ran.stdout)


def test_every_operation_describes_itself_and_its_problems(api: Api) -> None:
    described = requests.get(f"{api.url}/openapi.json", timeout=10).json()
    for path, method in operations_of(api):
        operation = described["paths"][path][method]
        assert "422" not in operation["responses"], path
        for status, answer in operation["responses"].items():
            assert answer["description"], (path, method, status)
            if int(status) >= 400 and not path.endswith("/health"):
                assert list(answer["content"]) == ["application/problem+json"], (path, method, status)
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= operation["responses"].keys(), path
        if "{" in path:
            assert "400" in operation["responses"], path


def operations_of(api: Api) -> list[tuple[str, str]]:
    paths = requests.get(f"{api.url}/openapi.json", timeout=10).json()["paths"]
    return [(path, method) for path, methods in paths.items() for method in methods]
