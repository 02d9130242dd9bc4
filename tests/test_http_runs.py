"""Runs over HTTP: started once for a key, followed, looked back on, cancelled, and what was turned down."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from http_world import Api, serving
from world import World, csv_rows, person

from local.azurite import Azurite
from local.standin import StandIn
from shared.app import wire
from shared.runs import start as starting
from shared.runs.idempotency import Keys
from shared.settings import read


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with serving(world) as api:
        api.put_connection()
        api.put_export(schedule=None)
        yield api


def start(api: Api, body: Any = None, key: str | None = None, **options: Any) -> requests.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return api.call("POST", f"/exports/{api.export}/runs", body, headers=headers, **options)


def follow(api: Api, started: requests.Response) -> dict[str, Any]:
    """The run behind Location."""
    run: dict[str, Any] = requests.get(urljoin(started.url, started.headers["Location"]), timeout=10).json()
    return run


def test_a_run_is_accepted_followed_and_says_who_asked(api: Api) -> None:
    api.world.put_rows(csv_rows(person(1), person(2)))

    started = api.call(
        "POST", f"/exports/{api.export}/runs", role="contributor", headers={"x-name": "ann@contoso.example"}
    )

    assert started.status_code == 202
    assert started.headers["Location"] == f"/api/exports/{api.export}/runs/{started.json()['id']}"
    assert int(started.headers["Retry-After"]) > 0
    assert follow(api, started) == started.json()
    assert started.json()["status"] == "queued"
    api.world.pump()
    run = follow(api, started)
    assert (run["status"], run["counts"]["added"], run["progress"]) == ("succeeded", 2, {"batches": 1, "done": 1})
    assert (run["trigger"], run["requested_by"]) == ("on-demand", "ann@contoso.example")
    assert not {"slices", "partitions", "cancel_requested", "parallel_slices"} & run.keys()


def test_progress_and_account_are_those_of_now_while_it_sends(api: Api) -> None:
    api.world.put_rows(csv_rows(*map(person, range(1500))))
    started = start(api)
    api.world.pump(1)  # the plan

    run = follow(api, started)

    assert (run["status"], run["progress"]) == ("sending", {"batches": 2, "done": 0})
    assert (run["counts"]["to_send"], run["counts"]["unsent"]) == (1500, 1500)


def test_a_run_at_work_is_the_answer_to_who_asks_for_the_same(api: Api) -> None:
    first = start(api)
    again = start(api)

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.headers["Location"] == first.headers["Location"]
    for other in ({"dry_run": True}, {"mode": "everything"}):
        said = api.problem(start(api, other), 409, "run_active")
        assert first.json()["id"] in said["detail"]


def test_the_same_key_within_a_day_gives_the_same_run_also_when_it_has_ended(api: Api) -> None:
    world = api.world
    world.put_rows(csv_rows(person(1)))
    first = start(api, key="nightly-1")
    world.pump()

    again = start(api, key="nightly-1")
    other = start(api, key="nightly-2")
    world.pump()

    assert (again.status_code, again.headers["Location"]) == (202, first.headers["Location"])
    assert again.json()["status"] == "succeeded"
    assert other.json()["id"] != first.json()["id"]
    day = world.app.clock.now() + timedelta(days=1, minutes=1)
    world.clock.stand_at(day)
    assert start(api, key="nightly-1").json()["id"] not in (first.json()["id"], other.json()["id"])


def test_a_key_stays_with_the_run_that_it_met_at_work(api: Api) -> None:
    first = start(api)
    met = start(api, key="met")
    assert met.json()["id"] == first.json()["id"]
    api.world.pump()

    assert start(api, key="met").json()["id"] == first.json()["id"]


def test_a_key_is_not_used_for_a_request_of_another_kind(api: Api) -> None:
    start(api, {"dry_run": True}, key="once")

    said = api.problem(start(api, key="once"), 409, "idempotency_key_reused")

    assert said["field"] == "Idempotency-Key"


def test_a_key_that_met_a_run_of_another_kind_can_be_used_again(api: Api) -> None:
    rehearsal = start(api, {"dry_run": True})
    api.problem(start(api, key="later"), 409, "run_active")
    api.world.pump()

    started = start(api, key="later")

    assert started.status_code == 202
    assert started.json()["id"] > rehearsal.json()["id"]


def test_a_key_is_known_to_every_process_and_starts_what_a_dead_one_did_not(api: Api) -> None:
    """Another process has its own app, and shares the storage alone."""
    world = api.world
    other = wire(read(world.environment))
    run = starting.start(other, api.export, "on-demand", key="asked shared")[0]
    assert start(api, key="shared").json()["id"] == run.id
    world.pump()
    # A process that died between binding the key and beginning the run leaves the key alone.
    lost = run.model_copy(update={"id": run.id[:-8] + "00000000", "created_at": world.app.clock.now()})
    assert Keys(other.state).bind(lost, "asked lost", mode_asked=False, since=lost.created_at).run == lost.id

    started = start(api, key="lost")

    assert (started.status_code, started.json()["id"]) == (202, lost.id)


def test_a_rehearsal_gives_the_account_and_the_rejects_and_sends_nothing(api: Api) -> None:
    api.world.put_rows(csv_rows(person(1), person(2, EMail="nobody"), person(3)))

    started = start(api, {"dry_run": True})
    api.world.pump()

    run = follow(api, started)
    assert (run["status"], run["dry_run"]) == ("completed_with_rejects", True)
    counts = run["counts"]
    assert (counts["rows_read"], counts["invalid"], counts["to_send"], counts["unsent"]) == (3, 1, 2, 2)
    assert (counts["added"], counts["updated"], counts["refused"]) == (0, 0, 0)
    assert api.world.listed() == {}
    rejects = api.call("GET", f"/exports/{api.export}/runs/{run['id']}/rejects")
    assert len(rejects.text.splitlines()) == 2
    # It is not remembered either: the run after it sends everything.
    after = start(api)
    api.world.pump()
    assert follow(api, after)["counts"]["added"] == 2


def test_rejects_come_as_a_file_and_by_reason_with_masked_addresses(api: Api) -> None:
    bad = [person(number, EMail=f"nobody{number}") for number in range(2, 15)]
    api.world.put_rows(csv_rows(person(1), *bad, person(20, EMail="USER1@example.com")))
    run = start(api).json()["id"]
    assert api.call("GET", f"/exports/{api.export}/runs/{run}/rejects").content == b""
    api.world.pump()

    file = api.call("GET", f"/exports/{api.export}/runs/{run}/rejects", role="viewer")
    groups = api.call("GET", f"/exports/{api.export}/runs/{run}/rejects/summary", role="viewer").json()

    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.headers["Content-Disposition"] == f'attachment; filename="{api.export}-{run}-rejects.csv"'
    header, *rows = csv.reader(file.content.decode("utf-8-sig").splitlines())
    assert header == ["segment", "partition", "line", "customer_id", "email", "reason", "message"]
    assert len(rows) == 14
    assert [(group["reason"], group["count"], len(group["first"])) for group in groups] == [
        ("email_invalid", 13, 10),
        ("duplicate_email", 1, 1),
    ]
    assert groups[0]["first"][0]["line"] == 2
    assert groups[1]["first"][0]["email"] == "U***@e***.com"


def test_the_history_is_paged_the_newest_first(api: Api) -> None:
    ids = []
    for _ in range(5):
        ids.append(start(api).json()["id"])
        api.call("DELETE", f"/exports/{api.export}/runs/{ids[-1]}")
        api.world.pump()

    pages, path = [], f"/exports/{api.export}/runs?limit=2"
    while path:
        page = api.call("GET", path, role="viewer")
        pages.append([run["id"] for run in page.json()])
        path = page.links["next"]["url"].removeprefix("/api") if page.links else ""

    assert pages == [ids[:2:-1], ids[2:0:-1], ids[:1]]
    for wrong in ("limit=0", "limit=101", "limit=x", "before=yesterday"):
        api.problem(api.call("GET", f"/exports/{api.export}/runs?{wrong}"), 400, "invalid")


def test_a_run_can_be_cancelled_and_says_by_whom(api: Api) -> None:
    run = start(api).json()["id"]
    path = f"/exports/{api.export}/runs/{run}"

    asked = api.call("DELETE", path, headers={"x-name": "ann@contoso.example"})
    api.world.pump()
    again = api.call("DELETE", path)

    assert (asked.status_code, asked.json()["cancelled_by"]) == (202, "ann@contoso.example")
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")
    assert again.json()["cancelled_by"] == "ann@contoso.example"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_run_of_another_export_is_not_found(api: Api, method: str) -> None:
    api.put_export("another")
    run = start(api).json()["id"]

    api.problem(api.call(method, f"/exports/another/runs/{run}"), 404, "run_not_found")
    if method == "GET":
        api.problem(api.call(method, f"/exports/another/runs/{run}/rejects"), 404, "run_not_found")
    assert api.call("GET", f"/exports/{api.export}/runs/{run}").json()["cancelled_by"] is None


def test_all_that_have_a_schedule_are_started_and_the_others_left_alone(campaign_monitor: StandIn) -> None:
    """On a storage of its own: what others save there would be started, too."""
    with Azurite() as azurite, serving(World(azurite.connection_string, campaign_monitor.url)) as api:
        api.put_connection()
        api.put_connection("unshared", usable_by="admins")
        api.put_connection("unagreed", consent=None)
        api.put_export("by-clock", schedule="30 2 * * *")
        api.put_export("by-refresh", schedule="refresh")
        api.put_export("on-demand", schedule=None)
        api.put_export("paused", enabled=False)
        api.put_export("not-theirs", connection="unshared")
        api.put_export("not-agreed", connection="unagreed")
        api.put_export("detached", connection=None)

        started = api.call("POST", "/runs", role="contributor")
        by_admin = api.call("POST", "/runs")

    assert started.status_code == 202
    assert [run["export"] for run in started.json()["runs"]] == ["by-clock", "by-refresh"]
    assert [run["export"] for run in by_admin.json()["runs"]] == ["by-clock", "by-refresh", "not-theirs"]
    assert by_admin.json()["runs"][0]["id"] == started.json()["runs"][0]["id"]
    for answer in (started, by_admin):
        assert [(one["export"], one["code"]) for one in answer.json()["not_started"]] == [
            ("detached", "connection_detached"),
            ("not-agreed", "consent_missing"),
        ]


def test_a_run_whose_record_cannot_be_read_does_not_hide_the_others(api: Api) -> None:
    ids = []
    for _ in range(3):
        ids.append(start(api).json()["id"])
        api.call("DELETE", f"/exports/{api.export}/runs/{ids[-1]}")
        api.world.pump()
    api.world.app.state.write(f"runs/{api.export}/{ids[1]}/run.json", b'{"status": "parked"}')

    page = api.call("GET", f"/exports/{api.export}/runs?limit=2")

    assert (page.status_code, [run["id"] for run in page.json()]) == (200, [ids[2]])
    rest = api.call("GET", page.links["next"]["url"].removeprefix("/api"))
    assert [run["id"] for run in rest.json()] == [ids[0]]
    api.problem(api.call("GET", f"/exports/{api.export}/runs/{ids[1]}"), 500, "record_unreadable")
