"""docs/api.md shows every route of the API and no other, and its documents are ones that the API takes."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from http_world import Api, serving
from world import World

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "api.md").read_text()


def calls() -> Iterator[tuple[str, str, list[str]]]:
    """Method, path without its query, and the words of each call with curl."""
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL):
        for call in re.findall(r"^api (.*?)(?=^api |^$|\Z)", block.replace("\\\n", " "), re.DOTALL | re.MULTILINE):
            words = shlex.split(call, comments=True)
            path = next(word for word in words if word.startswith("$API")).removeprefix("$API").partition("?")[0]
            method = words[words.index("-X") + 1] if "-X" in words else "GET"
            yield method, path, words


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with serving(world) as api:
        yield api


def described(api: Api) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(f"{api.url}/openapi.json", timeout=10).json()
    return document


def test_every_route_is_shown_and_no_other(api: Api) -> None:
    routes = {
        (method.upper(), re.compile(re.sub(r"{\w+}", "[^/]+", path.removeprefix("/api")) + "$"), path)
        for path, methods in described(api)["paths"].items()
        for method in methods
    }
    shown = set()
    for method, path, _ in calls():
        found = [route for route in routes if route[0] == method and route[1].match(path)]
        assert len(found) == 1, (method, path)
        shown.add(found[0])
    assert shown == routes


def test_every_status_has_its_meaning(api: Api) -> None:
    documented = set(re.findall(r"^\| (\d{3}) \|", TEXT, re.MULTILINE))
    answered = {
        status
        for methods in described(api)["paths"].values()
        for operation in methods.values()
        for status in operation["responses"]
        if status >= "400"
    }
    assert answered | {"405"} == documented


def test_what_is_shown_can_be_saved(api: Api) -> None:
    bodies = {
        path: json.loads(words[words.index("--data") + 1])
        for method, path, words in calls()
        if method == "PUT" and not words[words.index("--data") + 1].startswith("@")
    }
    assert len(bodies) == 2
    for path, body in bodies.items():
        # The ids of the documents are those of everybody: here they are this test's.
        kind, id_ = path.strip("/").split("/")
        if "connection" in body:
            body["connection"] = f"{body['connection']}-{api.world.id}"
        answer = api.call("PUT", f"/{kind}/{id_}-{api.world.id}", body)
        assert answer.status_code == 201, answer.text


def test_the_problem_that_is_shown_is_the_one_that_is_answered(api: Api) -> None:
    shown = json.loads(next(block for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)))
    api.put_connection()

    assert api.put_export(schedule="sometimes").json() == shown
