"""Steps that run twice, messages that are lost, instances that die: one run, one account, nothing sent twice."""

import dataclasses
import json
import subprocess
import sys
import threading

import pytest
from world import World, balances, csv_rows, person

from local.azurite import Azurite
from local.memory.queue import MemoryQueue
from local.standin import StandIn
from shared.record.run_record import Run
from shared.record.slices import Sizes
from shared.record.step_lock import LOCK_SECONDS
from shared.record.step_outcome import Step
from shared.runs import sweep, worker
from shared.runs.cancel import cancel
from shared.runs.start import start
from shared.runs.tick import tick

ROWS = 3 * Sizes().batch
ORDERS: tuple[tuple[Step, int | None], ...] = (("plan", None), ("send", 0), ("finish", None))


@pytest.fixture
def world(world: World) -> World:
    """State of its own, since the tick looks after every run that there is; little waiting."""
    world.own_state()
    world.clock.sleeps = False
    settings = dataclasses.replace(world.app.settings, upload_concurrency=2)
    world.app = dataclasses.replace(world.app, settings=settings, checkpoint_seconds=0.05)
    world.put_rows(csv_rows(*(person(number) for number in range(ROWS))))
    world.save(schedule=None)
    return world


def later(world: World, **ahead: float) -> None:
    """Sets the clock of the app ahead."""
    world.clock.go_on(**ahead)


def newest(world: World, run: Run) -> Run:
    return world.app.runs.get(run.export, run.id)


def sent(world: World) -> int:
    return sum(call["rows"] for call in world.imports())


def order(run: Run, step: str, slice_: int | None = None) -> bytes:
    return json.dumps(
        {"v": 1, "step": step, "export": run.export, "run": run.id} | ({"slice": slice_} if slice_ == 0 else {})
    ).encode()


def test_every_message_delivered_twice_one_after_the_other_changes_nothing(world: World) -> None:
    run = world.start()
    for step, slice_ in ORDERS:
        worker.work(world.app, order(run, step, slice_))
        worker.work(world.app, order(run, step, slice_))
    world.pump()

    run = newest(world, run)
    assert run.status == "succeeded"
    assert run.counts.added == sent(world) == ROWS
    assert balances(run)


