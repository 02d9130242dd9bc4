"""The queries for operators and alerts, on the lines that the app really writes."""

import json
import logging
import os
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from infra_kusto import QUERIES, Workspace, complaints
from infra_templates import INFRA, parsed, variable
from world import World, csv_rows, person

from shared.record import telemetry
from shared.record.run_record import Counts
from shared.runs.tick import tick

OPERATIONS = INFRA.parent / "docs/operations.md"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def workspace(lines: pytest.LogCaptureFixture, *, ago: timedelta = timedelta()) -> Workspace:
    """What the platform makes of the log: each line a trace."""
    space = Workspace()
    for record in lines.records:
        at = datetime.fromtimestamp(record.created, UTC) - ago
        space.add("AppTraces", at=at, Message=record.getMessage())
    return space


def events(lines: pytest.LogCaptureFixture) -> Counter[str]:
    said = [record.getMessage() for record in lines.records if record.name == telemetry.__name__]
    return Counter(json.loads(line)["event"] for line in said)


def with_rejects(world: World) -> None:
    rows = [person(1), person(2, EMail="nobody"), person(3, EMail="nobody"), person(4, EMail="USER1@example.com")]
    world.put_rows(csv_rows(*rows, person(5)))
    world.hold({"email": "user5@example.com", "state": "Unsubscribed"})
    world.save()


def test_the_language_service_has_nothing_to_say_and_would_say_it():
    texts = [file.read_text(encoding="utf-8") for file in QUERIES]
    *of_ours, of_a_wrong_one = complaints([*texts, "AppTraces | where Mesage has 'x'"])
    assert of_ours == [[] for _ in texts]
    assert "Mesage" in of_a_wrong_one[0]


def test_last_nights_run(world: World, lines):
    with_rejects(world)
    run = world.run()

    (row,) = workspace(lines).query("last-night")

    assert (row["export"], row["run"], row["trigger"], row["status"]) == (
        run.export,
        run.id,
        "on-demand",
        "completed_with_rejects",
    )
    assert {name: row[name] for name in Counts.model_fields} == run.counts.model_dump()
    assert row["rows_read"] == 5
    assert row["minutes"] > 0


def test_rejects_by_reason(world: World, lines):
    with_rejects(world)
    world.run()

    rows = workspace(lines).query("rejects")

    assert {row["reason"]: row["rejects"] for row in rows} == {
        "email_invalid": 2,
        "duplicate_email": 1,
        "refused_206": 1,
    }


def test_steps_with_their_seconds_and_counts(world: World, lines):
    with_rejects(world)
    world.run()

    rows = workspace(lines).query("steps")

    assert [(row["step"], row["outcome"]) for row in rows] == [("plan", "done"), ("send", "done"), ("finish", "done")]
    assert all(row["seconds"] > 0 for row in rows)
    plan, send, _ = (json.loads(row["line"]) for row in rows)
    assert (plan["rows_read"], plan["to_send"], plan["slices"]) == (5, 2, 1)
    assert (send["slice"], send["batches"], send["added"], send["refused"]) == (0, 1, 1, 1)


def test_how_close_to_the_rate_limit(world: World, lines):
    with_rejects(world)
    world.faults({"kind": "429", "headers": "reset", "wait": 0, "calls": [1]})
    world.run()

    (row,) = workspace(lines).query("rate-limit")

    assert (row["calls"], row["throttled"], row["remaining"]) == (2, 1, 0)
    assert row["in_flight"] < 8
    assert row["calls_a_minute"] > 0


def test_a_rejected_key_tells_twice(world: World, lines):
    with_rejects(world)
    os.environ[f"SECRET_KEY_OF_{world.id.upper()}"] = "another-key"
    run = world.run()

    space = workspace(lines)

    (failed,) = space.query("run-failed")
    assert (failed["export"], failed["run"], failed["error"]) == (run.export, run.id, "key_rejected")
    (rejected,) = space.query("key-rejected")
    assert (rejected["export"], rejected["run"]) == (run.export, run.id)


def test_a_run_that_went_well_tells_nobody(world: World, lines):
    with_rejects(world)
    world.run()
    tick(world.app)

    space = workspace(lines)

    for rule in variable("modules/alerts.bicep", "rules"):
        assert space.query(rule["name"]) == [], rule["name"]


def test_an_export_that_begins_and_does_not_end_is_overdue(world: World, lines):
    with_rejects(world)
    run = world.start()

    assert workspace(lines, ago=timedelta(hours=1)).query("overdue") == []
    (row,) = workspace(lines, ago=timedelta(hours=3)).query("overdue")
    assert row["export"] == run.export
    world.pump()
    assert workspace(lines, ago=timedelta(hours=3)).query("overdue") == []


