"""An upgrade in the middle of a run: what any version left is read, gone on with, and kept for the newer one."""

import json
from pathlib import Path

import pytest
import stored_records
from expected_records import Expected, every_version, json_of, must_be_as, results, says
from memory_world import EXPORT, JANE
from world import balances

from shared.catalog.documents import Connection, Export
from shared.record.run_record import Run
from shared.runs.cancel import cancel
from shared.runs.due import noted_snapshots
from shared.runs.idempotency import Keys
from shared.runs.last_tick import last_tick
from shared.runs.tick import tick
from shared.stored_record import written


def test_the_present_version_writes_what_the_newest_fixture_holds(tmp_path: Path) -> None:
    stored_records.keep(stored_records.middle_of_a_run(), tmp_path)

    assert stored_records.shape(tmp_path) == stored_records.shape(stored_records.NOW), (
        "Stored records have another shape than those in tests/stored/now, which every later version must read, too: "
        "keep them under a name that says what they lack, and add what is written now beside them. "
        "make stored NAME=… does both."
    )


@every_version
def test_records_of_every_version_are_read(folder: Path) -> None:
    world = stored_records.load(folder)
    app = world.app

    runs = list(app.runs.newest(EXPORT))
    assert [run.status for run in runs] == [
        "sending",
        "cancelled",
        "failed",
        "succeeded",
        "succeeded",
        "completed_with_rejects",
    ]
    for run in runs:
        assert says(json.loads(written(run)), json_of(world.state, f"runs/{EXPORT}/{run.id}/run.json"))
    assert [result.done[0].added for result in results(world, runs[-1])] == [9, 9, 10, 10]
    claim = app.claims.held(EXPORT)
    assert claim and claim.run == runs[0].id
    assert [one.path for one in noted_snapshots(app.state, EXPORT)] == [one.path for one in runs[0].snapshots]
    assert last_tick(app.state) is not None
    assert Keys(app.state).bind(runs[0], "the third", mode_asked=False, since=runs[0].created_at).run == runs[0].id
    for name in ("connections/newsletter.json", "exports/high-value.json"):
        model: type[Connection | Export] = Connection if "newsletter" in name else Export
        kept = app.catalog.kept(model, "newsletter" if model is Connection else EXPORT)
        assert says(json.loads(written(kept.item)), json_of(world.catalog, name))


@every_version
def test_a_run_begun_before_the_upgrade_is_finished_by_this_version(folder: Path) -> None:
    world = stored_records.load(folder)
    expected = Expected(world)

    world.pump()

    must_be_as(expected, world)


@every_version
@pytest.mark.parametrize("lost", ["twice", "lost", "the plan again"])
def test_so_it_is_with_messages_that_are_lost_or_come_twice(folder: Path, lost: str) -> None:
    world = stored_records.load(folder)
    expected = Expected(world)
    messages = [message.text for message in world.queue.lying()]
    if lost == "lost":
        while taken := world.take():
            world.queue.done(taken)
        world.clock.sleep(6 * 60)
        tick(world.app)
    elif lost == "twice":
        for message in messages:
            world.queue.put(message)
    else:
        world.queue.put(json.dumps({"v": 1, "step": "plan", "export": EXPORT, "run": expected.run.id}))

    world.pump()

    must_be_as(expected, world)


@every_version
def test_a_run_begun_before_the_upgrade_can_be_cancelled_and_made_up_for(folder: Path) -> None:
    world = stored_records.load(folder)
    expected = Expected(world)
    cancel(world.app, EXPORT, expected.run.id, by=JANE)
    world.pump()

    run = world.app.runs.get(EXPORT, expected.run.id)
    assert run.status == "cancelled"
    assert balances(run)
    assert run.counts.unsent > 0

    rest = world.run()
    assert rest.counts.to_send == run.counts.unsent
    must_be_as(expected, world, rest)


@every_version
def test_a_run_that_an_older_version_was_planning_is_planned_anew(folder: Path) -> None:
    world = stored_records.load(folder)
    expected = Expected(world)

    def planning(run: Run) -> Run:
        planned = ("counts", "progress", "slices", "import_slices", "partitions", "list_id", "removals", "planned_at")
        as_begun = {name: Run.model_fields[name].default for name in planned}
        return run.model_copy(update={"status": "planning", **as_begun})

    world.app.runs.change(EXPORT, expected.run.id, planning)
    for info in [*world.state.list(f"runs/{EXPORT}/{expected.run.id}/")]:
        if "/results/" in info.name:
            world.state.delete(info.name)
    tick(world.app)
    world.clock.sleep(6 * 60)
    tick(world.app)
    world.pump()

    expected.sent_before = frozenset()
    expected.not_ours |= expected.put_there  # it finds them on the list
    must_be_as(expected, world)


@every_version
def test_after_the_upgrade_nothing_is_sent_that_has_not_changed(folder: Path) -> None:
    world = stored_records.load(folder)
    world.pump()

    again = world.run()

    assert again.status == "completed_with_rejects"  # the two odd rows are still there
    assert (again.counts.to_send, again.counts.to_remove) == (0, 0)
