"""A slice to Campaign Monitor: the account holds whatever fails, and no row takes others with it."""

import dataclasses
import json

import pytest
from world import World, balances, csv_rows, person

from shared.record.blob_places import slice_name
from shared.record.slices import Sizes
from shared.runs.worker import MOST_DELIVERIES

ROWS = 4 * Sizes().batch


@pytest.fixture
def world(world: World) -> World:
    """Four batches, one call at a time, no waiting between attempts."""
    settings = dataclasses.replace(world.app.settings, upload_concurrency=1)
    world.app = dataclasses.replace(world.app, settings=settings)
    world.clock.sleeps = False
    world.put_rows(csv_rows(*(person(number) for number in range(ROWS))))
    world.save()
    return world


def test_a_batch_that_fails_for_long_has_its_turn_again_after_the_others(world: World) -> None:
    world.faults({"kind": "503", "calls": [1, 2, 3, 4, 5, 6]})

    run = world.run()

    assert run.status == "succeeded"
    assert run.counts.added == ROWS
    assert world.raised == []


def test_a_service_that_stays_away_ends_the_run_after_its_deliveries_with_the_rest_unsent(world: World) -> None:
    world.faults({"kind": "500", "calls": list(range(3, 3000))})

    run = world.run()

    assert run.status == "failed"
    assert run.error is not None
    assert run.error.code == "campaign_monitor_unavailable"
    assert len(world.raised) == MOST_DELIVERIES - 1
    assert (run.counts.added, run.counts.unsent) == (2 * Sizes().batch, 2 * Sizes().batch)
    assert balances(run)

    world.faults()
    again = world.run()

    assert again.status == "succeeded"
    assert (again.counts.unchanged, again.counts.added) == (2 * Sizes().batch, 2 * Sizes().batch)


def test_a_slice_of_which_nothing_gets_done_in_time_ends_the_run(world: World) -> None:
    """Handed over like one that gets on, it would go on for ever."""
    world.app = dataclasses.replace(world.app, invocation_seconds=0, checkpoint_seconds=0.01)
    world.faults({"kind": "500", "probability": 1})

    run = world.run()

    assert (run.status, run.error and run.error.code) == ("failed", "campaign_monitor_unavailable")
    assert (run.counts.added, run.counts.unsent) == (0, ROWS)


def test_a_key_that_is_withdrawn_ends_the_run_at_once(world: World) -> None:
    run = world.start()
    world.pump(1)
    world.control("POST", "reset")

    world.pump()

    run = world.app.runs.get(run.export, run.id)
    assert run.status == "failed"
    assert run.error is not None
    assert run.error.code == "key_rejected"
    assert "Key Vault" in run.error.action
    assert run.counts.unsent == ROWS
    assert len(world.imports()) <= 2


def test_a_row_that_cannot_be_read_is_found_and_turned_down_alone(world: World) -> None:
    run = world.start()
    world.pump(1)
    _spoil(world, rows=(1234,))

    world.pump()

    run = world.app.runs.get(run.export, run.id)
    assert run.status == "completed_with_rejects"
    assert (run.counts.added, run.counts.refused) == (ROWS - 1, 1)
    assert [row[2:6] for row in world.rejects(run)] == [
        ["1235", person(1234)[0], "user1234@example.com", "refused_400"]
    ]


def test_when_no_row_can_be_read_the_run_stops_instead_of_asking_a_thousand_times(world: World) -> None:
    run = world.start()
    world.pump(1)
    _spoil(world, rows=tuple(range(ROWS)))

    world.pump()

    run = world.app.runs.get(run.export, run.id)
    assert run.status == "failed"
    assert run.error is not None
    assert run.error.code == "request_refused"
    assert "defect" in run.error.action
    assert (run.counts.refused, run.counts.unsent) == (21, ROWS - 21)
    assert balances(run)
    assert len(world.imports()) < 100


def test_a_refused_subscriber_is_not_offered_again_before_it_changes(world: World) -> None:
    world.put_rows(csv_rows(person(1), person(2)), at="2026/11/24/0900")
    world.hold({"email": "user2@example.com", "state": "Unsubscribed"})
    assert world.run().counts.refused == 1
    world.put_rows(csv_rows(person(1), person(2)), at="2026/11/25/0900")
    assert world.run().counts.unchanged == 2

    everything = world.run(mode="everything")
    assert (everything.counts.updated, everything.counts.refused) == (1, 1)

    world.put_rows(csv_rows(person(1), person(2, City="Vilnius")), at="2026/11/26/0900")
    changed = world.run()
    assert (changed.counts.unchanged, changed.counts.refused) == (1, 1)
    assert world.listed()["user2@example.com"]["state"] == "Unsubscribed"


def test_a_batch_that_is_refused_as_a_whole_for_its_rows_is_refused_row_by_row(world: World) -> None:
    world.control("PUT", "options", {"all_refused": "first-code"})
    world.put_rows(csv_rows(*(person(number) for number in range(4))), at="2026/11/24/0900")
    states = ("Unsubscribed", "Bounced", "Deleted", "Unsubscribed")
    world.hold(*({"email": f"user{number}@example.com", "state": state} for number, state in enumerate(states)))

    run = world.run()

    assert run.status == "completed_with_rejects"
    assert [row[5] for row in world.rejects(run)] == ["refused_206", "refused_207", "refused_205", "refused_206"]
    assert balances(run)


def _spoil(world: World, rows: tuple[int, ...]) -> None:
    """Writes subscribers into the slice that the service cannot read: a value that is a list."""
    from shared.record.duckdb_workspace import workspace

    (run,) = world.app.runs.newest(f"e-{world.id}")
    name = slice_name(run, 0)
    blob = world.app.state.read(name)
    assert blob
    spoilt = json.dumps({"EmailAddress": "x@example.com", "CustomFields": [{"Key": "City", "Value": ["a"]}]})
    with workspace() as work:
        before, after = work.folder / "before.parquet", work.folder / "after.parquet"
        before.write_bytes(blob.data)
        work.connection.execute(
            "COPY (SELECT * EXCLUDE (file_row_number) REPLACE (if(list_contains(?::BIGINT[], file_row_number), ?, body)"
            f" AS body) FROM read_parquet(?, file_row_number = true)) TO '{after}' (FORMAT parquet)",
            [list(rows), spoilt, str(before)],
        )
        world.app.state.write(name, after.read_bytes())
