"""Bad input over HTTP: each has its answer, and changes nothing."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from http_world import Api, connection, export, serving
from world import MAPPING, World

from local.azurite import Azurite
from local.standin import StandIn

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def served(azurite: Azurite, campaign_monitor: StandIn) -> Iterator[Api]:
    with serving(World(azurite.connection_string, campaign_monitor.url)) as api:
        api.put_connection()
        api.put_export()
        yield api


@pytest.fixture
def api(served: Api) -> Iterator[Api]:
    """With a connection and an export, which are the same afterwards, and no others."""
    before = _saved(served)
    yield served
    assert _saved(served) == before


def _saved(api: Api) -> list[tuple[str, bytes]]:
    """Every document of this world, byte by byte."""
    container = api.world.app.catalog._container
    return [(info.name, container.read(info.name).data) for info in container.list("") if api.world.id in info.name]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"display_name": ""}, "display_name"),
        ({"display_name": " "}, "display_name"),
        ({"display_name": "x" * 201}, "display_name"),
        ({"display_name": 7}, "display_name"),
        ({"connection": "../x"}, "connection"),
        ({"list_id": "a/../b"}, "list_id"),
        ({"segments": []}, "segments"),
        ({"segments": "BlobExport/High"}, "segments"),
        ({"segments": ["BlobExport"]}, "segments.0"),
        ({"segments": ["BlobExport/.."]}, "segments.0"),
        ({"segments": ["../HighValueSegment"]}, "segments.0"),
        ({"segments": ["A/b\x00"]}, "segments.0"),
        ({"segments": ["A/b", "A/b"]}, "segments"),
        ({"mapping": {}}, "mapping.email"),
        ({"mapping": {"email": ""}}, "mapping.email"),
        (
            {"mapping": MAPPING | {"custom_fields": [{"key": "a", "column": "b"}, {"key": "[A]", "column": "c"}]}},
            "mapping.custom_fields",
        ),
        ({"mapping": MAPPING | {"consent_to_track": "yes"}}, "mapping.consent_to_track"),
        ({"schedule": "daily"}, "schedule"),
        ({"schedule": "99 * * * *"}, "schedule"),
        ({"schedule": "0 30 2 * * *"}, "schedule"),
        ({"schedule": "30 2 31 2 *"}, "schedule"),
        ({"enabled": "true"}, "enabled"),
        ({"enabled": 1}, "enabled"),
        ({"mode": "all"}, "mode"),
        ({"max_profiles": 0}, "max_profiles"),
        ({"max_profiles": "5"}, "max_profiles"),
        ({"max_profiles": True}, "max_profiles"),
        ({"max_age_hours": -1}, "max_age_hours"),
        ({"resubscribe": None}, "resubscribe"),
        ({"unknown": 1}, "unknown"),
        ({"id": "another"}, "id"),
        ({"id": 7}, "id"),
        ({"x" * 5000: 1}, "x" * 100 + "…"),
    ],
)
def test_a_wrong_field_is_named(api: Api, changes: dict[str, Any], field: str) -> None:
    said = api.problem(api.put_export(**changes), 400, "invalid")

    assert said["field"] == field
    assert field in said["detail"]


def test_all_wrong_fields_are_told_and_a_flood_of_them_is_cut(api: Api) -> None:
    said = api.problem(api.call("PUT", f"/exports/{api.export}", {f"x{n}": n for n in range(1000)}), 400, "invalid")

    assert "display_name: is required" in said["detail"]
    assert said["detail"].count(";") == 10
    assert len(said["detail"]) < 1000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nothing",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"\xff\xfe{}",
        b'{"display_name": "\xff"}',
        b'{"display_name": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"max_profiles": ' + b"9" * 5000 + b"}",
        b'{"max_profiles": NaN}',
        b'{"max_profiles": 1e999}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"mapping":' * 5000 + b"1" + b"}" * 5000,
        b'{"saved":' * 500 + b"1" + b"}" * 500,
    ],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize("path", ["/connections/{connection}", "/exports/{export}"])
def test_a_body_that_is_no_document_is_refused(api: Api, path: str, body: bytes) -> None:
    address = path.format(connection=api.connection, export=api.export)

    answer = api.call("PUT", address, data=body, headers=JSON)

    assert answer.status_code == 400
    api.problem(answer, 400, answer.json()["code"])
    assert answer.json()["code"] in ("not_json", "invalid")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_may_have_a_mebibyte_and_no_more(api: Api, chunked: bool) -> None:
    def sent(size: int) -> requests.Response:
        document = export(api.world) | {"unknown": ""}
        document["unknown"] = "x" * (size - len(json.dumps(document)))
        body = json.dumps(document).encode()
        assert len(body) == size
        data = iter([body[:1000], body[1000:]]) if chunked else body
        return api.call("PUT", f"/exports/{api.export}", data=data, headers=JSON)

    api.problem(sent(1024 * 1024), 400, "invalid")
    api.problem(sent(1024 * 1024 + 1), 413, "too_large")


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data"]
)
def test_a_body_that_is_not_sent_as_json_is_refused(api: Api, kind: str | None) -> None:
    body = json.dumps(export(api.world))
    paths = (
        ("PUT", f"/exports/{api.export}"),
        ("POST", f"/exports/{api.export}/runs"),
        ("POST", f"/exports/{api.export}/check"),
    )
    for method, path in paths:
        headers = {"Content-Type": kind} if kind else {}
        api.problem(api.call(method, path, data=body.encode(), headers=headers), 415, "wrong_media_type")
    kinds = ("application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json")
    for good in kinds:
        answer = api.call("PUT", f"/exports/{api.export}", data=b"{}", headers={"Content-Type": good})
        api.problem(answer, 400, "invalid")


@pytest.mark.parametrize(
    "id_",
    [
        "..",
        ".",
        "%2e%2e",
        "..%2Fconnections",
        "..%2f..%2f",
        "a%2Fb",
        "a%5Cb",
        "a%00",
        "a%0A",
        "%0Aa",
        "UPPER",
        "-a",
        "a.json",
        "ė",
        "a b",
        "a" * 64,
        "a" * 5000,
        "{export}.json",
    ],
)
@pytest.mark.parametrize("path", ["/connections/{}", "/exports/{}", "/exports/{}/runs"])
def test_an_id_that_cannot_be_reaches_no_storage(
    api: Api, path: str, id_: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Sent as it stands: a client would resolve the dots. The SDK logs every call that it makes."""
    caplog.set_level(logging.INFO, "azure.core.pipeline.policies.http_logging_policy")
    sent = requests.Request("GET", api.url, headers={"x-role": "admin"}).prepare()
    sent.url = api.url + path.format(id_.replace("{export}", api.export))

    answer = requests.Session().send(sent, timeout=10)

    assert answer.status_code in (400, 404), answer.text
    api.problem(answer, answer.status_code, {400: "invalid", 404: "no_such_path"}[answer.status_code])
    assert not caplog.records


