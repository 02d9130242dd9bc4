"""A queue that takes no message: whoever starts a run is told, and none is left to begin when nobody expects it."""

import json
import logging
from typing import Any

import pytest
from memory_world import EXPORT, MemoryWorld
from world import csv_rows, person

from local.memory.queue import MemoryQueue
from shared.errors import DeploymentError, ExportError, TemporaryError
from shared.record import telemetry
from shared.runs.cancel import cancel
from shared.runs.start import start
from shared.runs.sweep import SILENT
from shared.runs.tick import tick

AWAY = TemporaryError("storage_unavailable", "It does not answer.", "Wait.")
MISSING = DeploymentError("container_missing", "There is no queue.", "Deploy again.")


class Refusing(MemoryQueue):
    """Raises ``error`` for each message, as long as there is one; where it ``stores``, the answer alone is lost."""

    error: ExportError | None = None
    stores = False
    asked = 0

    def put(self, message: str, *, delay: int = 0) -> None:
        self.asked += 1
        if self.error is None or self.stores:
            super().put(message, delay=delay)
        if self.error:
            raise self.error


@pytest.fixture
def world() -> MemoryWorld:
    world = MemoryWorld()
    world.queue = Refusing("export-work", world.clock)
    world.app = world.new_app()
    world.put_rows(csv_rows(*map(person, range(5))), at="2026/11/23/0800")
    world.save(schedule="refresh")
    return world


def refuse(world: MemoryWorld, error: ExportError | None, *, stores: bool = False) -> None:
    assert isinstance(world.queue, Refusing)
    world.queue.error, world.queue.stores = error, stores


def lose_messages(world: MemoryWorld) -> None:
    while taken := world.take():
        world.queue.done(taken)


def later(world: MemoryWorld, *, seconds: float) -> None:
    world.clock.sleep(seconds)


@pytest.mark.parametrize("error", [AWAY, MISSING])
@pytest.mark.parametrize("key", [None, "once"])
def test_a_run_that_cannot_be_queued_is_taken_back(world: MemoryWorld, error: ExportError, key: str | None) -> None:
    refuse(world, error)

    with pytest.raises(type(error)):
        world.start(key=key)

    assert key or world.app.runs.ids(EXPORT) == []
    assert world.app.claims.held(EXPORT) is None
    refuse(world, None)
    later(world, seconds=3600)
    tick(world.app)
    world.pump()
    (run,) = (world.app.runs.get(EXPORT, id_) for id_ in world.app.runs.ids(EXPORT))
    assert run.trigger == "refresh"


@pytest.mark.parametrize("seconds", [1, 600])
@pytest.mark.parametrize("key", [None, "once"])
def test_who_asks_again_when_the_queue_is_back_gets_a_run(world: MemoryWorld, key: str | None, seconds: int) -> None:
    refuse(world, AWAY)
    with pytest.raises(TemporaryError):
        world.start(key=key)

    refuse(world, None)
    later(world, seconds=seconds)
    run, is_new = start(world.app, EXPORT, "on-demand", key=key)

    assert is_new
    world.pump()
    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"
    assert world.app.runs.ids(EXPORT) == [run.id]


def test_a_message_of_a_run_that_was_taken_back_comes_to_nothing(world: MemoryWorld) -> None:
    refuse(world, AWAY, stores=True)
    with pytest.raises(TemporaryError):
        world.start()

    refuse(world, None)
    world.pump()

    assert world.app.runs.ids(EXPORT) == []
    assert world.service.listed() == []
    assert world.errors == []


