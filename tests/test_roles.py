"""What a role may do: in the setting, and on every route."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from http_world import Api, connection, export, serving
from world import World, csv_rows, person

from local.azurite import Azurite
from local.standin import StandIn
from shared.errors import DeploymentError
from shared.settings import ROLES, read

LEAST = {"ExportStorage": "UseDevelopmentStorage=true"}


@pytest.mark.parametrize(("given", "role"), [({}, "contributor"), ({"FUNCTION_KEY_ROLE": "viewer"}, "viewer")])
def test_the_role_of_a_function_key(given: dict[str, str], role: str) -> None:
    assert read(LEAST | given).function_key_role == role


@pytest.mark.parametrize("value", ["Admin", "owner", "admin,viewer"])
def test_a_role_that_there_is_not(value: str) -> None:
    with pytest.raises(DeploymentError) as caught:
        read(LEAST | {"FUNCTION_KEY_ROLE": value})
    assert caught.value.field == "FUNCTION_KEY_ROLE"
    assert "viewer, contributor, admin" in caught.value.action
    assert value not in str(caught.value)


# What each role is answered: viewer, contributor, admin. {c} is a connection that is shared with contributors and {u}
# one that is not; {e} and {f} are their exports, {r} a run of {e} and {s} one of {f}; {n} is a new id.
TABLE: list[tuple[str, str, Any, tuple[int, int, int]]] = [
    ("GET", "/connections", None, (403, 200, 200)),
    ("GET", "/connections/{c}", None, (403, 200, 200)),
    ("GET", "/connections/{u}", None, (403, 404, 200)),
    ("PUT", "/connections/{n}", connection, (403, 403, 201)),
    ("PUT", "/connections/{c}", connection, (403, 403, 200)),
    ("DELETE", "/connections/{c}", None, (403, 403, 409)),
    ("POST", "/connections/{c}/check", None, (403, 403, 200)),
    ("GET", "/connections/{c}/lists", None, (403, 200, 200)),
    ("GET", "/connections/{u}/lists", None, (403, 404, 200)),
    ("GET", "/connections/{c}/lists/{l}", None, (403, 200, 200)),
    ("GET", "/connections/{u}/lists/{l}", None, (403, 404, 200)),
    ("GET", "/exports", None, (200, 200, 200)),
    ("GET", "/list-titles", None, (200, 200, 200)),
    ("GET", "/exports/{f}", None, (200, 200, 200)),
    ("PUT", "/exports/{n}", export, (403, 201, 201)),
    ("PUT", "/exports/{e}", export, (403, 200, 200)),
    ("PUT", "/exports/{f}", export, (403, 403, 200)),
    ("PUT", "/exports/{n}", lambda world: export(world) | {"connection": f"u-{world.id}"}, (403, 403, 201)),
    ("PUT", "/exports/{n}", lambda world: export(world) | {"connection": "nowhere"}, (403, 403, 409)),
    ("PUT", "/exports/{n}", lambda world: export(world) | {"connection": None}, (403, 201, 201)),
    ("POST", "/exports/{e}/check", None, (403, 200, 200)),
    ("POST", "/exports/{f}/check", None, (403, 403, 200)),
    ("POST", "/exports/{n}/check", lambda world: export(world) | {"connection": f"u-{world.id}"}, (403, 403, 200)),
    ("POST", "/exports/{e}/runs", {"dry_run": True}, (403, 202, 202)),
    ("POST", "/exports/{f}/runs", {"dry_run": True}, (403, 403, 202)),
    ("POST", "/exports/{e}/audit", None, (403, 202, 202)),
    ("POST", "/exports/{f}/audit", None, (403, 403, 202)),
    ("GET", "/exports/{f}/runs/{s}/audit", None, (200, 200, 200)),
    ("POST", "/runs", None, (403, 202, 202)),
    ("GET", "/exports/{f}/runs", None, (200, 200, 200)),
    ("GET", "/exports/{f}/runs/{s}", None, (200, 200, 200)),
    ("GET", "/exports/{f}/runs/{s}/rejects", None, (200, 200, 200)),
    ("GET", "/exports/{f}/runs/{s}/rejects/summary", None, (200, 200, 200)),
    ("DELETE", "/exports/{e}/runs/{r}", None, (403, 200, 200)),
    ("DELETE", "/exports/{f}/runs/{s}", None, (403, 403, 200)),
    ("DELETE", "/exports/{e}", None, (403, 204, 204)),
    ("DELETE", "/exports/{f}", None, (403, 403, 204)),
    ("GET", "/segments", None, (200, 200, 200)),
    ("GET", "/health", None, (200, 200, 200)),
    ("GET", "/me", None, (200, 200, 200)),
]


@pytest.fixture(scope="module")
def own_storage() -> Iterator[str]:
    """POST /runs starts all that there is in the storage: none of other tests'."""
    with Azurite() as azurite:
        yield azurite.connection_string


