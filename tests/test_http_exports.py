"""Exports over HTTP: saving, what an export tells of itself, and the rehearsal before its first run."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from http_world import Api, export, serving
from world import COLUMNS, MAPPING, SEGMENT, World, csv_rows, person


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with serving(world) as api:
        api.put_connection()
        yield api


def field(**changes: Any) -> dict[str, Any]:
    return {"mapping": MAPPING | {"custom_fields": [{"key": "Favourite", "column": "City"}]}} | changes


def test_saving_does_not_run(api: Api) -> None:
    made = api.put_export()
    assert (made.status_code, made.headers["Location"]) == (201, f"/api/exports/{api.export}")
    assert api.put_export().status_code == 200

    assert api.world.pump() == 0
    assert api.call("GET", f"/exports/{api.export}/runs").json() == []


def test_what_was_read_can_be_sent_back(api: Api) -> None:
    api.put_export(schedule="30 2 * * *")
    api.call("POST", f"/exports/{api.export}/runs", {"dry_run": True})
    read = api.call("GET", f"/exports/{api.export}").json()

    assert api.call("PUT", f"/exports/{api.export}", read).status_code == 200

    again = api.call("GET", f"/exports/{api.export}").json()
    assert again | {"saved": None} == read | {"saved": None}


def test_an_export_tells_its_connection_and_who_changed_it_and_when_it_is_due(api: Api) -> None:
    api.put_export(schedule="30 2 * * *")

    told = api.call("GET", f"/exports/{api.export}", role="viewer").json()

    assert told["connection_name"] == "Newsletter"
    assert told["saved"]["changed_by"] == "jane@contoso.example"
    assert told["next_due"].endswith("T02:30:00Z")
    assert told["may_manage"] is False
    assert api.call("GET", f"/exports/{api.export}", role="contributor").json()["may_manage"] is True
    for never_by_clock in ({"schedule": "refresh"}, {"schedule": None}, {"schedule": "30 2 * * *", "enabled": False}):
        assert api.put_export(**never_by_clock).json()["next_due"] is None


def test_the_status_is_that_of_the_last_run_and_a_rehearsal_counts_while_it_is_at_work(api: Api) -> None:
    api.world.put_rows(csv_rows(person(1), person(2, EMail="nobody")))
    assert api.put_export().json()["status"] is None

    def status() -> Any:
        told = api.call("GET", f"/exports/{api.export}").json()
        assert told in api.call("GET", "/exports").json()
        return told["status"], told["last_run"] and told["last_run"]["dry_run"]

    api.call("POST", f"/exports/{api.export}/runs", {"dry_run": True})
    assert status() == ("queued", True)
    api.world.pump()
    assert status() == (None, None)
    api.call("POST", f"/exports/{api.export}/runs")
    api.world.pump()
    assert status() == ("completed_with_rejects", False)
    api.call("POST", f"/exports/{api.export}/runs", {"dry_run": True})
    api.world.pump()
    assert status() == ("completed_with_rejects", False)


def test_an_export_of_a_connection_that_there_is_not_is_refused(api: Api) -> None:
    said = api.problem(api.put_export(connection="nowhere"), 409, "connection_not_found")
    assert said["field"] == "connection"


def test_an_export_at_work_is_not_removed(api: Api) -> None:
    api.put_export()
    run = api.call("POST", f"/exports/{api.export}/runs").json()["id"]

    said = api.problem(api.call("DELETE", f"/exports/{api.export}"), 409, "run_active")
    assert run in said["detail"]

    api.call("DELETE", f"/exports/{api.export}/runs/{run}")
    api.world.pump()
    assert api.call("DELETE", f"/exports/{api.export}").status_code == 204
    api.problem(api.call("DELETE", f"/exports/{api.export}"), 404, "export_not_found")


def check(api: Api, path: str = "", **changes: Any) -> dict[str, Any]:
    answer = api.call("POST", f"/exports/{api.export}/check{path}", export(api.world) | changes, role="contributor")
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    assert said["ok"] == all(one["ok"] for one in said["findings"])
    return said


def failed(said: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["what"], one["code"]) for one in said["findings"] if not one["ok"]]


def test_a_rehearsal_shows_the_first_ten_with_masked_addresses(api: Api) -> None:
    rows = [person(1, EMail="nobody"), *(person(number) for number in range(2, 20))]
    api.world.put_rows(csv_rows(*rows[:4]), csv_rows(*rows[4:]))

    said = check(api, mapping=MAPPING | {"mobile_number": None})

    assert said["ok"] is True
    assert said["list"] == {"title": "High value customers", "confirmed_opt_in": False}
    assert [(one["key"], one["there"], one["data_type"]) for one in said["fields"]] == [
        ("City", True, "Text"),
        ("BirthDate", True, "Date"),
    ]
    (segment,) = said["segments"]
    assert (segment["segment"], segment["partitions"], tuple(segment["columns"])) == (SEGMENT, 2, COLUMNS)
    shown = said["preview"]["subscribers"]
    assert [one["name"] for one in shown] == [f"Jonas Žukauskas {number}" for number in range(2, 12)]
    assert shown[0]["email"] == "u***@e***.com"
    assert shown[0]["custom_fields"] == {"City": "Kaunas", "BirthDate": "1990/02/03"}
    assert said["preview"]["turned_down"] == [{"reason": "email_invalid", "message": "EMail is not an email address."}]
    assert api.world.listed() == {}
    assert api.call("GET", f"/exports/{api.export}").status_code == 404  # what is rehearsed need not be saved


def test_a_mobile_number_is_masked_too(api: Api) -> None:
    api.world.put_rows(csv_rows(person(1, City="+37060012345")))

    (shown,) = check(api, mapping={"email": "EMail", "mobile_number": "City"})["preview"]["subscribers"]

    assert shown["mobile_number"] == "+37***45"


def test_a_rehearsal_names_missing_fields_and_makes_them_when_asked(api: Api) -> None:
    api.world.put_rows(csv_rows(person(1)))

    without = check(api, **field())
    made = check(api, "?create_fields=true", **field())
    after = check(api, **field())

    assert failed(without) == [("fields", "fields_missing")]
    assert without["fields"] == [
        {"key": "Favourite", "column": "City", "there": False, "created": False, "data_type": None}
    ]
    assert len(without["preview"]["subscribers"]) == 1
    assert [(one["ok"], one["fields"][0]["there"], one["fields"][0]["created"]) for one in (made, after)] == [
        (True, True, True),
        (True, True, False),
    ]
    assert after["preview"]["subscribers"][0]["custom_fields"] == {"Favourite": "Kaunas"}


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"segments": ["BlobExport/Nothing"]}, ("segment", "segment_not_found")),
        ({"mapping": {"email": "Email"}}, ("columns", "columns_missing")),
        ({"list_id": "0" * 32}, ("list", "list_not_found")),
        ({"connection": None}, ("connection", "connection_detached")),
    ],
)
def test_a_rehearsal_names_what_would_stop_a_run(api: Api, changes: dict[str, Any], finding: tuple[str, str]) -> None:
    api.world.put_rows(csv_rows(person(1)))

    assert failed(check(api, **changes)) == [finding]


def test_a_rehearsal_names_a_snapshot_that_is_too_old(api: Api) -> None:
    api.world.put_rows(csv_rows(person(1)))
    later = api.world.app.clock.now() + timedelta(hours=49)
    api.world.clock.stand_at(later)

    said = check(api, max_age_hours=48)

    assert failed(said) == [("age", "snapshot_too_old")]
    assert round(said["segments"][0]["age_hours"]) == 49


def test_a_rehearsal_of_what_is_saved_needs_no_body(api: Api) -> None:
    api.world.put_rows(csv_rows(person(1)))
    api.problem(api.call("POST", f"/exports/{api.export}/check"), 404, "export_not_found")
    api.put_export()

    assert api.call("POST", f"/exports/{api.export}/check").json()["ok"] is True


def test_the_segments_that_there_are(api: Api) -> None:
    api.world.put_rows(csv_rows(person(1)), csv_rows(person(2)))
    api.world.put("BlobExport/Broken/2026/11/23/0900/readme.txt", "no partition")

    told = {one["segment"]: one for one in api.call("GET", "/segments", role="viewer").json()}

    good, broken = told[SEGMENT], told["BlobExport/Broken"]
    assert (good["snapshot"]["partitions"], tuple(good["columns"]), good["error"]) == (2, COLUMNS, None)
    assert good["snapshot"]["path"].endswith("/2026/11/23/0900")
    assert (broken["snapshot"], broken["error"]["code"]) == (None, "segment_not_found")