@pytest.mark.parametrize("key", [None, "once"])
def test_a_claim_whose_answer_is_lost_while_the_run_goes_on_begins_it_once(
    world: MemoryWorld, key: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The client asks again: the run has ended by then, and has let go of its export."""
    take = world.app.claims.take

    def asked_again(*arguments: Any, **named: Any) -> Any:
        take(*arguments, **named)
        world.pump()
        return take(*arguments, **named)

    world.app.claims.take = asked_again  # type: ignore[method-assign]
    run, is_new = start(world.app, EXPORT, "on-demand", key=key)

    assert is_new
    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"
    assert world.app.claims.held(EXPORT) is None
    later(world, seconds=SILENT.total_seconds() + 1)
    tick(world.app)
    said = [event for event, _ in told(caplog)]
    assert (said.count("run_started"), said.count("run_ended")) == (1, 1)


def test_a_tick_that_sleeps_before_its_claim_does_not_run_what_was_paused_meanwhile(world: MemoryWorld) -> None:
    take, slept = world.app.claims.take, False

    def sleepy(*arguments: Any, **named: Any) -> Any:
        nonlocal slept
        if not slept:
            slept = True
            world.pump()
            world.save(schedule="refresh", enabled=False)
            later(world, seconds=600)
            tick(world.app)
        return take(*arguments, **named)

    world.app.claims.take = sleepy  # type: ignore[method-assign]
    assert tick(world.app) == []
    world.pump()
    later(world, seconds=600)
    tick(world.app)

    assert world.app.runs.ids(EXPORT) == []
    assert world.app.claims.held(EXPORT) is None
    assert world.service.listed() == []


def test_a_message_that_is_quicker_than_the_claim_waits_for_it(world: MemoryWorld) -> None:
    """It is stored and taken while the answer to it is waited for."""
    queue = world.queue
    assert isinstance(queue, Refusing)

    def slow(message: str, *, delay: int = 0) -> None:
        del queue.put
        queue.put(message, delay=delay)
        world.pump(1)

    queue.put = slow  # type: ignore[method-assign]
    run = world.start()
    world.pump()

    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"
    assert world.errors == []


def test_so_does_one_whose_sender_gives_up_and_then_it_comes_to_nothing(world: MemoryWorld) -> None:
    refuse(world, AWAY, stores=True)
    with pytest.raises(TemporaryError):
        world.start(key="once")
    refuse(world, None)

    run = world.start(key="once")  # a second message of the same run
    world.pump()

    assert world.app.runs.ids(EXPORT) == [run.id]
    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"
    assert len(world.service.imports) == 1


@pytest.mark.parametrize("keys", [(None, None), ("once", "once"), ("one", "other")])
def test_who_asks_beside_one_who_is_refused_gets_a_run(world: MemoryWorld, keys: tuple[str | None, str | None]) -> None:
    """The second one asks, and is answered, while the queue lets the first one wait."""
    queue, told = world.queue, list[Any]()
    assert isinstance(queue, Refusing)

    def slow(_: str, *, delay: int = 0) -> None:
        del queue.put
        told.append(start(world.app, EXPORT, "on-demand", key=keys[1]))
        raise AWAY

    queue.put = slow  # type: ignore[method-assign]
    with pytest.raises(TemporaryError):
        world.start(key=keys[0])
    world.pump()

    ((run, is_new),) = told
    assert is_new
    assert [one for one in world.app.runs.newest(EXPORT) if one.begun] == [world.app.runs.get(EXPORT, run.id)]
    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"


@pytest.mark.parametrize("schedule", ["refresh", "0 * * * *"])
def test_what_is_due_stays_due_though_another_tick_looks_while_the_queue_refuses(
    world: MemoryWorld, schedule: str
) -> None:
    world.save(schedule=schedule)
    later(world, seconds=3600)
    queue = world.queue
    assert isinstance(queue, Refusing)

    def slow(_: str, *, delay: int = 0) -> None:
        refuse(world, MISSING)
        del queue.put
        assert tick(world.app) == []
        raise AWAY

    queue.put = slow  # type: ignore[method-assign]
    assert tick(world.app) == []
    refuse(world, None)
    later(world, seconds=60)

    (run,) = tick(world.app)
    world.pump()
    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"


def test_an_export_that_is_paused_after_a_refused_tick_does_not_run(world: MemoryWorld) -> None:
    refuse(world, MISSING)
    for _ in range(2):
        assert tick(world.app) == []
    world.save(schedule="refresh", enabled=False)
    refuse(world, None)

    for _ in range(10):
        later(world, seconds=300)
        assert tick(world.app) == []
        world.pump()
    assert world.app.runs.ids(EXPORT) == []


def test_a_starter_that_sleeps_takes_nothing_away_from_a_run_that_went_on(world: MemoryWorld) -> None:
    """Between its claim and what it writes then, for so long that others take the run up, and end it."""
    change = world.app.runs.change
    asleep = True

    def sleepy(export: str, run: str, how: Any) -> Any:
        nonlocal asleep
        if asleep:
            asleep = False
            later(world, seconds=SILENT.total_seconds() + 1)
            tick(world.app)
            world.pump()
        return change(export, run, how)

    world.app.runs.change = sleepy  # type: ignore[method-assign]
    run = world.start()

    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"
    assert len(world.service.active()) == 5


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


def test_who_asks_with_the_same_key_queues_it_or_is_told_that_it_cannot(world: MemoryWorld) -> None:
    """Whoever began it may have died before its first message."""
    run = world.start(key="once")
    lose_messages(world)
    refuse(world, MISSING)

    with pytest.raises(DeploymentError):
        world.start(key="once")
    refuse(world, None)
    assert world.start(key="once").id == run.id
    world.pump()

    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"


def test_a_refresh_whose_run_cannot_be_queued_is_due_at_the_next_tick(
    world: MemoryWorld, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(world, MISSING)
    assert tick(world.app) == []
    assert ("not_started", "container_missing") in told(caplog)

    refuse(world, None)
    later(world, seconds=60)
    (run,) = tick(world.app)
    world.pump()

    assert world.app.runs.get(EXPORT, run.id).status == "succeeded"


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


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str | None]]:
    said = [json.loads(one.getMessage()) for one in caplog.records if one.name == telemetry.__name__]
    return [(one["event"], one.get("error")) for one in said]


@pytest.fixture(autouse=True)
def lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
