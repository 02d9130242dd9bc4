"""What the ticks make of exports that are due: one run for each time of the clock, for each snapshot."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from snapshots import names, put_snapshot
from world import SEGMENT, World, csv_rows, person

from local.azurite import Azurite
from local.standin import StandIn
from shared.catalog.documents import Export
from shared.record.run_record import Run
from shared.runs.start import start
from shared.runs.tick import _due, tick

DUE = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


@pytest.fixture
def own(campaign_monitor: StandIn) -> Iterator[World]:
    """On a storage of its own: a tick looks at all exports that there are."""
    with Azurite() as azurite:
        yield World(azurite.connection_string, campaign_monitor.url)


def at(world: World, now: datetime) -> None:
    world.clock.stand_at(now)


def save_at(world: World, now: datetime, **changes: Any) -> Export:
    """An export that has its schedule since ``now``."""
    export = world.save(**changes)
    world.app.catalog.remove(export)
    return world.app.catalog.save(export, now=now).item


def ticked(world: World) -> list[Run]:
    started = tick(world.app)
    world.pump()
    return [world.app.runs.get(one.export, one.id) for one in started]


def ticked_at_once(world: World) -> list[Run]:
    with ThreadPoolExecutor(8) as pool:
        return [run for runs in pool.map(lambda _: tick(world.app), range(8)) for run in runs]


def test_a_refresh_is_exported_by_itself_and_once(own: World) -> None:
    own.put_rows(csv_rows(person(1)))
    own.save(schedule="refresh")

    (first,) = ticked(own)

    assert (first.trigger, first.requested_by, first.status) == ("refresh", None, "succeeded")
    assert ticked(own) == []
    own.put_rows(csv_rows(person(1), person(2)), at="2026/11/24/0900")
    (second,) = ticked(own)
    assert (second.counts.unchanged, second.counts.added) == (1, 1)
    assert ticked(own) == []


def test_a_refresh_whose_run_failed_is_not_tried_again(own: World) -> None:
    own.put_rows(csv_rows(person(1), person(2)))
    own.save(schedule="refresh", max_profiles=1)

    (failed,) = ticked(own)

    assert (failed.status, failed.error and failed.error.code) == ("failed", "too_many_profiles")
    assert ticked(own) == []


def test_a_rehearsal_does_not_use_a_refresh_up(own: World) -> None:
    own.put_rows(csv_rows(person(1)))
    own.save(schedule="refresh")
    own.run(dry_run=True)

    (run,) = ticked(own)

    assert run.counts.added == 1


def test_exports_that_do_not_run_by_themselves(own: World) -> None:
    own.put_rows(csv_rows(person(1)))
    for changes in ({"schedule": None}, {"enabled": False}, {"connection": None}):
        own.save(**changes)
        assert ticked(own) == []


def test_a_due_time_is_answered_once_even_when_ticks_are_missed_or_the_export_is_renamed(own: World) -> None:
    own.put_rows(csv_rows(person(1)))
    at(own, DUE - timedelta(hours=1))
    saved = save_at(own, own.app.clock.now(), schedule="30 2 * * *")
    assert ticked(own) == []

    at(own, DUE + timedelta(hours=3))
    own.app.catalog.save(saved.model_copy(update={"display_name": "Renamed"}), now=own.app.clock.now())
    (run,) = ticked(own)

    assert (run.trigger, run.due_at) == ("schedule", DUE)
    for minutes in (0, 15, 30):
        at(own, DUE + timedelta(hours=3, minutes=minutes))
        assert ticked(own) == []
    at(own, DUE + timedelta(days=1))
    assert [one.due_at for one in ticked(own)] == [DUE + timedelta(days=1)]


@pytest.mark.parametrize("schedule", ["refresh", "30 2 * * *"])
def test_ticks_that_overlap_start_one_run(own: World, schedule: str) -> None:
    own.put_rows(csv_rows(person(1)))
    save_at(own, datetime.now(UTC) - timedelta(days=2), schedule=schedule)

    assert len(ticked_at_once(own)) == 1
    assert len(own.app.runs.ids(f"e-{own.id}")) == 1


def test_a_snapshot_stays_old_when_the_records_of_runs_are_gone(own: World) -> None:
    """A lifecycle rule deletes them after a month."""
    own.put_rows(csv_rows(person(1)))
    own.save(schedule="refresh")
    (run,) = ticked(own)
    own.app.state.delete(f"runs/{run.export}/{run.id}/run.json")
    at(own, datetime.now(UTC) + timedelta(days=2))  # what a tick has started is known for a day

    assert ticked(own) == []

    own.put_rows(csv_rows(person(1)), at="2026/11/24/0900")
    assert len(ticked(own)) == 1


def test_a_tick_that_looked_before_a_quick_run_ended_does_not_start_it_again(own: World) -> None:
    """The second tick has found the export due, and comes to start it when the first tick's run is over."""
    own.put_rows(csv_rows(person(1)))
    saved = own.save(schedule="refresh")
    found = _due(own.app, saved, [])
    assert found
    (run,) = ticked(own)

    late, is_new = start(own.app, saved.id, found.trigger, key=found.key, answers=found)

    assert (late.id, late.ended, is_new) == (run.id, True, False)