def test_every_message_delivered_to_two_workers_at_once_is_worked_on_by_one(world: World) -> None:
    world.control("PUT", "options", {"latency": 0.1})
    run = world.start()
    world.clear_queue()
    for step, slice_ in ORDERS:
        both = [threading.Thread(target=worker.work, args=(world.app, order(run, step, slice_))) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        world.clear_queue()

    run = newest(world, run)
    assert run.status == "succeeded"
    assert run.counts.added == sent(world) == ROWS


def test_a_message_that_meets_a_lock_looks_again_for_a_minute_and_is_never_doubled(world: World) -> None:
    run = world.start()
    world.clear_queue()
    queue = MemoryQueue("work", world.clock)
    world.app = dataclasses.replace(world.app, queue=queue)
    message, looks = order(run, "plan"), 0

    with world.app.locked(run, "plan"):
        while message:
            worker.work(world.app, message)
            put = [json.loads(one.text) for one in queue.lying()][looks:]
            assert len(put) <= 1
            looks += len(put)
            message = json.dumps(put[0]).encode() if put else b""

    assert looks == worker.MOST_LOOKS
    assert looks * worker.HELD_LOOKS_AFTER > LOCK_SECONDS
    assert newest(world, run).status == "queued"


def test_two_processes_that_start_an_export_at_once_get_one_run(azurite: Azurite, campaign_monitor: StandIn) -> None:
    world = World(azurite.connection_string, campaign_monitor.url)
    world.save(schedule=None)
    program = """
import json, sys
from shared.runs.start import start
from shared.app import wire
from shared.settings import read
app = wire(read(json.loads(sys.argv[1])))
app.catalog.export(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
run, is_new = start(app, sys.argv[2], "on-demand")
print(run.id, is_new)
"""
    command = [sys.executable, "-c", program, json.dumps(world.environment), f"e-{world.id}"]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        assert one.stdout and one.stdout.readline() == "ready\n"
    answers = []
    for one in both:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in both:
        answers.append(one.communicate(timeout=30)[0].split())

    assert {id_ for id_, _ in answers} == set(world.app.runs.ids(f"e-{world.id}"))
    assert sorted(is_new for _, is_new in answers) == ["False", "True"]


@pytest.mark.parametrize("steps_done", [0, 1, 2])
def test_a_run_whose_messages_are_lost_is_taken_up_by_the_tick(world: World, steps_done: int) -> None:
    run = world.start()
    world.pump(steps_done)
    world.clear_queue()
    tick(world.app)
    assert world.pump() == 0  # not silent for long enough

    later(world, minutes=6)
    assert tick(world.app) == []
    world.pump()

    run = newest(world, run)
    assert run.status == "succeeded"
    assert run.resumed == 1
    assert run.counts.added == sent(world) == ROWS


def test_a_plan_delivered_again_queues_what_a_dead_instance_did_not(world: World) -> None:
    run = world.start()
    world.pump(1)
    world.clear_queue()  # as if it had died right after the plan

    worker.work(world.app, order(run, "plan"), delivery=2)
    world.pump()

    run = newest(world, run)
    assert (run.status, run.resumed) == ("succeeded", 0)
    assert run.counts.added == sent(world) == ROWS


def test_whoever_starts_an_export_whose_run_is_silent_gets_that_run_going_again(world: World) -> None:
    run = world.start()
    world.clear_queue()
    later(world, minutes=6)

    again, is_new = start(world.app, run.export, "on-demand")
    world.pump()

    assert (again.id, is_new) == (run.id, False)
    assert newest(world, run).status == "succeeded"


def test_a_run_that_stops_again_and_again_without_getting_on_fails(world: World) -> None:
    run = world.start()
    world.pump(1)
    for _ in range(sweep.MOST_RESUMPTIONS):
        _die(world, run)
        later(world, minutes=6)
        tick(world.app)
        world.clear_queue()
    _die(world, run)
    later(world, minutes=6)
    tick(world.app)
    world.pump()

    run = newest(world, run)
    assert run.status == "failed"
    assert run.error is not None
    assert run.error.code == "run_stuck"
    assert run.counts.unsent == ROWS
    assert balances(run)


def test_a_run_that_only_waits_for_its_turn_is_never_given_up(world: World) -> None:
    run = world.start()
    for _ in range(3 * sweep.MOST_RESUMPTIONS):
        later(world, minutes=6)
        tick(world.app)

    world.pump()
    assert newest(world, run).status == "succeeded"


def test_a_claim_that_outlived_its_run_is_dropped(world: World) -> None:
    run = world.start()
    world.clear_queue()
    world.app.state.delete(f"runs/{run.export}/{run.id}/run.json")
    later(world, minutes=6)

    tick(world.app)

    assert world.app.claims.held(run.export) is None


def test_an_invocation_hands_over_before_its_time_is_up(world: World) -> None:
    world.app = dataclasses.replace(world.app, invocation_seconds=0)
    world.control("PUT", "options", {"latency": 0.2})

    run = world.run()

    assert run.status == "succeeded"
    assert run.counts.added == sent(world) == ROWS


def test_a_cancelled_run_stops_between_batches_and_the_next_one_sends_the_rest(world: World) -> None:
    world.control("PUT", "options", {"latency": 0.2})
    settings = dataclasses.replace(world.app.settings, upload_concurrency=1)
    world.app = dataclasses.replace(world.app, settings=settings)
    run = world.start()
    world.pump(1)
    pumping = threading.Thread(target=world.pump)
    pumping.start()
    while not world.imports():
        threading.Event().wait(0.01)
    cancel(world.app, run.export, run.id)
    pumping.join()
    world.pump_until_ended(run)

    run = newest(world, run)
    assert run.status == "cancelled"
    assert 0 < run.counts.added < ROWS
    assert run.counts.unsent == ROWS - run.counts.added
    assert balances(run)
    assert sent(world) == run.counts.added

    rest = world.run()
    assert rest.status == "succeeded"
    assert (rest.counts.unchanged, rest.counts.added) == (run.counts.added, run.counts.unsent)


@pytest.mark.parametrize("steps_done", [0, 1])
def test_a_run_cancelled_before_it_sends_sends_nothing(world: World, steps_done: int) -> None:
    run = world.start()
    world.pump(steps_done)

    cancel(world.app, run.export, run.id)
    world.pump_until_ended(run)

    run = newest(world, run)
    assert run.status == "cancelled"
    assert run.counts.unsent == run.counts.to_send
    assert balances(run)
    assert sent(world) == 0
    assert world.app.claims.held(run.export) is None


def test_a_message_that_is_no_order_is_refused_without_its_content(world: World) -> None:
    with pytest.raises(Exception, match="step") as caught:
        worker.work(world.app, json.dumps({"v": 1, "step": "jane@example.com"}).encode())

    assert "jane@example.com" not in str(caught.value)


def _die(world: World, run: Run) -> None:
    """An instance takes a step up, shows a heartbeat and dies."""
    world.app.claims.heartbeat(run.export, run.id, world.app.clock.now())