@pytest.fixture
def api(own_storage: str, campaign_monitor: StandIn) -> Iterator[Api]:
    with serving(World(own_storage, campaign_monitor.url)) as api:
        yield api


@pytest.mark.parametrize("role", ROLES)
def test_every_role_on_every_route(api: Api, role: str) -> None:
    """One role after the other on the same things, which are made anew where a call takes them away."""
    world = api.world
    world.put_rows(csv_rows(person(1)))
    names = {"c": api.connection, "u": f"u-{world.id}", "e": api.export, "f": f"f-{world.id}", "l": world.list_id}
    ended: dict[str, str] = {}

    def make() -> None:
        api.put_connection()
        api.put_connection(names["u"], usable_by="admins")
        api.put_export()
        api.put_export(names["f"], connection=names["u"])

    make()
    for export_id, run in ((names["e"], "r"), (names["f"], "s")):
        ended[run] = api.call("POST", f"/exports/{export_id}/runs").json()["id"]
        api.call("DELETE", f"/exports/{export_id}/runs/{ended[run]}")
    world.pump()
    wrong = []
    for number, (method, path, sent, answers) in enumerate(TABLE):
        body = sent(world) if callable(sent) else sent
        known = names | ended | {"n": f"n{number}-{role}-{world.id}"}
        answer = api.call(method, path.format(**known), body, role=role)
        expected = answers[ROLES.index(role)]
        if answer.status_code != expected:
            wrong.append((method, path, expected, answer.status_code, answer.text))
        if expected == 403:
            assert answer.json()["code"] in ("role_missing", "connection_not_shared")
        if answer.status_code == 204:
            make()
        if path.endswith("/runs") and answer.status_code == 202:
            world.pump()
    assert wrong == []


def test_the_table_holds_every_route(api: Api) -> None:
    described = requests.get(f"{api.url}/openapi.json", timeout=10).json()["paths"]
    parameters = {"{connection_id}": "{c}", "{export_id}": "{e}", "{run_id}": "{r}", "{list_id}": "{l}"}

    def plain(path: str) -> str:
        for name, short in (parameters | {"{u}": "{c}", "{n}": "{x}", "{f}": "{e}", "{s}": "{r}"}).items():
            path = path.replace(name, short)
        return path.replace("/exports/{x}", "/exports/{e}").replace("/connections/{x}", "/connections/{c}")

    routes = {
        (method.upper(), plain(path.removeprefix("/api"))) for path, methods in described.items() for method in methods
    }
    assert {(method, plain(path)) for method, path, _, _ in TABLE} == routes


def test_what_is_forbidden_changes_nothing(api: Api) -> None:
    api.put_connection()
    api.put_export()
    before = [api.call("GET", path).text for path in (f"/connections/{api.connection}", f"/exports/{api.export}")]

    for role in ("viewer", "contributor"):
        api.call("PUT", f"/connections/{api.connection}", connection(api.world) | {"display_name": "Theirs"}, role=role)
        api.call("DELETE", f"/connections/{api.connection}?exports=remove", role=role)
    api.put_export(role="viewer", display_name="Theirs")
    api.call("DELETE", f"/exports/{api.export}", role="viewer")

    assert [
        api.call("GET", path).text for path in (f"/connections/{api.connection}", f"/exports/{api.export}")
    ] == before
