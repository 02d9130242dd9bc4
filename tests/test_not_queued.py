"""A queue that takes no message: whoever starts a run is told, and none is left to begin when nobody expects it."""

import logging
from typing import Any

import pytest
from memory_world import EXPORT, MemoryWorld
from refusing_queue import AWAY, MISSING, Refusing, a_world, later, lose_messages, refuse, told

from shared.errors import DeploymentError, ExportError, TemporaryError
from shared.runs.start import start
from shared.runs.sweep import SILENT
from shared.runs.tick import tick


@pytest.fixture
def world(caplog: pytest.LogCaptureFixture) -> MemoryWorld:
    caplog.set_level(logging.INFO)
    return a_world()


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
