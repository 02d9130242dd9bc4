"""ExportHttp as Azure runs it: through Microsoft's worker library, in processes of their own."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from http_world import Api, connection, export
from schemathesis_run import run_schemathesis
from toy_functions import eventually
from world import World, csv_rows, person

from local.azurite import Azurite
from local.host.process import HostProcess
from local.standin import StandIn

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
NEVER = "0 0 0 1 1 *"


@pytest.fixture(scope="module")
def world(campaign_monitor: StandIn) -> Iterator[World]:
    with Azurite() as azurite:
        world = World(azurite.connection_string, campaign_monitor.url)
        world.put_rows(csv_rows(person(1), person(2), person(3, EMail="nobody-at-all")))
        yield world


def host(world: World, role: str, log: Path, *functions: str) -> HostProcess:
    # Debugging is what would bring bodies into the log.
    settings = world.environment | {
        "EXPORT_SCHEDULE": NEVER,
        "FUNCTION_KEY_ROLE": role,
        "PYTHON_ENABLE_DEBUG_LOGGING": "1",
    }
    return HostProcess(ROOT, functions=functions, settings=settings, log=log)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("door") / "log"


@pytest.fixture(scope="module")
def admin(world: World, log: Path) -> Iterator[Api]:
    with host(world, "admin", log) as process:
        yield Api(process.url, world)


@pytest.fixture(scope="module")
def contributor(world: World, log: Path) -> Iterator[Api]:
    """A second process on the same storage, which does no steps of runs."""
    with host(world, "contributor", log, "ExportHttp") as process:
        yield Api(process.url, world)


def principal(role: str) -> dict[str, str]:
    """What App Service would say of somebody who signed in."""
    import base64

    claims = {"auth_typ": "aad", "role_typ": "roles", "claims": [{"typ": "roles", "val": role}]}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(claims).encode()).decode()}


def test_from_an_empty_app_to_a_finished_run(admin: Api, log: Path) -> None:
    assert admin.put_connection().status_code == 201
    assert admin.call("POST", f"/connections/{admin.connection}/check").json()["ok"] is True
    saved = admin.put_export(schedule=None)
    assert (saved.status_code, "ETag" in saved.headers) == (201, True)
    check = admin.call("POST", f"/exports/{admin.export}/check").json()
    assert (check["ok"], len(check["preview"]["subscribers"])) == (True, 2)

    started = admin.call("POST", f"/exports/{admin.export}/runs", headers={"Idempotency-Key": "first"})
    assert started.status_code == 202
    path = started.headers["Location"].removeprefix("/api")

    def ended() -> dict[str, Any]:
        run: dict[str, Any] = admin.call("GET", path).json()
        return run if run["ended_at"] else {}

    run = eventually(ended)
    assert (run["status"], run["counts"]["added"], run["requested_by"]) == ("completed_with_rejects", 2, "function key")
    again = admin.call("POST", f"/exports/{admin.export}/runs", headers={"Idempotency-Key": "first"})
    assert again.json()["id"] == run["id"]
    rejects = admin.call("GET", f"{path}/rejects")
    assert "nobody-at-all" in rejects.text
    assert rejects.headers["Content-Type"].startswith("text/csv")
    assert admin.call("GET", "/health").json()["ok"] is True


@pytest.mark.parametrize(
    "headers", [{}, principal("Exports.Admin"), {"x-role": "admin", "X-MS-CLIENT-PRINCIPAL-NAME": "root"}]
)
def test_headers_that_claim_an_identity_are_not_believed(contributor: Api, headers: dict[str, str]) -> None:
    me = requests.get(f"{contributor.url}/me", headers=headers, timeout=10)

    assert me.json() == {"name": "function key", "role": "contributor"}
    body = connection(contributor.world)
    answer = requests.put(f"{contributor.url}/connections/theirs", json=body, headers=headers, timeout=10)
    contributor.problem(answer, 403, "role_missing")


def test_of_two_processes_that_save_the_same_export_one_wins(admin: Api, contributor: Api) -> None:
    admin.put_connection()
    for number in range(5):
        path = f"/exports/contested-{number}"
        for headers, won in (({"If-None-Match": "*"}, 201), (None, 200)):
            condition = headers or {"If-Match": admin.call("GET", path).headers["ETag"]}

            def save(api: Api, path: str = path, condition: dict[str, str] = condition) -> int:
                body = export(api.world) | {"display_name": api.url, "schedule": None}
                return api.call("PUT", path, body, headers=condition).status_code

            with ThreadPoolExecutor(2) as pool:
                assert sorted(pool.map(save, (admin, contributor))) == [won, 412]


def test_of_two_processes_that_are_asked_with_the_same_key_one_starts_the_run(admin: Api, contributor: Api) -> None:
    admin.put_connection()
    admin.put_export("asked-twice", schedule=None)

    def start(api: Api) -> str:
        answer = api.call("POST", "/exports/asked-twice/runs", headers={"Idempotency-Key": "both"})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(start, [admin, contributor] * 4))

    assert len(ids) == 1
    assert [run["id"] for run in admin.call("GET", "/exports/asked-twice/runs").json()] == list(ids)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/exports/%2e%2e", 400, "invalid"),
        ("GET", "/exports/a%2Fb", 404, "no_such_path"),
        ("GET", "/exports/..%2Fconnections", 404, "no_such_path"),
        ("GET", "/nothing", 404, "no_such_path"),
        ("PATCH", "/exports/a", 405, "method_not_allowed"),
        ("POST", "/exports", 405, "method_not_allowed"),
    ],
)
def test_what_is_wrong_is_told_as_a_problem_through_the_adapter_too(
    admin: Api, method: str, path: str, status: int, code: str
) -> None:
    request = requests.Request(method, admin.url).prepare()
    request.url = admin.url + path

    admin.problem(requests.Session().send(request, timeout=10), status, code)


def test_a_body_that_is_too_large_or_no_json_is_told_so(admin: Api) -> None:
    headers = {"Content-Type": "application/json"}
    path = "/exports/a"
    admin.problem(admin.call("PUT", path, data=b"x" * (1024 * 1024 + 1), headers=headers), 413, "too_large")
    admin.problem(admin.call("PUT", path, data=b"{", headers=headers), 400, "not_json")
    admin.problem(admin.call("PUT", path, data=b"{}"), 415, "wrong_media_type")


def test_neither_rejects_nor_keys_come_into_the_log(admin: Api, log: Path) -> None:
    """The log of the host at every level: Azure's adapter would log every answer whole, at DEBUG."""
    admin.put_connection()
    admin.put_connection("with-a-key", api_key="0a1b2c3d4e5f")
    (run, *_) = admin.call("GET", f"/exports/{admin.export}/runs").json()
    assert "nobody-at-all" in admin.call("GET", f"/exports/{admin.export}/runs/{run['id']}/rejects").text

    text = log.read_text()

    assert " DEBUG " in text and "ExportHttp" in text
    assert "nobody-at-all" not in text
    assert "0a1b2c3d4e5f" not in text
    assert admin.world.key not in text


def test_the_description_is_true_through_the_adapter_too(admin: Api, tmp_path: Path) -> None:
    """What is allowed, on things that are there, so that each call comes to its end."""
    admin.put_connection("newsletter")
    admin.put_export("high-value", connection="newsletter", schedule=None)

    ran = run_schemathesis(
        f"{admin.url}/openapi.json", 3, "--mode", "positive", "--exclude-method", "DELETE", phases="fuzzing"
    )

    assert ran.returncode == 0, ran.stdout