def test_a_segment_that_is_taken_out_and_put_back_within_a_day_is_exported_again(own: World) -> None:
    put_snapshot(own, {"Gold": [person(1)], "Silver": [person(2)]})
    both = names("Gold", "Silver")
    own.save(schedule="refresh", segments=both, removals="delete", max_removal_percent=100)
    assert len(ticked(own)) == 1
    for _ in range(2):
        own.save(schedule="refresh", segments=both[:1], removals="delete", max_removal_percent=100)
        assert own.run().counts.removed == 1
        own.save(schedule="refresh", segments=both, removals="delete", max_removal_percent=100)

        (run,) = ticked(own)

        assert (run.counts.unchanged, run.counts.updated) == (1, 1)
        assert ticked(own) == []


def test_ticks_that_find_a_segment_put_back_start_one_run(own: World) -> None:
    put_snapshot(own, {"Gold": [person(1)], "Silver": [person(2)]})
    both = names("Gold", "Silver")
    own.save(schedule="refresh", segments=both)
    assert len(ticked(own)) == 1
    own.save(schedule="refresh", segments=both[:1])
    own.run()
    own.save(schedule="refresh", segments=both)

    assert len(ticked_at_once(own)) == 1
    assert len(own.app.runs.ids(f"e-{own.id}")) == 3


def test_a_tick_that_slept_over_another_run_and_the_next_tick_does_not_export_again(own: World) -> None:
    own.put_rows(csv_rows(person(1)))
    saved = own.save(schedule="refresh", mode="everything")
    (first,) = ticked(own)
    asleep_after = own.app.runs.get(first.export, first.id)
    own.run()
    own.put_rows(csv_rows(person(1), person(2)), at="2026/11/24/0900")
    found = _due(own.app, saved, [asleep_after])
    assert found
    (run,) = ticked(own)

    late, is_new = start(own.app, saved.id, found.trigger, key=found.key, answers=found)

    assert (late.id, is_new) == (run.id, False)


def test_what_is_due_while_another_run_is_at_work_is_answered_after_it(own: World) -> None:
    own.put_rows(csv_rows(person(1)))
    own.save(schedule="refresh")
    rehearsal = own.start(dry_run=True)
    assert tick(own.app) == []
    own.pump()

    (run,) = ticked(own)

    assert run.id > rehearsal.id
    assert run.counts.added == 1


def test_a_segment_that_was_not_refreshed_gives_a_run_that_says_so_and_sends_nothing_anew(own: World) -> None:
    own.put_rows(csv_rows(person(1)))
    own.save(schedule="30 2 * * *")
    first = own.run()
    assert first.warnings == ()
    at(own, datetime.now(UTC) + timedelta(hours=26))

    (run,) = ticked(own)

    assert (run.status, run.counts.unchanged, run.counts.to_send) == ("succeeded", 1, 0)
    (warning,) = run.warnings
    assert warning.code == "snapshot_unchanged"
    assert f"{SEGMENT} was not refreshed since the last run: its newest snapshot is 26 hours old" in warning.message


@pytest.mark.parametrize(("hours", "status"), [(47, "succeeded"), (49, "failed")])
def test_a_snapshot_older_than_the_export_takes_is_not_sent(own: World, hours: int, status: str) -> None:
    own.put_rows(csv_rows(person(1)))
    own.save(max_age_hours=48)
    at(own, datetime.now(UTC) + timedelta(hours=hours))

    run = own.run()

    assert run.status == status
    assert (run.error.code if run.error else None) == ("snapshot_too_old" if status == "failed" else None)
    assert len(own.listed()) == (1 if status == "succeeded" else 0)


def test_an_export_that_cannot_be_read_is_told_at_each_tick_and_the_others_have_their_turn(
    own: World, caplog: pytest.LogCaptureFixture
) -> None:
    own.put_rows(csv_rows(person(1)))
    own.save(schedule="refresh")
    own.app.catalog._container.write("exports/a-broken-one.json", b"{")

    (run,) = ticked(own)
    caplog.clear()
    tick(own.app)

    assert run.status == "succeeded"
    told = [json.loads(line) for line in caplog.messages if '"not_started"' in line]
    assert told == [{"event": "not_started", "export": "a-broken-one", "error": "record_unreadable"}]


@pytest.mark.parametrize("what", ["active.json", "snapshots.json", "run.json"])
def test_a_record_that_cannot_be_read_does_not_keep_the_others_from_their_turn(own: World, what: str) -> None:
    own.put_rows(csv_rows(person(1)))
    own.save(schedule=None)
    run = own.run()
    spoilt = f"runs/{run.export}/{run.id}/run.json" if what == "run.json" else f"exports/{run.export}/{what}"
    own.app.state.write(spoilt, b'{"status": "paused", "who": "jane@contoso.example"}')
    other = own.app.catalog.export(run.export).model_copy(update={"id": "other", "schedule": "refresh"})
    own.app.catalog.save(other)

    assert [one.export for one in tick(own.app)] == ["other"]


def test_keys_that_have_expired_are_cleaned_away(own: World) -> None:
    own.put_rows(csv_rows(person(1)))
    own.save(schedule="refresh")
    ticked(own)
    assert list(own.app.state.list("idempotency/"))
    at(own, datetime.now(UTC) + timedelta(days=1, minutes=1))

    ticked(own)

    assert not list(own.app.state.list("idempotency/"))