def test_a_run_that_has_ended_is_not_overdue_also_where_its_start_is_told_later(world: World, lines):
    """Whoever began it slept."""
    with_rejects(world)
    run = world.run()

    (started,) = (record for record in lines.records if '"run_started"' in record.getMessage())
    space = workspace(lines, ago=timedelta(hours=4))
    at = datetime.fromtimestamp(started.created, UTC) - timedelta(hours=3)
    space.add("AppTraces", at=at, Message=started.getMessage())
    assert run.export not in [row["export"] for row in space.query("overdue")]


def test_an_export_that_cannot_start_is_overdue(world: World, lines):
    """Its segment is not there: each tick says so."""
    export = world.save(segments=["BlobExport/Nobody"])
    tick(world.app)

    def told(*hours: float) -> bool:
        space = Workspace()
        for one in hours:
            for record in lines.records:
                at = datetime.fromtimestamp(record.created, UTC) - timedelta(hours=one)
                space.add("AppTraces", at=at, Message=record.getMessage())
        return export.id in [row["export"] for row in space.query("overdue")]

    assert told(2.8, 2.1, 1.5, 0.2)
    assert not told(1.5, 0.2)
    assert not told(2.5)  # a hiccup, and every tick since could look at it


def test_a_timer_that_stands_still(world: World, lines):
    assert len(Workspace().query("no-tick")) == 1
    tick(world.app)
    assert workspace(lines).query("no-tick") == []


@pytest.mark.parametrize(
    ("values", "tells"),
    [
        # The columns of a resource log of Queue Storage, as Azure Monitor documents them.
        (
            {
                "OperationName": "PutMessage",
                "Uri": "https://x.queue.core.windows.net:443/export-work-poison/messages?x=1",
            },
            1,
        ),
        ({"OperationName": "PutMessage", "Uri": "https://x.queue.core.windows.net:443/export-work/messages"}, 0),
        (
            {"OperationName": "GetMessages", "Uri": "https://x.queue.core.windows.net:443/export-work-poison/messages"},
            0,
        ),
    ],
)
def test_the_poison_queue(values: dict[str, str], tells: int):
    space = Workspace()
    space.add("StorageQueueLogs", **values, StatusCode="201")
    assert len(space.query("poison")) == tells


@pytest.mark.parametrize(
    ("table", "column", "said", "tells"),
    [
        # What the host says of a worker process that ended: killed for its memory; told to end, as instances are daily.
        ("AppTraces", "Message", "Language Worker Process exited. Pid=42. python exited with code 137 (0x89).", 1),
        ("AppExceptions", "OuterMessage", "python exited with code 137 (0x89)", 1),
        ("FunctionAppLogs", "ExceptionMessage", "WorkerProcessExitException : python exited with code 137", 1),
        ("AppTraces", "Message", "python exited with code 143 (0x8F)", 0),
        # What the app says of a step that needs more than it may have.
        ("AppTraces", "Message", '{"event":"step","export":"x","run":"y","error":"out_of_memory","seconds":1.0}', 1),
        ("AppTraces", "Message", '{"event":"step","export":"x","run":"y","error":"key_rejected","seconds":1.0}', 0),
    ],
)
def test_out_of_memory(table: str, column: str, said: str, tells: int):
    space = Workspace()
    space.add(table, **{column: said})
    assert len(space.query("out-of-memory")) == tells


def test_no_line_holds_an_address_a_key_or_a_name(world: World, lines):
    with_rejects(world)
    world.run()
    os.environ[f"SECRET_KEY_OF_{world.id.upper()}"] = "another-key"
    world.run(mode="everything")

    text = "\n".join(logging.Formatter().format(record) for record in lines.records)

    assert '"event":"run_ended"' in text
    for private in ("@example.com", "USER1", "nobody", world.key, "another-key", "Žukauskas", "Kaunas"):
        assert private not in text


def test_every_event_is_told_and_explained(world: World, lines):
    with_rejects(world)
    world.run()
    world.save(segments=["BlobExport/Nobody"], schedule="refresh")
    tick(world.app)

    told = set(events(lines))
    # Runs that other tests left behind may be taken up meanwhile.
    assert set(get_args(telemetry.Event)) - told <= {"run_resumed"}
    text = OPERATIONS.read_text(encoding="utf-8")
    for event in get_args(telemetry.Event):
        assert f"| `{event}` |" in text


def test_every_alert_has_its_query_and_its_paragraph():
    rules = variable("modules/alerts.bicep", "rules")
    text = OPERATIONS.read_text(encoding="utf-8")
    for rule in rules:
        path = rule["query"]["function"]["parameters"]["file_path"]
        assert path == f"../queries/{rule['name']}.kql"
        assert (INFRA / "modules" / path).exists()
        assert f"### {rule['name']}\n" in text
    asked = re.findall(r"infra/queries/([\w-]+)\.kql", text)
    assert {file.stem for file in QUERIES} <= set(asked)
    assert parsed(INFRA / "main.bicep")["modules"]["alerts"]
