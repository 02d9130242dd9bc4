"""A run ends when nothing is on its way for it any more: what lands afterwards could undo what the next run sends."""

from typing import Any

import requests
from memory_world import EXPORT, MemoryWorld
from world import csv_rows, person

from shared.record.batch_results import BatchResult, SliceResult
from shared.record.run_record import Run
from shared.record.step_outcome import Next
from shared.runs.cancel import cancel
from shared.runs.finish_step import finish

PEOPLE = 5


def _while_sending(world: MemoryWorld, happen: str) -> tuple[Run, Run]:
    """The run as it is while an import is in flight and ``happen`` has happened, and as it is in the end."""
    world.save()
    world.put_rows(csv_rows(*map(person, range(PEOPLE))), at="2026/11/23/0900")
    run = world.start()
    world.pump(1)
    run = world.app.runs.get(EXPORT, run.id)
    seen: list[Run] = []
    really = world.service.answer

    def answer(request: requests.PreparedRequest) -> requests.Response:
        if "import" in str(request.path_url) and not seen:
            if happen == "another saved it":
                done = SliceResult(batches=1, done={0: BatchResult(added=PEOPLE)})
                world.app.results(run).save(0, done)
                world.app.enqueue(run, Next("finish"))
            else:
                cancel(world.app, EXPORT, run.id)
            finish = world.take()
            assert finish
            world.work(finish)
            seen.append(world.app.runs.get(EXPORT, run.id))
        return really(request)

    world.service.answer = answer  # type: ignore[method-assign]
    world.pump()
    return seen[0], world.app.runs.get(EXPORT, run.id)


def test_a_batch_that_is_on_its_way_a_second_time_is_waited_for_though_its_slice_is_done() -> None:
    """Whoever sent it first had lost the lock, and saved the answer that came after that."""
    meanwhile, end = _while_sending(MemoryWorld(), "another saved it")

    assert (meanwhile.status, meanwhile.ended) == ("sending", False)
    assert (end.status, end.counts.added) == ("succeeded", PEOPLE)


def test_a_cancelled_run_waits_for_what_is_on_its_way() -> None:
    meanwhile, end = _while_sending(MemoryWorld(), "it was cancelled")

    assert not meanwhile.ended
    assert (end.status, end.counts.added) == ("cancelled", PEOPLE)


def test_a_run_that_is_cancelled_while_its_plan_is_written_down_has_the_account_of_the_plan() -> None:
    """The step that ends it has read the record before, and finds nobody at work after."""
    world = MemoryWorld()
    world.save()
    world.put_rows(csv_rows(*map(person, range(PEOPLE))), at="2026/11/23/0900")
    id_ = world.start().id
    read: list[Run] = []

    class Meanwhile:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.state, name)

        def write(self, name: str, data: bytes, **more: Any) -> str:
            if name.endswith("/run.json") and b'"sending"' in data and not read:
                cancel(world.app, EXPORT, id_)
                read.append(world.app.runs.get(EXPORT, id_))
            return world.state.write(name, data, **more)

    plan = world.take()
    assert plan
    world.work(plan, world.new_app(state=Meanwhile()))
    with world.app.locked(read[0], "finish") as lock:
        (*_, end) = finish(world.app, read[0], lock)

    assert read[0].status == "planning"
    assert end.changes["status"] == "cancelled"
    assert (end.changes["counts"].rows_read, end.changes["counts"].unsent) == (PEOPLE, PEOPLE)


def test_who_slept_before_they_told_the_rejects_tells_none_when_others_have_ended_the_run() -> None:
    """They have read the answers before the last one came."""
    world = MemoryWorld()
    world.save()
    world.put_rows(csv_rows(*map(person, range(PEOPLE))), at="2026/11/23/0900")
    run = world.start()
    world.pump(1)
    cancel(world.app, EXPORT, run.id)

    def goes_on() -> None:
        """The slice, whose sender lost the lock, is saved; others see that, and end the run."""
        refused = SliceResult(batches=1, done={0: BatchResult(added=PEOPLE - 1, refused=((1, 206),))})
        world.app.results(world.app.runs.get(EXPORT, run.id)).save(0, refused)
        world.clock.sleep(40)
        world.app.enqueue(run, Next("finish"))
        world.pump()

    class Asleep:
        def __init__(self) -> None:
            self.slept = False

        def __getattr__(self, call: str) -> Any:
            if call == "commit" and not self.slept:
                self.slept = True
                goes_on()
            return getattr(world.state, call)

    asleep = world.new_app(state=Asleep())
    world.pump(app=asleep)

    end = world.app.runs.get(EXPORT, run.id)
    rejects = b"".join(world.app.rejects(end).chunks())
    assert (end.status, end.counts.refused, rejects.count(b"refused_206")) == ("cancelled", 1, 1)
