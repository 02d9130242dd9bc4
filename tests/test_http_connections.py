"""Connections over HTTP: consent and keys, who sees what, check, and what becomes of the exports of a removed one."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from http_world import Api, connection, serving
from world import World


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with serving(world) as api:
        yield api


def test_a_connection_is_saved_and_says_who_saved_it_and_who_uses_it(api: Api) -> None:
    made = api.call(
        "PUT", f"/connections/{api.connection}", connection(api.world), headers={"x-name": "ann@contoso.example"}
    )
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/connections/{api.connection}"
    api.put_export()
    changed = api.put_connection(display_name="Renamed")
    assert changed.status_code == 200

    found = api.call("GET", f"/connections/{api.connection}")

    assert found.headers["ETag"] == changed.headers["ETag"] != made.headers["ETag"]
    view = found.json()
    assert view["display_name"] == "Renamed"
    assert view["type"] == "campaign-monitor"
    assert view["used_by"] == [api.export]
    assert (view["saved"]["created_by"], view["saved"]["changed_by"]) == ("ann@contoso.example", "jane@contoso.example")
    assert view["saved"]["created_at"] < view["saved"]["changed_at"]
    assert view in api.call("GET", "/connections").json()


def test_what_was_read_can_be_sent_back(api: Api) -> None:
    api.put_connection()
    read = api.call("GET", f"/connections/{api.connection}").json()

    assert api.call("PUT", f"/connections/{api.connection}", read).status_code == 200

    again = api.call("GET", f"/connections/{api.connection}").json()
    assert again["consent"] == read["consent"]
    assert again["saved"]["created_at"] == read["saved"]["created_at"]


def test_consent_is_recorded_with_its_time(api: Api) -> None:
    api.put_connection(consent={"agreed_by": " jane@contoso.example "})

    consent = api.call("GET", f"/connections/{api.connection}").json()["consent"]

    assert consent["agreed_by"] == "jane@contoso.example"
    assert consent["agreed_at"].endswith("Z")


@pytest.mark.parametrize(
    ("consent", "field"),
    [
        ({}, "consent.agreed_by"),
        ({"agreed_by": ""}, "consent.agreed_by"),
        ({"agreed_by": "  "}, "consent.agreed_by"),
        ({"agreed_by": None}, "consent.agreed_by"),
        ({"agreed_at": "2026-11-23T09:00:00Z"}, "consent.agreed_by"),
        ({"agreed_by": "jane@contoso.example", "agreed_at": "2026-11-23T09:00:00"}, "consent.agreed_at"),
        ({"agreed_by": "jane@contoso.example", "agreed_at": 0}, "consent.agreed_at"),
        (True, "consent"),
    ],
)
def test_consent_is_refused_unless_it_says_who_agrees(api: Api, consent: Any, field: str) -> None:
    answer = api.put_connection(consent=consent)

    assert api.problem(answer, 400, "invalid")["field"] == field
    assert api.call("GET", f"/connections/{api.connection}").status_code == 404


def test_no_run_starts_without_consent(api: Api) -> None:
    api.put_connection(consent=None)
    api.put_export()

    api.problem(api.call("POST", f"/exports/{api.export}/runs"), 409, "consent_missing")

    assert api.call("GET", f"/exports/{api.export}/runs").json() == []


@pytest.mark.parametrize("name", ["key", "api_key", "apiKey", "API-Key", "secret", "password", "client_secret"])
def test_a_key_in_a_request_is_refused_and_repeated_nowhere(
    api: Api, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "0a1b2c3d4e5f-the-key"

    answer = api.put_connection(**{name: key})

    said = api.problem(answer, 400, "key_in_request")
    assert said["field"] == name
    assert "Key Vault" in said["detail"]
    assert f"az keyvault secret set --vault-name <vault> --name {api.world.secret} --value <API key>" in said["action"]
    assert key not in answer.text
    assert key not in caplog.text
    assert api.call("GET", f"/connections/{api.connection}").status_code == 404


def test_a_key_where_its_name_should_be_is_not_repeated(api: Api) -> None:
    answer = api.put_connection(secret_name="0a1b2c3d4e5f+key==")

    assert api.problem(answer, 400, "invalid")["field"] == "secret_name"
    assert "0a1b2c3d4e5f" not in answer.text


def test_contributors_see_name_and_type_of_what_is_shared_with_them(api: Api) -> None:
    api.put_connection(usable_by="contributors")
    api.put_connection("unshared", usable_by="admins")
    brief = {"id": api.connection, "display_name": "Newsletter", "type": "campaign-monitor"}

    listed = api.call("GET", "/connections", role="contributor").json()
    shared = api.call("GET", f"/connections/{api.connection}", role="contributor")

    assert brief in listed
    assert "unshared" not in [one["id"] for one in listed]
    assert all(one.keys() == brief.keys() for one in listed)
    assert shared.json() == brief
    assert "ETag" not in shared.headers
    api.problem(api.call("GET", "/connections/unshared", role="contributor"), 404, "connection_not_found")
    api.problem(api.call("GET", "/connections/unshared/lists", role="contributor"), 404, "connection_not_found")


def test_the_lists_behind_a_connection_can_be_chosen_from(api: Api) -> None:
    api.put_connection()
    world = api.world

    lists = api.call("GET", f"/connections/{api.connection}/lists", role="contributor")
    one = api.call("GET", f"/connections/{api.connection}/lists/{world.list_id}", role="contributor")

    found = {"id": world.list_id, "title": "High value customers"}
    assert lists.json() == [{"id": f"client-{world.list_id}", "name": "Contoso", "lists": [found]}]
    fields = [{"key": "City", "data_type": "Text"}, {"key": "BirthDate", "data_type": "Date"}]
    assert one.json() == found | {"confirmed_opt_in": False, "custom_fields": fields}
    api.problem(api.call("GET", f"/connections/{api.connection}/lists/{'0' * 32}"), 502, "list_not_found")


def test_a_check_tells_what_the_key_can_see(api: Api) -> None:
    api.put_connection()

    said = api.call("POST", f"/connections/{api.connection}/check").json()

    assert said["ok"] is True
    assert [(one["what"], one["ok"]) for one in said["findings"]] == [("secret", True), ("key", True), ("lists", True)]
    assert said["clients"][0]["lists"] == [{"id": api.world.list_id, "title": "High value customers"}]


def test_a_check_tells_that_there_is_no_secret(api: Api) -> None:
    api.put_connection(secret_name="nobody-stored-it")

    said = api.call("POST", f"/connections/{api.connection}/check").json()

    assert said["ok"] is False
    assert [(one["what"], one["code"]) for one in said["findings"]] == [("secret", "secret_missing")]
    api.problem(api.call("GET", f"/connections/{api.connection}/lists"), 409, "secret_missing")


def test_a_check_reads_the_key_anew_and_tells_that_it_does_not_work(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.put_connection()
    assert api.call("POST", f"/connections/{api.connection}/check").json()["ok"] is True
    monkeypatch.setenv(f"SECRET_KEY_OF_{api.world.id.upper()}", "revoked")

    answer = api.call("POST", f"/connections/{api.connection}/check")

    assert [(one["what"], one["code"]) for one in answer.json()["findings"]] == [
        ("secret", None),
        ("key", "key_rejected"),
    ]
    assert "revoked" not in answer.text


def test_a_connection_in_use_is_not_removed_without_a_word_on_its_exports(api: Api) -> None:
    api.put_connection()
    api.put_export()

    said = api.problem(api.call("DELETE", f"/connections/{api.connection}"), 409, "connection_in_use")

    assert said["exports"] == [api.export]
    assert api.call("GET", f"/connections/{api.connection}").json()["used_by"] == [api.export]


def test_a_detached_export_keeps_its_configuration_and_does_not_run(api: Api) -> None:
    api.put_connection()
    api.put_export(max_profiles=7)

    assert api.call("DELETE", f"/connections/{api.connection}?exports=detach").status_code == 204

    kept = api.call("GET", f"/exports/{api.export}").json()
    assert (kept["connection"], kept["max_profiles"]) == (None, 7)
    assert kept["saved"]["changed_by"] == "jane@contoso.example"
    api.problem(api.call("POST", f"/exports/{api.export}/runs"), 409, "connection_detached")
    findings = api.call("POST", f"/exports/{api.export}/check").json()["findings"]
    assert findings[0]["code"] == "connection_detached"
    api.put_connection()
    assert api.call("PUT", f"/exports/{api.export}", kept | {"connection": api.connection}).status_code == 200
    assert api.call("POST", f"/exports/{api.export}/runs").status_code == 202


def test_exports_can_be_removed_with_their_connection(api: Api) -> None:
    api.put_connection()
    api.put_export()

    assert api.call("DELETE", f"/connections/{api.connection}?exports=remove").status_code == 204

    assert api.call("GET", f"/exports/{api.export}").status_code == 404
    assert api.call("GET", f"/connections/{api.connection}").status_code == 404


def test_nothing_is_removed_while_one_of_the_exports_runs(api: Api) -> None:
    api.put_connection()
    api.put_export()
    api.put_export("a-first-one")
    api.call("POST", f"/exports/{api.export}/runs")

    api.problem(api.call("DELETE", f"/connections/{api.connection}?exports=remove"), 409, "run_active")

    assert api.call("GET", "/exports/a-first-one").status_code == 200
    assert api.call("GET", f"/connections/{api.connection}").status_code == 200
    assert api.call("DELETE", "/exports/a-first-one").status_code == 204


def test_detaching_stops_a_run_that_is_at_work(api: Api) -> None:
    world = api.world
    world.put_rows("")
    api.put_connection()
    api.put_export()
    run = api.call("POST", f"/exports/{api.export}/runs").json()
    assert api.call("DELETE", f"/connections/{api.connection}?exports=detach").status_code == 204

    world.pump()

    ended = api.call("GET", f"/exports/{api.export}/runs/{run['id']}").json()
    assert (ended["status"], ended["error"]["code"]) == ("failed", "connection_detached")
