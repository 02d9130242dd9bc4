"""What a run has answered stays answered, also when a lifecycle rule has deleted the record of the run; and what nobody
wants any more is not started."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from memory_world import EXPORT, JANE, MemoryWorld
from world import csv_rows, person

from shared.errors import NotFound
from shared.record.run_record import Run, run_id
from shared.runs.cancel import cancel
from shared.runs.commit import let_go
from shared.runs.due import Due, noted_snapshots
from shared.runs.start import NoLongerDue, start
from shared.runs.tick import tick

BEGIN = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)


def made(**changes: Any) -> MemoryWorld:
    world = MemoryWorld()
    world.put_rows(csv_rows(person(1)), at="2026/11/22/0900")
    world.save(**changes)
    return world


def lived(world: MemoryWorld, days: int, run_days: int) -> list[tuple[str, datetime | None]]:
    """What the runs of so many days answered, and the day on which each began; records go after ``run_days``."""
    begun = []
    end = world.clock.now() + timedelta(days=days)
    while world.clock.now() < end:
        world.clock.sleep(6 * 3600)
        for info in [*world.state.list("runs/")]:
            if world.clock.now() - info.modified > timedelta(days=run_days):
                world.state.delete(info.name)
        for run in tick(world.app):
            begun.append((f"{run.created_at:%m-%d}", run.due_at))
            world.pump()
    return begun


def lived_detached(world: MemoryWorld, days: int, run_days: int) -> list[tuple[str, datetime | None]]:
    """So many days without a connection, so that no tick looks at the export, and as many with it again."""
    export = world.app.catalog.export(EXPORT)
    world.app.catalog.save(export.model_copy(update={"connection": None}), by=JANE)
    detached = lived(world, days, run_days)
    world.app.catalog.save(export, by=JANE)
    return detached + lived(world, days, run_days)


@pytest.mark.parametrize("run_days", [1, 2, 30])
def test_a_time_is_answered_once_though_the_next_one_comes_when_its_run_is_gone(run_days: int) -> None:
    world = made(schedule="0 6 1 * *", mode="everything")

    assert [(day, due and f"{due:%m-%d}") for day, due in lived(world, 75, run_days)] == [
        ("12-01", "12-01"),
        ("01-01", "01-01"),
        ("02-01", "02-01"),
    ]


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_a_refresh_whose_run_was_stopped_before_its_plan_stays_answered(how: str) -> None:
    world = made(schedule="refresh")
    (run,) = tick(world.app)
    connection = world.app.catalog.connection("newsletter")
    if how == "cancelled":
        cancel(world.app, EXPORT, run.id, by=JANE)
    else:
        world.app.catalog.save(connection.model_copy(update={"consent": None}), by=JANE)
    world.pump()
    world.app.catalog.save(connection, by=JANE)
    assert world.app.runs.get(EXPORT, run.id).status == how

    assert lived(world, 5, 3) == []


def test_a_rehearsal_answers_nothing() -> None:
    world = made(schedule="refresh")
    world.run(dry_run=True)
    assert noted_snapshots(world.state, EXPORT) == ()


@pytest.mark.parametrize("schedule", ["refresh", "0 6 1 * *"])
def test_what_was_answered_before_the_export_was_detached_stays_answered(schedule: str) -> None:
    """No tick looks at it before its run's record is deleted."""
    world = made(schedule=schedule, connection="newsletter")
    world.clock.sleep(9 * 24 * 3600)
    (run,) = tick(world.app)
    cancel(world.app, EXPORT, run.id, by=JANE)
    world.pump()

    assert lived_detached(world, 5, 3) == []


@pytest.mark.parametrize("how", ["cancelled", "failed"])
@pytest.mark.parametrize("schedule", ["refresh", "0 6 1 * *"])
def test_so_it_is_where_another_run_takes_the_export_before_that_one_has_let_go_of_it(how: str, schedule: str) -> None:
    """Whoever wrote its end died right after that."""
    world = made(schedule=schedule)
    world.clock.sleep(9 * 24 * 3600)
    (run,) = tick(world.app)
    ended = {"status": how, "ended_at": world.clock.now()}
    world.app.runs.change(EXPORT, run.id, lambda newest: newest.model_copy(update=ended))
    world.run(dry_run=True)

    assert lived_detached(world, 5, 3) == []


