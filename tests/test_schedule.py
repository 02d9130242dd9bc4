"""When an export is due: once for each time of its clock, once for each snapshot, whatever the ticks do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from world import SEGMENT

from shared.catalog.documents import Export
from shared.record.run_record import Run, SnapshotUsed
from shared.runs.due import is_answered, last_snapshots, latest_time, new_snapshots, next_time

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def export(**changes: Any) -> Export:
    document = {
        "id": "e",
        "display_name": "E",
        "connection": "c",
        "list_id": "a",
        "segments": [SEGMENT],
        "mapping": {"email": "EMail"},
        "schedule": "30 2 * * *",
    }
    return Export.model_validate(document | changes)


def run(created_at: datetime, **changes: Any) -> Run:
    document = {"id": f"{created_at:%Y%m%dT%H%M%S}000-00000000", "export": "e", "trigger": "on-demand"}
    return Run.model_validate(document | {"created_at": created_at} | changes)


def snapshot(at: str = "2026/11/23/0900", version: str = "1", segment: str = SEGMENT) -> SnapshotUsed:
    path = f"CustomerInsights_x/{segment}/{at}"
    return SnapshotUsed(segment=segment, path=path, partitions=1, version=version, written_at=NOON)


LONG_AGO = NOON - timedelta(days=30)
DUE = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "since", "runs", "due"),
    [
        (
            DUE - timedelta(seconds=2),
            LONG_AGO,
            [run(DUE - timedelta(days=1), due_at=DUE - timedelta(days=1), claimed=True)],
            None,
        ),
        (DUE, LONG_AGO, [], DUE),
        (DUE + timedelta(minutes=15), LONG_AGO, [], DUE),
        (DUE + timedelta(hours=20), LONG_AGO, [], DUE),
        # A run of its own, on demand or by refresh, is no answer to the clock.
        (NOON, LONG_AGO, [run(DUE + timedelta(minutes=1))], DUE),
        (NOON, LONG_AGO, [run(DUE + timedelta(minutes=2), due_at=DUE, claimed=True)], None),
        # Whoever wrote the record died before the run held its export.
        (NOON, LONG_AGO, [run(DUE + timedelta(minutes=2), due_at=DUE)], DUE),
        (NOON, LONG_AGO, [run(NOON), run(DUE + timedelta(minutes=2), due_at=DUE, status="failed")], None),
        # Three were missed: one run makes up for them.
        (DUE + timedelta(days=3), LONG_AGO, [run(DUE, due_at=DUE, claimed=True)], DUE + timedelta(days=3)),
        # What was due before the export had its schedule is not made up for.
        (NOON, DUE + timedelta(minutes=1), [], None),
        (NOON, DUE - timedelta(minutes=1), [], DUE),
    ],
)
def test_a_clock_is_answered_once_for_each_time(
    now: datetime, since: datetime, runs: list[Run], due: datetime | None
) -> None:
    found = latest_time(export(), since=since, now=now)

    assert (found if found and not is_answered(found, runs) else None) == due


def test_only_as_many_runs_are_looked_at_as_there_were_since_the_due_time() -> None:
    looked = iter([run(NOON), run(DUE - timedelta(seconds=1)), run(LONG_AGO)])

    assert not is_answered(DUE, looked)

    assert len(list(looked)) == 1


@pytest.mark.parametrize(
    ("newest", "used", "due"),
    [
        ([snapshot()], None, True),
        ([snapshot()], [snapshot()], False),
        ([snapshot("2026/11/24/0900")], [snapshot()], True),
        # The same folder, and a file in it was written anew.
        ([snapshot(version="2")], [snapshot()], True),
        # The newest was removed, so that an older one is the newest: sending it would undo what was sent.
        ([snapshot("2026/11/22/0900")], [snapshot()], False),
        ([snapshot(), snapshot(segment="BlobExport/Other")], [snapshot()], True),
        ([snapshot()], [snapshot(), snapshot(segment="BlobExport/Other")], False),
    ],
)
def test_a_snapshot_is_news_once(newest: list[SnapshotUsed], used: list[SnapshotUsed] | None, due: bool) -> None:
    runs = [run(NOON, snapshots=used, status="failed")] if used else []

    found = new_snapshots(last_snapshots(runs), newest)

    assert (found is not None) == due
    assert found is None or found.snapshots == tuple(newest)


def test_a_rehearsal_and_a_run_that_came_to_no_snapshot_do_not_count() -> None:
    rehearsal = run(NOON, dry_run=True, snapshots=[snapshot("2026/11/24/0900")])
    cancelled = run(NOON, status="cancelled")
    before = run(LONG_AGO, snapshots=[snapshot()], status="succeeded")

    assert last_snapshots([rehearsal, cancelled, before]) == (snapshot(),)


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, datetime(2026, 11, 24, 2, 30, tzinfo=UTC)),
        ({"schedule": "*/15 * * * *"}, NOON + timedelta(minutes=15)),
        ({"schedule": "refresh"}, None),
        ({"schedule": None}, None),
        ({"enabled": False}, None),
        ({"connection": None}, None),
    ],
)
def test_the_next_time(changes: dict[str, Any], due: datetime | None) -> None:
    assert next_time(export(**changes), NOON) == due
