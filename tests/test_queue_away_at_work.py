"""A queue that takes no message while a run is at work, or is to stop: it waits, and ends when it can."""

import logging
from typing import Any

import pytest
from memory_world import EXPORT, MemoryWorld
from refusing_queue import AWAY, MISSING, a_world, later, lose_messages, refuse, told
from world import csv_rows, person

from shared.errors import ExportError
from shared.runs.cancel import cancel
from shared.runs.sweep import SILENT
from shared.runs.tick import tick


@pytest.fixture
def world(caplog: pytest.LogCaptureFixture) -> MemoryWorld:
    caplog.set_level(logging.INFO)
    return a_world()


@pytest.mark.parametrize("error", [AWAY, MISSING])
def test_a_run_at_work_waits_for_the_queue(world: MemoryWorld, error: ExportError) -> None:
    world.put_rows(csv_rows(*map(person, range(60))), at="2026/11/23/0801")
    run = world.start()
    world.pump(1)
    refuse(world, error)
    for _ in range(6):
        world.pump(1)
    refuse(world, None)

    for _ in range(8):
        later(world, seconds=SILENT.total_seconds() + 1)
        tick(world.app)
        world.pump()

    run = world.app.runs.get(EXPORT, run.id)
    assert run.status == "succeeded"
    assert (run.counts.added, run.counts.unsent) == (60, 0)


def test_a_run_that_was_cancelled_ends_at_the_first_tick_that_can(world: MemoryWorld) -> None:
    """Also where it was taken up a while before: that it is to stop is no reason to wait."""
    world.save(schedule=None)
    run = world.start()
    lose_messages(world)
    later(world, seconds=SILENT.total_seconds() + 1)
    tick(world.app)
    lose_messages(world)
    refuse(world, MISSING)
    cancel(world.app, EXPORT, run.id, by="jane@example.com")
    later(world, seconds=60)
    tick(world.app)

    refuse(world, None)
    later(world, seconds=60)
    tick(world.app)
    world.pump()

    assert world.app.runs.get(EXPORT, run.id).status == "cancelled"


def test_whoever_plans_a_run_that_is_cancelled_meanwhile_ends_it(world: MemoryWorld) -> None:
    run = world.start()
    chunks = world.segments.chunks

    def cancelled(name: str, etag: str | None = None) -> Any:
        refuse(world, MISSING)
        cancel(world.app, EXPORT, run.id)
        refuse(world, None)
        return chunks(name, etag)

    world.segments.chunks = cancelled  # type: ignore[method-assign]
    world.pump()

    assert world.app.runs.get(EXPORT, run.id).status == "cancelled"


def test_what_is_cancelled_is_cancelled_also_where_its_end_cannot_be_queued(world: MemoryWorld) -> None:
    world.save(schedule=None)
    run = world.start()
    lose_messages(world)
    refuse(world, MISSING)

    assert cancel(world.app, EXPORT, run.id, by="jane@example.com").cancel_requested

    refuse(world, None)
    later(world, seconds=SILENT.total_seconds() + 1)
    tick(world.app)
    world.pump()
    assert world.app.runs.get(EXPORT, run.id).status == "cancelled"
    assert world.service.listed() == []


def test_a_run_that_cannot_be_taken_up_is_told(world: MemoryWorld, caplog: pytest.LogCaptureFixture) -> None:
    run = world.start()
    lose_messages(world)
    refuse(world, MISSING)
    later(world, seconds=SILENT.total_seconds() + 1)

    tick(world.app)

    assert ("not_started", "container_missing") in told(caplog)
    refuse(world, None)
    later(world, seconds=60)
    tick(world.app)
    world.pump()
    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"
