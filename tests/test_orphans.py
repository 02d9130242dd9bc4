"""The record of a run that never came to hold its export: which ticks look for it, and how far back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from memory_world import EXPORT, MemoryWorld
from world import csv_rows, person

from local.memory.blobs import MemoryBlobs
from shared.errors import TemporaryError
from shared.plan import pinned_snapshots
from shared.ports.blobs import Blob
from shared.record.run_record import Run, run_id
from shared.runs.due import last_snapshots
from shared.runs.last_tick import last_tick
from shared.runs.start import drop_orphans
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


def test_a_run_whose_door_died_before_it_held_its_export_never_begins(world: MemoryWorld) -> None:
    """Whoever asked for it got no answer, and may have changed their mind since."""
    world.save(schedule=None)
    world.put_rows(csv_rows(person(1)), at="2026/11/23/0800")
    orphan = left(world)
    tick(world.app)
    assert world.app.runs.ids(EXPORT) == [orphan.id]  # somebody may be about to begin it
    world.clock.sleep(6 * 60)

    tick(world.app)
    world.pump()

    assert world.app.runs.ids(EXPORT) == []
    assert world.service.imports == []


def test_it_is_taken_away_after_days_without_a_tick(world: MemoryWorld) -> None:
    tick(world.app)
    left(world)
    world.clock.sleep(3 * 24 * 3600)

    tick(world.app)

    assert world.app.runs.ids(EXPORT) == []


@pytest.mark.parametrize("told", [None, b'{"at": "yesterday"}'])
def test_it_is_taken_away_after_hours_where_nobody_knows_of_a_tick(world: MemoryWorld, told: bytes | None) -> None:
    """The very first tick died when it had begun a run; the next one comes when the export is no longer new."""
    left(world)
    world.clock.sleep(3 * 3600)
    if told:
        world.state.write("tick.json", told)

    tick(world.app)

    assert world.app.runs.ids(EXPORT) == []


def test_so_it_is_where_the_first_tick_that_looks_cannot_read_it(world: MemoryWorld) -> None:
    left(world)
    world.clock.sleep(3 * 3600)
    tick(world.new_app(state=_OnceAway(world.state)))

    tick(world.app)

    assert world.app.runs.ids(EXPORT) == []


def test_so_it_is_where_a_tick_slept_for_hours_after_it_had_looked(world: MemoryWorld) -> None:
    def fall_asleep() -> None:
        left(world)
        world.clock.sleep(3 * 3600)

    world.save(schedule="refresh")
    tick(world.new_app(segments=_Meanwhile(world.segments, fall_asleep)))

    tick(world.app)

    assert world.app.runs.ids(EXPORT) == []


class _Meanwhile:
    """Blobs of segments with which something happens the first time that they are looked at."""

    def __init__(self, blobs: MemoryBlobs, happen: Callable[[], None]) -> None:
        self._blobs = blobs
        self._turns = [happen]

    def __getattr__(self, name: str) -> object:
        if self._turns:
            self._turns.pop()()
        return getattr(self._blobs, name)


class _OnceAway:
    """Blobs of which the record of a run cannot be read the first time."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        self._blobs = blobs
        self._is_away = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._blobs, name)

    def read(self, name: str) -> Blob | None:
        if name.endswith("/run.json") and self._is_away:
            self._is_away = False
            raise TemporaryError("storage_unavailable", "Storage does not answer.", "Wait.")
        return self._blobs.read(name)


def test_a_last_tick_that_cannot_be_read_stops_no_tick(world: MemoryWorld) -> None:
    world.state.write("tick.json", b'{"at": "yesterday"}')

    tick(world.app)

    assert last_tick(world.state) is not None


def test_what_never_began_has_used_no_refresh_up(world: MemoryWorld) -> None:
    """Also where no tick can take its record away."""
    world.put_rows(csv_rows(person(1)), at="2026/11/23/0800")
    world.save(schedule="refresh")
    newest = [
        pinned_snapshots.used(one) for one in pinned_snapshots.newest(world.app, world.app.catalog.export(EXPORT))
    ]
    orphan = left(world, trigger="refresh", snapshots=newest)

    assert last_snapshots([orphan]) == ()
    assert last_snapshots([orphan.model_copy(update={"claimed": True})]) == tuple(newest)


def test_a_record_that_cannot_be_read_keeps_no_export_from_its_turn(world: MemoryWorld) -> None:
    world.put_rows(csv_rows(person(1)), at="2026/11/23/0800")
    world.save(schedule="refresh")
    strange = left(world)
    world.state.write(f"runs/{EXPORT}/{strange.id}/run.json", b'{"of": "tomorrow"}')
    world.clock.sleep(QUARTER)

    (run,) = tick(world.app)

    assert run.trigger == "refresh"


def test_a_run_that_is_about_to_begin_is_not_taken_for_one_that_never_did(world: MemoryWorld) -> None:
    world.put_rows(csv_rows(person(1)), at="2026/11/23/0800")
    run = world.start()
    world.clock.sleep(6 * 60)
    assert not world.app.runs.remove_unclaimed(world.app.runs.get(EXPORT, run.id))

    drop_orphans(world.app, world.app.catalog.export(EXPORT), seen=world.clock.now())
    world.pump()

    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"


def test_a_run_that_never_held_its_export_and_was_overtaken_is_no_run(world: MemoryWorld) -> None:
    """Its door died, and somebody else's run came before the tick: it would be queued for ever."""
    left(world)
    world.put_rows(csv_rows(person(1)), at="2026/11/23/0800")
    run = world.run()
    world.clock.sleep(6 * 60)

    tick(world.app)

    assert world.app.runs.ids(EXPORT) == [run.id]
    assert run.status == "succeeded"
