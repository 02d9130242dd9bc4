"""Runs that do not move: who is taken up again, how often, and when it is given up."""

from datetime import timedelta
from itertools import pairwise

import pytest
from memory_world import EXPORT, MemoryWorld
from queued_worlds import ROWS, dying_before_it_queues, heart, lose_all, newest, somebody_begins_and_dies, steps
from world import csv_rows, person

from shared.runs import sweep
from shared.runs.tick import tick


@pytest.fixture
def world() -> MemoryWorld:
    world = MemoryWorld()
    world.save(schedule=None)
    world.put_rows(csv_rows(*(person(number) for number in range(ROWS))), at="2026/11/23/0800")
    return world


@pytest.mark.parametrize("steps_done", [0, 1, 2, 4])
def test_a_lost_message_is_replaced_and_so_is_the_one_that_replaced_it(world: MemoryWorld, steps_done: int) -> None:
    run = world.start()
    world.pump(steps_done)
    lost = steps(world)
    for minutes in (6, 61, 130, 260):
        lose_all(world)
        world.clock.sleep(minutes * 60)
        tick(world.app)
        assert steps(world) == lost

    world.pump()

    run = newest(world, run)
    assert (run.status, run.resumed) == ("succeeded", 1)


def test_a_message_that_waits_is_replaced_less_and_less_often(world: MemoryWorld) -> None:
    world.start()
    put = []
    for minutes in range(0, 24 * 60, 15):
        before = len(world.queue.lying())
        tick(world.app)
        put += [minutes] * (len(world.queue.lying()) - before)
        world.clock.sleep(15 * 60)

    assert len(put) <= 14
    waits = [later - earlier for earlier, later in pairwise(put)]
    assert waits[0] >= 60
    assert waits == sorted(waits)


def test_of_several_who_ask_one_after_the_other_the_first_takes_it_up(world: MemoryWorld) -> None:
    world.start()
    lose_all(world)
    world.clock.sleep(6 * 60)

    for _ in range(5):
        world.start()

    assert steps(world) == [("plan", None)]


def test_a_sweep_that_dies_when_it_has_queued_is_made_up_for_by_the_next(world: MemoryWorld) -> None:
    world.start()
    lose_all(world)
    world.clock.sleep(6 * 60)
    with pytest.raises(SystemExit):
        sweep.sweep(dying_before_it_queues(world))

    sweep.sweep(world.app)

    assert steps(world) == [("plan", None)]


def test_a_run_whose_step_dies_each_time_fails_as_stuck(world: MemoryWorld) -> None:
    run = world.start()
    world.pump(1)
    for _ in range(sweep.MOST_RESUMPTIONS + 1):
        lose_all(world)
        somebody_begins_and_dies(world, run)
    world.clock.sleep(6 * 60)
    tick(world.app)
    assert not newest(world, run).ended  # its end waits for its turn

    world.pump()

    run = newest(world, run)
    assert run.error and run.error.code == "run_stuck"


def test_the_end_of_a_stuck_run_is_tried_again_like_any_other(world: MemoryWorld) -> None:
    run = world.start()
    world.pump(3)  # planned, and two slices of three sent
    for _ in range(sweep.MOST_RESUMPTIONS + 1):
        lose_all(world)
        somebody_begins_and_dies(world, run)
    assert newest(world, run).failure
    assert world.queue.take(600)  # whoever begins its end dies, and the message comes back in ten minutes
    somebody_begins_and_dies(world, run)

    world.pump()

    assert newest(world, run).counts.added == 40
    assert world.run().counts.unchanged == 40


def test_what_an_older_version_noted_when_it_took_the_run_up_is_understood(world: MemoryWorld) -> None:
    """It let the heart beat itself."""
    run = world.start()
    noted = {"resumed": sweep.MOST_RESUMPTIONS, "resumed_at": heart(world, run)}
    world.app.runs.change(EXPORT, run.id, lambda newest: newest.model_copy(update=noted))
    world.clock.sleep(6 * 60)
    tick(world.app)
    assert steps(world) == [("plan", None)]
    world.clock.sleep(60 * 60)
    tick(world.app)

    assert steps(world) == [("plan", None)] * 2
    assert newest(world, run).resumed == sweep.MOST_RESUMPTIONS


def test_so_it_is_when_this_version_had_taken_it_up_before_that(world: MemoryWorld) -> None:
    run = world.start()
    before = heart(world, run) - timedelta(hours=1)
    noted = {"resumed": sweep.MOST_RESUMPTIONS, "resumed_at": heart(world, run), "resumed_heartbeat": before}
    world.app.runs.change(EXPORT, run.id, lambda newest: newest.model_copy(update=noted))
    world.clock.sleep(2 * 60 * 60)

    tick(world.app)

    assert newest(world, run).failure is None


def test_a_step_that_got_on_is_not_counted_whatever_it_got_on_with(world: MemoryWorld) -> None:
    """The plan is got on with, though nothing is sent by then."""
    run = world.start()
    world.clock.sleep(6 * 60)
    tick(world.app)
    world.clock.sleep(60)
    world.pump(1)
    world.clock.sleep(6 * 60)
    tick(world.app)

    assert (newest(world, run).status, newest(world, run).resumed) == ("sending", 1)