def test_an_id_that_can_be_does_reach_the_storage(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """So that the silence in the test above says something."""
    caplog.set_level(logging.INFO, "azure.core.pipeline.policies.http_logging_policy")

    api.call("GET", "/exports/nothing")

    assert caplog.records


@pytest.mark.parametrize(
    "run",
    [
        "..",
        "latest",
        "20261123T020004120-9F0C2A1B",
        "20261123T020004120-9f0c2a1b%2F..",
        "٢" * 8 + "T020004120-9f0c2a1b",
    ],
)
def test_a_run_id_that_cannot_be_is_refused(api: Api, run: str) -> None:
    for tail in ("", "/rejects", "/rejects/summary"):
        answer = api.call("GET", f"/exports/{api.export}/runs/{run}{tail}")
        assert answer.status_code in (400, 404), answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_could_be_and_is_not_there_is_not_found(api: Api) -> None:
    api.problem(api.call("GET", "/connections/nothing"), 404, "connection_not_found")
    api.problem(api.call("GET", "/exports/nothing"), 404, "export_not_found")
    api.problem(api.call("GET", "/exports/nothing/runs"), 404, "export_not_found")
    api.problem(api.call("POST", "/exports/nothing/runs"), 404, "export_not_found")
    run = "20261123T020004120-9f0c2a1b"
    api.problem(api.call("GET", f"/exports/{api.export}/runs/{run}"), 404, "run_not_found")
    api.problem(api.call("DELETE", f"/exports/{api.export}/runs/{run}"), 404, "run_not_found")
    for path in ("", "/", "/exports/", "/elsewhere", "/exports/a/b/c"):
        api.problem(api.call("GET", path), 404, "no_such_path")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/exports/a", "DELETE, GET, PUT"),
        ("POST", "/exports", "GET"),
        ("DELETE", "/exports/a/runs", "GET, POST"),
        ("GET", "/runs", "POST"),
        ("OPTIONS", "/connections/a/check", "POST"),
        ("PUT", "/exports/a/runs/20261123T020004120-9f0c2a1b", "DELETE, GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.call(method, path)

    api.problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("body", [{"mode": "all"}, {"dry_run": "yes"}, {"dry_run": None}, {"other": 1}, [], "x"])
def test_a_run_is_not_started_by_a_wrong_request(api: Api, body: Any) -> None:
    api.problem(api.call("POST", f"/exports/{api.export}/runs", body), 400, "invalid")

    assert api.call("GET", f"/exports/{api.export}/runs").json() == []


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "ž"])
def test_an_idempotency_key_that_cannot_be_is_refused(api: Api, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1", "replace")} if key != "ž" else {"Idempotency-Key": "ž".encode()}

    said = api.problem(api.call("POST", f"/exports/{api.export}/runs", headers=headers), 400, "invalid")

    assert said["field"] == "idempotency-key"
    assert api.call("GET", f"/exports/{api.export}/runs").json() == []


def test_a_defect_is_told_and_its_cause_is_not(world: World) -> None:
    """Something of which nobody thought: here, an app that cannot be made."""
    from http_world import caller_of, listening

    from shared.web import api as web

    def no_app() -> Any:
        raise RuntimeError("the cause, user1@example.com")

    with listening(web.create(no_app, caller_of)) as url:
        answer = requests.get(f"{url}/api/exports", headers={"x-role": "admin"}, timeout=10)

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "internal"
    assert "cause," not in answer.text and "example.com" not in answer.text


def test_a_key_does_not_come_back_from_the_connection_of_a_wrong_document(api: Api) -> None:
    body = connection(api.world) | {"consent": {"agreed_by": "jane@contoso.example", "token": "0a1b2c3d"}}

    answer = api.call("PUT", f"/connections/{api.connection}", body)

    assert (answer.status_code, "0a1b2c3d" in answer.text) == (400, False)
