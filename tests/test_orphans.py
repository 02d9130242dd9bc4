"""The record of a run that never came to hold its export: which ticks look for it, and how far back."""

from datetime import timedelta

import pytest
from memory_world import EXPORT, MemoryWorld

from shared.record.run_record import Run, run_id
from shared.runs.tick import tick

QUARTER = 15 * 60


@pytest.fixture
def world() -> MemoryWorld:
    world = MemoryWorld()
    world.save()
    world.clock.sleep(2 * 3600)
    return world


def left(world: MemoryWorld, *, ago: timedelta = timedelta(0), **more: object) -> Run:
    """A record as somebody left it so long ago."""
    at = world.clock.now() - ago
    run = Run.model_validate(
        {"id": run_id(at, "0" * 8), "export": EXPORT, "trigger": "on-demand", "created_at": at} | more
    )
    world.app.runs.create(run)
    return run


def test_a_tick_reads_the_records_since_the_one_before_and_not_those_of_a_day(world: MemoryWorld) -> None:
    for quarters in range(4, 80):
        left(world, ago=timedelta(seconds=quarters * QUARTER), status="succeeded", claimed=True)
    tick(world.app)
    world.clock.sleep(QUARTER)
    read: list[str] = []

    class Counted:
        def __getattr__(self, name: str) -> object:
            return getattr(world.state, name)

        def read(self, name: str) -> object:
            read.append(name)
            return world.state.read(name)

    tick(world.new_app(state=Counted()))

    assert sum(name.endswith("/run.json") for name in read) <= 1


@pytest.mark.parametrize("minutes", [0, 4, 45])
def test_what_was_left_before_a_tick_is_taken_away_by_the_next_one(world: MemoryWorld, minutes: int) -> None:
    """It was too young for that tick; or that tick took long, or could not look at this export."""
    tick(world.app)
    orphan = left(world)
    world.clock.sleep(minutes * 60)
    world.state.write("tick.json", b'{"at": "%s"}' % world.clock.now().isoformat().encode())
    world.clock.sleep(QUARTER)

    tick(world.app)

    assert orphan.id not in world.app.runs.ids(EXPORT)


def test_what_a_deleted_export_left_is_taken_away_when_there_is_one_of_its_name_again(world: MemoryWorld) -> None:
    left(world)
    tick(world.app)
    world.app.catalog.remove(world.app.catalog.export(EXPORT))
    for _ in range(20):
        world.clock.sleep(QUARTER)
        tick(world.app)
    world.save()

    tick(world.app)

    assert world.app.runs.ids(EXPORT) == []
