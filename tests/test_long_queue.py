"""A queue that is long: a message that waits for its turn is no message that is lost, and doubles come to nothing."""

import json
from datetime import timedelta

import pytest
from memory_world import EXPORT, JANE, MemoryWorld
from queued_worlds import ROWS, dying_before_it_queues, heart, newest, steps
from world import csv_rows, person

from shared.runs import worker
from shared.runs.cancel import cancel
from shared.runs.start import start
from shared.runs.tick import tick

RUNS = 12
TICK_EVERY = timedelta(minutes=15)
STEPS = 5


@pytest.fixture
def world() -> MemoryWorld:
    world = MemoryWorld()
    world.save(schedule=None)
    world.put_rows(csv_rows(*(person(number) for number in range(ROWS))), at="2026/11/23/0800")
    return world


def one_worker(world: MemoryWorld, *, ticks: bool) -> int:
    """Works off the queue, five minutes for each step that did something; returns how many messages there were."""
    messages, ticked = 0, world.clock.now()
    while True:
        if ticks and world.clock.now() - ticked >= TICK_EVERY:
            tick(world.app)
            ticked = world.clock.now()
        taken = world.take()
        if taken is None:
            if not world.queue.lying():
                return messages
            world.clock.set_to(world.queue.lying()[0].visible_at)
            continue
        calls, before = len(world.service.imports), world.state._writes
        world.work(taken)
        messages += 1
        did = len(world.service.imports) > calls or world.state._writes > before
        world.clock.sleep(300 if did else 1)


def test_however_long_the_queue_is_no_run_fails_and_few_messages_are_doubled(world: MemoryWorld) -> None:
    count, took = dict[bool, int](), dict[bool, timedelta]()
    for ticks in (False, True):
        copy = world.copy()
        known = copy.app.catalog.export(EXPORT)
        ids = [f"export-{number:02}" for number in range(RUNS)]
        for id_ in ids:
            copy.app.catalog.save(known.model_copy(update={"id": id_}), by=JANE)
        runs = [start(copy.app, id_, "on-demand")[0] for id_ in ids]
        begun = copy.clock.now()
        count[ticks] = one_worker(copy, ticks=ticks)
        took[ticks] = copy.clock.now() - begun
        assert {newest(copy, run).status for run in runs} == {"succeeded"}
        assert sum(map(len, copy.service.imports)) == len(runs) * ROWS

    assert count[False] == RUNS * STEPS
    assert count[True] <= 2.5 * count[False]  # each run is taken up once an hour, and has two chains
    assert took[True] <= 1.01 * took[False]  # what is doubled costs a look


@pytest.mark.parametrize("first", range(5))
def test_a_run_whose_turn_comes_once_in_16_minutes_succeeds(world: MemoryWorld, first: int) -> None:
    run = world.start()

    def wait() -> None:
        world.clock.sleep(16 * 60)
        tick(world.app)

    for _ in range(first):
        wait()
    messages = 0
    while taken := world.take():
        world.work(taken)
        messages += 1
        wait()

    assert newest(world, run).status == "succeeded"
    assert messages <= 3 * STEPS + first


@pytest.mark.parametrize("steps_done", range(4))
def test_so_is_one_that_is_cancelled_cancelled(world: MemoryWorld, steps_done: int) -> None:
    run = world.start()
    for _ in range(steps_done):
        world.clock.sleep(16 * 60)
        tick(world.app)
        world.pump(1)
    cancel(world.app, EXPORT, run.id)
    while not newest(world, run).ended:
        for _ in range(3):
            world.clock.sleep(16 * 60)
            tick(world.app)
        world.pump(1)

    run = newest(world, run)
    assert run.status == "cancelled"
    rest = world.run()
    assert rest.counts.to_send == ROWS - run.counts.added


@pytest.mark.parametrize("done", ["plan", "send"])
def test_a_double_that_finds_its_work_done_queues_nothing_and_is_no_sign_of_life(world: MemoryWorld, done: str) -> None:
    run = world.start()
    (double,) = [one.text for one in world.queue.lying()]
    world.pump(1)
    if done == "send":
        double = world.queue.lying()[0].text
        world.pump(1)
    before, beat = steps(world), heart(world, run)
    world.clock.sleep(60)

    worker.work(world.app, double.encode())

    assert steps(world) == before
    assert heart(world, run) == beat


@pytest.mark.parametrize("steps_done", range(4))
def test_a_step_that_is_delivered_again_queues_what_whoever_did_it_had_no_time_for(
    world: MemoryWorld, steps_done: int
) -> None:
    """A worker dies between what it wrote down and the message that follows."""
    run = world.start()
    world.pump(steps_done)
    taken, before = world.take(), steps(world)
    assert taken
    if steps_done == 2:  # the last slice of its chain, while the other chain is at work: nothing follows
        worker.work(dying_before_it_queues(world), taken.text.encode())
    else:
        with pytest.raises(SystemExit):
            worker.work(dying_before_it_queues(world), taken.text.encode())
    assert steps(world) == before
    world.clock.sleep(61)

    world.pump()

    run = newest(world, run)
    assert (run.status, run.resumed) == ("succeeded", 0)
    assert sum(map(len, world.service.imports)) == ROWS


def test_so_it_is_where_the_next_delivery_met_the_lock_of_the_dead_one(world: MemoryWorld) -> None:
    run = world.start()
    taken = world.take()
    assert taken
    with pytest.raises(SystemExit):
        worker.work(dying_before_it_queues(world), taken.text.encode())
    lease = world.state.lease(f"runs/{EXPORT}/{run.id}/locks/plan", 30)
    world.queue.done(taken)
    worker.work(world.app, taken.text.encode(), delivery=2)
    (looks_again,) = world.queue.lying()
    assert json.loads(looks_again.text) == json.loads(taken.text) | {"looks": 1, "again": True}
    lease.release()

    world.pump()

    assert (newest(world, run).status, newest(world, run).resumed) == ("succeeded", 0)


def test_a_double_that_met_a_lock_queues_nothing_when_it_is_free(world: MemoryWorld) -> None:
    run = world.start()
    taken = world.take()
    assert taken
    lease = world.state.lease(f"runs/{EXPORT}/{run.id}/locks/plan", 30)
    worker.work(world.app, taken.text.encode())
    lease.release()
    world.work(taken)
    world.clock.sleep(worker.HELD_LOOKS_AFTER + 1)

    assert steps(world) == [("send", 0), ("send", 1), ("plan", None)]
    lying = [one.text for one in world.queue.lying()]
    worker.work(world.app, lying[-1].encode())

    assert [one.text for one in world.queue.lying()] == lying
