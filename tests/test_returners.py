"""Who was deleted by the export and is back is put back; who opted out in the meantime never is."""

import dataclasses
from typing import Any

import pytest
from snapshots import active, calls, put_snapshot
from world import SEGMENT, World, balances, person

from shared.record.slices import Sizes
from shared.runs.cancel import cancel

TABLE = SEGMENT.split("/")[1]
PEOPLE = 6


def email(number: int) -> str:
    return person(number)[1]


def snapshot(world: World, *numbers: int, at: int, **changes: str) -> None:
    put_snapshot(world, {TABLE: [person(number, **changes) for number in numbers]}, number=at)


@pytest.fixture
def world(world: World) -> World:
    """The export has deleted the first two of PEOPLE, who had left."""
    world.clock.sleeps = False
    world.save(removals="delete", max_removal_percent=50)
    snapshot(world, *range(PEOPLE), at=0)
    world.run()
    snapshot(world, *range(2, PEOPLE), at=1)
    world.run()
    return world


def test_a_returner_is_put_back_though_nothing_about_them_changed(world: World) -> None:
    snapshot(world, *range(PEOPLE), 50, at=2)
    before = len(calls(world))

    run = world.run()

    assert run.status == "succeeded"
    assert (run.counts.added, run.counts.updated, run.counts.refused) == (1, 2, 0)
    assert balances(run)
    assert len(active(world)) == PEOPLE + 1
    assert [call["rows"] for call in calls(world)[before:]] == [3, 2]
    assert world.rejects(run) == []
    assert world.run().counts.unchanged == PEOPLE + 1


def test_a_returner_belongs_to_the_export_again(world: World) -> None:
    snapshot(world, *range(PEOPLE), at=2)
    world.run()
    snapshot(world, *range(2, PEOPLE), at=3)

    assert world.run().counts.removed == 2

    snapshot(world, *range(PEOPLE), at=4)
    assert world.run().counts.updated == 2
    assert len(active(world)) == PEOPLE


@pytest.mark.parametrize(
    ("state", "code"), [("Unsubscribed", 206), ("Bounced", 207), ("Unconfirmed", 208), ("suppressed", 204)]
)
def test_a_returner_who_is_out_for_another_reason_stays_out(world: World, state: str, code: int) -> None:
    put = {"state": "Deleted", "suppressed": True} if state == "suppressed" else {"state": state}
    world.hold({"email": email(0)} | put)
    snapshot(world, *range(PEOPLE), at=2)

    run = world.run()

    assert (run.counts.updated, run.counts.refused) == (1, 1)
    assert [row[4:6] for row in world.rejects(run)] == [[email(0), f"refused_{code}"]]
    assert email(0) not in active(world)
    assert email(1) in active(world)


@pytest.mark.parametrize("state", ["Unsubscribed", "Bounced", "Deleted"])
def test_a_leaver_who_was_inactive_when_the_export_came_to_delete_them_is_not_put_back(
    world: World, state: str
) -> None:
    world.hold({"email": email(2), "state": state})
    snapshot(world, *range(3, PEOPLE), at=2)
    assert world.run().counts.removed == 1
    snapshot(world, *range(2, PEOPLE), at=3)

    run = world.run()

    assert run.counts.refused == 1
    assert email(2) not in active(world)


def test_whom_somebody_else_deleted_is_not_put_back(world: World) -> None:
    world.hold({"email": email(2), "state": "Deleted"})
    snapshot(world, *range(2, PEOPLE), at=2, City="Vilnius")

    assert world.run().counts.refused == 1
    assert email(2) not in active(world)


def test_whom_the_export_unsubscribed_stays_unsubscribed(world: World) -> None:
    world.save(removals="unsubscribe", max_removal_percent=50)
    snapshot(world, *range(3, PEOPLE), at=2)
    world.run()
    snapshot(world, *range(2, PEOPLE), at=3)

    assert world.run().counts.refused == 1
    assert world.listed()[email(2)]["state"] == "Unsubscribed"


def test_one_who_came_back_by_another_way_is_updated_and_not_the_exports_any_more(world: World) -> None:
    world.hold({"email": email(0), "state": "Active"})
    snapshot(world, 0, *range(2, PEOPLE), at=2)
    assert world.run().counts.updated == 1
    snapshot(world, *range(2, PEOPLE), at=3)

    assert world.run().counts.removed == 0
    assert email(0) in active(world)


def test_an_export_that_resubscribes_needs_no_second_call(world: World) -> None:
    world.save(removals="delete", resubscribe=True)
    snapshot(world, *range(PEOPLE), at=2)
    before = len(calls(world))

    assert world.run().counts.updated == 2
    assert len(calls(world)) == before + 1
    assert len(active(world)) == PEOPLE


def test_returners_are_sent_behind_the_others_so_that_few_batches_hold_them(world: World) -> None:
    rows = [person(number) for number in range(2 * Sizes().batch)]
    put_snapshot(world, {TABLE: rows}, number=2)
    before = len(calls(world))

    run = world.run()

    assert run.counts.updated == 2
    assert sorted(call["rows"] for call in calls(world)[before:]) == [2, 996, 1000]


@pytest.mark.parametrize("fault", [{"kind": "503"}, {"kind": "504", "when": "after"}], ids=lambda one: str(one["kind"]))
def test_a_call_that_puts_back_and_fails_is_made_again(world: World, fault: dict[str, Any]) -> None:
    snapshot(world, *range(PEOPLE), at=2)
    world.faults(fault | {"calls": [2, 3, 4, 5, 6, 7]})

    run = world.run()

    assert run.status == "succeeded"
    assert balances(run)
    assert len(active(world)) == PEOPLE
    snapshot(world, *range(2, PEOPLE), at=3)
    assert world.run().counts.removed == 2


def test_a_cancelled_run_forgets_nobody(world: World) -> None:
    snapshot(world, *range(PEOPLE), at=2)
    run = world.start()
    world.pump(1)
    cancel(world.app, run.export, run.id)
    world.pump_until_ended(run)

    assert world.run().counts.updated == 2
    assert len(active(world)) == PEOPLE


def test_what_takes_two_calls_is_ended_though_the_time_of_the_invocation_is_up_after_the_first(world: World) -> None:
    world.app = dataclasses.replace(world.app, invocation_seconds=0, checkpoint_seconds=0.01)
    world.control("PUT", "options", {"latency": 0.2})
    snapshot(world, *range(2, PEOPLE), 0, at=2)

    put_back = world.run()
    snapshot(world, *range(2, PEOPLE), at=3)
    deleted = world.run()

    assert (put_back.status, put_back.counts.updated) == ("succeeded", 1)
    assert (deleted.status, deleted.counts.removed) == ("succeeded", 1)
