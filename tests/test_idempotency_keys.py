"""The run that a key stands for: the same request, or the same occasion, starts one run and no second."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from memory_world import EXPORT, MemoryWorld
from world import csv_rows, person

from local.memory.blobs import MemoryBlobs
from shared.errors import Conflict
from shared.parts import App
from shared.record.run_record import Run
from shared.runs.cancel import cancel
from shared.runs.start import start
from shared.runs.tick import tick

KEY = "asked nightly"


@pytest.fixture
def world() -> MemoryWorld:
    world = MemoryWorld()
    world.save()
    world.put_rows(csv_rows(*map(person, range(5))), at="2026/11/23/0800")
    return world


def asked(world: MemoryWorld, **request: object) -> Run:
    """The run of whoever asks with KEY."""
    return start(world.app, EXPORT, "on-demand", key=KEY, **request)[0]  # type: ignore[arg-type]


class Died(BaseException):
    """The process is gone: nothing of it handles that."""


class Storage:
    """The blobs of a world: before each ``call`` for a name with ``part`` in it, the next of ``turns`` has its turn."""

    def __init__(self, blobs: MemoryBlobs, call: str, part: str, *turns: Callable[[], object]) -> None:
        self._blobs = blobs
        self._call = call
        self._part = part
        self._turns = [*turns]

    def __getattr__(self, call: str) -> Any:
        def watched(name: str, *arguments: Any, **more: Any) -> Any:
            if call == self._call and self._part in name and self._turns:
                self._turns.pop(0)()
            return getattr(self._blobs, call)(name, *arguments, **more)

        return watched


def dies() -> None:
    raise Died


def dying(world: MemoryWorld, part: str) -> App:
    """An app that dies before it writes what has ``part`` in its name."""
    return world.new_app(state=Storage(world.state, "write", part, dies))


def test_the_same_request_is_known_again_when_the_mode_of_the_export_was_changed(world: MemoryWorld) -> None:
    run = asked(world)
    world.save(mode="everything")

    assert asked(world).id == run.id
    for other in ("changes", "everything"):
        with pytest.raises(Conflict, match="idempotency_key_reused"):
            asked(world, mode=other)


def test_a_mode_that_was_asked_for_is_part_of_the_request(world: MemoryWorld) -> None:
    run = asked(world, mode="everything")

    assert asked(world, mode="everything").id == run.id
    world.save(mode="everything")
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        asked(world)


def test_what_a_dead_tick_began_is_begun_by_the_next_one_though_the_mode_was_changed(world: MemoryWorld) -> None:
    world.save(schedule="refresh")
    with pytest.raises(Died):
        tick(dying(world, "active.json"))
    assert len(world.app.runs.ids(EXPORT)) == 1
    world.save(schedule="refresh", mode="everything")
    world.clock.sleep(900)

    (run,) = tick(world.app)

    assert run.mode == "everything"


@pytest.mark.parametrize("part", ["run.json", "active.json"], ids=["before its record", "before it holds the export"])
def test_a_run_that_a_dead_door_left_begins_hours_later_as_the_newest(world: MemoryWorld, part: str) -> None:
    with pytest.raises(Died):
        start(dying(world, part), EXPORT, "on-demand", key=KEY)
    world.clock.sleep(3 * 3600)
    meanwhile = world.run()
    world.clock.sleep(8 * 3600)

    run = asked(world)
    world.pump()

    assert run.id > meanwhile.id
    assert [one.id for one in world.app.runs.newest(EXPORT)] == [run.id, meanwhile.id]
    assert asked(world).id == run.id


@pytest.mark.parametrize("part", ["run.json", "active.json"], ids=["before its record", "before it holds the export"])
def test_a_door_that_only_slept_finds_the_run_of_whoever_took_it_for_dead(world: MemoryWorld, part: str) -> None:
    others: list[Run] = []

    def sleeps() -> None:
        world.clock.sleep(6 * 60)
        others.append(asked(world))
        world.pump()

    slow = world.new_app(state=Storage(world.state, "write", part, sleeps))
    run, is_new = start(slow, EXPORT, "on-demand", key=KEY)
    world.pump()

    assert (run.id, is_new) == (others[0].id, False)
    assert world.app.runs.ids(EXPORT) == [run.id]


def test_whoever_takes_a_door_for_dead_that_wakes_right_then_gets_its_run(world: MemoryWorld) -> None:
    with pytest.raises(Died):
        start(dying(world, "run.json"), EXPORT, "on-demand", key=KEY)
    (name,) = (info.name for info in world.state.list("idempotency/"))
    bound = json.loads(world.state.read(name).data)["run"]  # type: ignore[union-attr]
    world.clock.sleep(6 * 60)

    def it_wakes() -> None:
        asleep = Run(id=bound, export=EXPORT, trigger="on-demand", created_at=world.clock.now(), claimed=True)
        world.app.runs.create(asleep)
        world.app.claims.take(EXPORT, bound, now=world.clock.now(), is_live=lambda _: False)

    hasty = world.new_app(state=Storage(world.state, "write", "idempotency/", it_wakes))
    run, is_new = start(hasty, EXPORT, "on-demand", key=KEY)

    assert (run.id, is_new) == (bound, False)
    assert world.app.runs.ids(EXPORT) == [bound]
    assert asked(world).id == bound


def test_a_key_that_a_version_before_bound_for_a_mode_is_not_answered_with_another(world: MemoryWorld) -> None:
    run = asked(world, mode="changes")
    (name,) = (info.name for info in world.state.list("idempotency/"))
    record = json.loads(world.state.read(name).data)  # type: ignore[union-attr]
    del record["mode_asked"]
    world.state.write(name, json.dumps(record).encode())

    with pytest.raises(Conflict, match="idempotency_key_reused"):
        asked(world, mode="everything")
    assert asked(world).id == asked(world, mode="changes").id == run.id


def test_a_key_that_a_version_before_bound_for_confirmed_removals_gives_its_run(world: MemoryWorld) -> None:
    run = asked(world, confirm_removals=True)
    (name,) = (info.name for info in world.state.list("idempotency/"))
    record = json.loads(world.state.read(name).data)  # type: ignore[union-attr]
    for unknown_then in ("mode_asked", "confirm_removals", "audit"):
        del record[unknown_then]
    world.state.write(name, json.dumps(record).encode())

    assert asked(world, confirm_removals=True).id == run.id


def test_two_callers_who_find_what_a_dead_door_left_get_one_run(world: MemoryWorld) -> None:
    with pytest.raises(Died):
        start(dying(world, "run.json"), EXPORT, "on-demand", key=KEY)
    world.clock.sleep(3600)
    others: list[Run] = []

    def somebody_else_is_faster() -> None:
        others.append(asked(world))
        world.pump()

    slow = world.new_app(state=Storage(world.state, "write", "idempotency/", somebody_else_is_faster))
    run, is_new = start(slow, EXPORT, "on-demand", key=KEY)

    assert (run.id, run.ended, is_new) == (others[0].id, True, False)
    assert world.app.runs.ids(EXPORT) == [run.id]


def test_many_callers_at_once_get_one_run(world: MemoryWorld) -> None:
    with pytest.raises(Died):
        start(dying(world, "run.json"), EXPORT, "on-demand", key=KEY)
    world.clock.sleep(3600)

    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: asked(world).id, range(8)))

    assert len(set(runs)) == len(world.app.runs.ids(EXPORT)) == 1


@pytest.mark.parametrize("at_work", [{"dry_run": True}, {}], ids=["of another kind", "of the same kind"])
def test_a_key_stays_with_a_run_that_began_while_somebody_slower_met_another_one(
    world: MemoryWorld, at_work: dict[str, bool]
) -> None:
    """The slower one has met the run at work, and comes to free the key, or to bind it to that, after its end."""
    world.start(**at_work)
    begun: list[Run] = []

    def another_run_begins() -> None:
        world.pump()
        begun.append(asked(world))
        world.pump()

    if at_work:
        storage = Storage(world.state, "delete", "idempotency/", another_run_begins)
    else:
        storage = Storage(world.state, "write", "idempotency/", lambda: None, another_run_begins)
    with suppress(Conflict):
        start(world.new_app(state=storage), EXPORT, "on-demand", key=KEY)

    assert begun
    assert asked(world).id == begun[0].id
    assert len(world.app.runs.ids(EXPORT)) == 2


def test_who_starts_an_export_whose_run_is_being_stopped_is_told_to_try_again(world: MemoryWorld) -> None:
    stopped = world.start()
    cancel(world.app, EXPORT, stopped.id)

    for key in (None, KEY):
        with pytest.raises(Conflict, match=f"run_active: .*{stopped.id}, is being stopped. Try again in a moment."):
            start(world.app, EXPORT, "on-demand", key=key)
    world.pump()
    run = asked(world)
    world.pump()

    assert [one.status for one in world.app.runs.newest(EXPORT)] == ["succeeded", "cancelled"]
    assert next(world.app.runs.newest(EXPORT)).id == run.id


def test_who_asks_again_for_a_run_that_is_being_stopped_gets_that_run(world: MemoryWorld) -> None:
    run = asked(world)
    cancel(world.app, EXPORT, run.id)

    assert asked(world).id == run.id


def test_a_refresh_that_meets_a_run_that_is_being_stopped_waits_for_the_next_tick(world: MemoryWorld) -> None:
    world.save(schedule="refresh")
    stopped = world.start(dry_run=True)
    cancel(world.app, EXPORT, stopped.id)
    assert tick(world.app) == []
    world.pump()

    assert len(tick(world.app)) == 1