def test_the_end_of_a_run_is_told_once_where_another_takes_the_export_from_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = made(schedule=None)
    run = world.start()
    ended = {"status": "failed", "ended_at": world.clock.now()}
    world.app.runs.change(EXPORT, run.id, lambda newest: newest.model_copy(update=ended))

    world.run()

    told = [json.loads(line)["run"] for line in caplog.messages if '"run_ended"' in line]
    assert told.count(run.id) == 1


def test_so_it_is_where_that_one_lets_go_in_the_same_moment(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = made(schedule=None)
    run = world.start()
    ended = {"status": "failed", "ended_at": world.clock.now()}
    run = world.app.runs.change(EXPORT, run.id, lambda newest: newest.model_copy(update=ended))

    class Hurried:
        """Somebody else lets go between the look at who holds the export and the write of who does now."""

        def __init__(self) -> None:
            self.happened = False

        def __getattr__(self, call: str) -> Callable[..., Any]:
            def watched(name: str, *arguments: Any, **more: Any) -> Any:
                if call == "write" and name.endswith("active.json") and not self.happened:
                    self.happened = True
                    let_go(world.app, run)
                return getattr(world.state, call)(name, *arguments, **more)

            return watched

    start(world.new_app(state=Hurried()), EXPORT, "on-demand")

    told = [json.loads(line)["run"] for line in caplog.messages if '"run_ended"' in line]
    assert told == [run.id]


def test_what_a_version_before_has_answered_is_noted_by_the_next_tick() -> None:
    world = made(schedule="0 6 1 * *")
    world.clock.sleep(9 * 24 * 3600)
    tick(world.app)
    world.pump()
    world.state.delete(f"exports/{EXPORT}/answered.json")

    assert lived(world, 20, 3) == []


@pytest.mark.parametrize("schedule", ["refresh", "30 2 * * *"])
@pytest.mark.parametrize(
    "changes", [{"enabled": False}, {"schedule": None}, {"schedule": "0 1 1 1 *"}, {"connection": None}, {}]
)
def test_a_tick_does_not_start_what_was_stopped_while_it_looked(schedule: str, changes: dict[str, Any]) -> None:
    world = made(schedule=schedule)
    world.clock.sleep(24 * 3600)

    class Slow:
        """The tick has read the export, and comes to look at its runs when somebody has stopped it, or deleted it."""

        def __init__(self) -> None:
            self.happened = False

        def __getattr__(self, call: str) -> Callable[..., Any]:
            if call == "folders" and not self.happened:
                self.happened = True
                world.app.catalog.remove(world.app.catalog.export(EXPORT))
                if changes:
                    world.save(**{"schedule": schedule} | changes)
            return getattr(world.state, call)  # type: ignore[no-any-return]

    assert tick(world.new_app(state=Slow())) == []
    assert world.app.runs.ids(EXPORT) == []


def test_who_asks_for_what_is_due_no_more_is_told() -> None:
    world = made(enabled=False)
    with pytest.raises(NoLongerDue):
        start(world.app, EXPORT, "refresh", key="due", answers=Due("refresh", "due", schedule="refresh"))


def test_the_messages_of_a_run_that_is_gone_are_of_no_account() -> None:
    """It was cancelled after its door had died, and taken away before a worker came."""
    world = made(schedule=None)
    tick(world.app)
    now = world.clock.now()
    orphan = Run(id=run_id(now, "0" * 8), export=EXPORT, trigger="on-demand", created_at=now)
    world.app.runs.create(orphan)
    world.clock.sleep(900)
    cancel(world.app, EXPORT, orphan.id, by=JANE)
    tick(world.app)
    with pytest.raises(NotFound):
        world.app.runs.get(EXPORT, orphan.id)

    world.pump()

    assert (world.queue.poison_length(), world.errors) == (0, [])
