"""Leavers are removed: those whom this export added, whom nobody else holds, and nobody in any doubt."""

import logging
import uuid
from contextlib import closing

import pytest
from leavers import PEOPLE, TABLE, email, emails, snapshot, with_people
from snapshots import active, calls, put_snapshot
from world import FIELDS, MAPPING, World, balances, person

from shared.errors import DestinationError
from shared.ports.destination import NOT_IN_LIST
from shared.record.batch_results import BatchResult, SliceResult
from shared.runs.cancel import cancel


@pytest.fixture
def world(world: World) -> World:
    return with_people(world)


@pytest.mark.parametrize(
    ("removals", "state", "made"),
    [("keep", "Active", []), ("unsubscribe", "Unsubscribed", ["POST"]), ("delete", "Deleted", ["DELETE"])],
)
def test_a_leaver_is_removed_as_the_export_says_with_one_call(
    world: World, removals: str, state: str, made: list[str]
) -> None:
    world.save(removals=removals)
    before = len(calls(world))
    snapshot(world, *range(1, PEOPLE), at=1)

    run = world.run()

    assert run.status == "succeeded"
    assert (run.counts.to_remove, run.counts.removed) == (len(made), len(made))
    assert world.listed()[email(0)]["state"] == state
    assert active(world) >= emails(*range(1, PEOPLE))
    assert [call["method"] for call in calls(world)[before:]] == made
    assert balances(run)

    again = world.run()
    assert (again.counts.to_remove, again.counts.unchanged) == (0, PEOPLE - 1)
    assert len(calls(world)) == before + len(made)


def test_an_address_with_a_plus_is_removed_and_not_its_neighbour(world: World) -> None:
    world.save(removals="delete")
    plus = [person(20, EMail="a+b@example.com"), person(21, EMail="a b@example.com".replace(" ", "")), person(22)]
    everybody = [person(number) for number in range(PEOPLE)]
    put_snapshot(world, {TABLE: everybody + plus}, number=1)
    world.run()
    put_snapshot(world, {TABLE: everybody + plus[1:]}, number=2)

    assert world.run().counts.removed == 1
    assert world.listed()["a+b@example.com"]["state"] == "Deleted"
    assert "ab@example.com" in active(world)


@pytest.mark.parametrize("removals", ["unsubscribe", "delete"])
def test_whoever_was_on_the_list_before_is_never_removed(world: World, removals: str) -> None:
    """Also when the same import call added others."""
    world.save(removals=removals)
    world.hold({"email": email(10).upper(), "state": "Active"})
    snapshot(world, *range(12), at=1)
    assert (counts := world.run().counts).added == 1
    assert counts.updated == 1
    snapshot(world, *range(10), at=2)

    run = world.run()

    assert run.counts.removed == 1
    assert active(world) == emails(*range(10)) | {email(10).upper()}


def test_those_on_a_long_list_before_are_known_by_asking_for_each_newcomer(world: World) -> None:
    world.hold(*({"email": f"old{number}@example.com"} for number in range(3000)), {"email": email(11)})
    snapshot(world, *range(12), at=1)
    world.run()
    snapshot(world, *range(10), at=2)

    assert world.run().counts.removed == 1
    assert email(11) in active(world)
    assert email(10) not in active(world)


def test_what_an_export_that_keeps_leavers_added_can_be_told_from_the_answer_to_a_whole_call(world: World) -> None:
    """Its list is not read. Added in a call without anybody else on the list: removed later. In doubt: not."""
    world.save(removals="keep")
    snapshot(world, *range(12), at=1)
    world.run()
    world.hold({"email": email(12)})
    snapshot(world, *range(14), at=2)
    world.run()
    world.save(removals="unsubscribe", max_removal_percent=50)
    snapshot(world, *range(10), at=3)

    assert world.run().counts.removed == 2
    assert active(world) == emails(*range(10), 12, 13)


def test_an_address_in_a_row_that_is_turned_down_has_not_left(world: World) -> None:
    bad = person(0, BirthDate="yesterday")
    put_snapshot(world, {TABLE: [bad, *(person(number) for number in range(1, PEOPLE))]}, number=1)

    run = world.run()

    assert (run.counts.invalid, run.counts.to_remove) == (1, 0)
    assert email(0) in active(world)


def test_with_a_row_that_cannot_be_read_nobody_is_removed_unless_that_is_confirmed(world: World) -> None:
    snapshot(world, *range(1, PEOPLE + 1), at=1, more="one,two\n")

    run = world.run()

    assert run.status == "completed_with_rejects"
    assert [warning.code for warning in run.warnings] == ["leavers_uncertain"]
    assert (run.counts.added, run.counts.to_remove, run.counts.removed) == (1, 1, 0)

    assert world.run(confirm_removals=True).counts.removed == 1
    assert active(world) == emails(*range(1, PEOPLE + 1))


def test_a_dry_run_and_a_cancelled_run_remove_nobody(world: World) -> None:
    snapshot(world, *range(1, PEOPLE), at=1)

    dry = world.run(dry_run=True)
    assert (dry.status, dry.counts.to_remove, dry.counts.removed) == ("succeeded", 1, 0)

    run = world.start()
    world.pump(1)
    cancel(world.app, run.export, run.id)
    world.pump_until_ended(run)
    cancelled = world.app.runs.get(run.export, run.id)
    assert (cancelled.status, cancelled.counts.to_remove, cancelled.counts.removed) == ("cancelled", 1, 0)
    assert active(world) == emails(*range(PEOPLE))


def test_nobody_is_removed_before_everybody_is_sent(world: World) -> None:
    snapshot(world, *range(1, PEOPLE), 99, at=1)
    world.faults({"kind": "500", "calls": list(range(1, 1000))})

    run = world.run()

    assert run.status == "failed"
    assert (run.counts.unsent, run.counts.removed) == (1, 0)
    assert email(0) in active(world)


def test_one_who_has_unsubscribed_already_counts_as_removed(world: World) -> None:
    """Code 203."""
    world.hold({"email": email(0), "state": "Unsubscribed"})
    snapshot(world, *range(1, PEOPLE), at=1)

    assert (counts := world.run().counts).removed == 1
    assert counts.not_removed == 0


def test_one_who_opted_out_is_not_deleted_so_that_this_stays_known(world: World) -> None:
    world.save(removals="delete", max_removal_percent=100)
    states = ["Unsubscribed", "Bounced", "Unconfirmed", "Deleted"]
    world.hold(*({"email": email(number), "state": state} for number, state in enumerate(states)))
    snapshot(world, *range(len(states), PEOPLE), at=1)

    assert world.run().counts.removed == len(states)
    assert [world.listed()[email(number)]["state"] for number in range(len(states))] == [
        "Unsubscribed",
        "Bounced",
        "Deleted",
        "Deleted",
    ]


def test_whom_the_service_does_not_remove_is_a_reject_and_has_another_turn_in_the_next_run(world: World) -> None:
    snapshot(world, *range(2, PEOPLE), at=1)
    run = world.start()
    world.pump(1)
    answer = SliceResult(batches=2, done={0: BatchResult(not_removed=400)})
    world.app.results(world.app.runs.get(run.export, run.id)).save(0, answer)

    world.pump()

    run = world.app.runs.get(run.export, run.id)
    assert run.status == "completed_with_rejects"
    assert (run.counts.to_remove, run.counts.removed, run.counts.not_removed) == (2, 1, 1)
    assert [row[3:6] for row in world.rejects(run)] == [["", email(0), "not_removed_400"]]

    assert world.run().counts.removed == 1
    assert active(world) == emails(*range(2, PEOPLE))


@pytest.mark.parametrize("remove", ["unsubscribe", "delete"])
def test_the_code_of_one_row_is_an_answer_and_that_of_the_key_or_the_list_ends_the_run(
    world: World, remove: str
) -> None:
    with closing(world.app.account(world.app.catalog.connection(f"c-{world.id}"))) as account:
        assert getattr(account, remove)(world.list_id, "nobody@example.com") == NOT_IN_LIST
        assert account.state_of(world.list_id, "nobody@example.com") is None
        with pytest.raises(DestinationError, match="list_not_found"):
            getattr(account, remove)("0" * 32, email(0))
        world.control("POST", "reset")
        with pytest.raises(DestinationError, match="key_rejected"):
            getattr(account, remove)(world.list_id, email(0))


def test_what_the_service_cannot_read_is_a_code(world: World) -> None:
    with closing(world.app.account(world.app.catalog.connection(f"c-{world.id}"))) as account:
        assert account.unsubscribe(world.list_id, ["no text"]) == 400  # type: ignore[arg-type]


def test_a_service_that_fails_now_and_then_costs_nobody(world: World) -> None:
    world.save(removals="delete", max_removal_percent=100)
    faults = [("503", "before"), ("504", "after"), ("reset", "after")]
    often = {"probability": 0.15, "path": f"subscribers/{world.list_id}", "method": "DELETE"}
    rules = [{"kind": kind, "when": when} | often for kind, when in faults]
    world.control("PUT", "faults", {"seed": 3, "rules": rules})
    snapshot(world, 0, at=1)

    run = world.run()

    assert (run.status, run.counts.removed) == ("succeeded", PEOPLE - 1)
    assert active(world) == emails(0)


def test_a_list_that_is_changed_while_a_run_waits_loses_nobody(world: World) -> None:
    other = uuid.uuid4().hex
    second = {"client_id": f"client-{world.list_id}", "id": other, "title": "B", "fields": FIELDS}
    world.control("POST", "lists", second)
    world.control("PUT", "subscribers", {"list_id": other, "subscribers": [{"email": email(0)}]})
    snapshot(world, *range(1, PEOPLE), at=1)
    run = world.start()
    world.pump(1)

    world.save(removals="unsubscribe", list_id=other, mapping=MAPPING)
    world.pump()

    run = world.app.runs.get(run.export, run.id)
    assert run.error is not None
    assert (run.status, run.error.code) == ("failed", "export_changed")
    assert email(0) in active(world, other)
    assert email(0) in active(world)


def test_no_log_holds_the_address_of_a_leaver(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It stands in the query of the calls that look at a leaver and delete one, and of those that fail."""
    caplog.set_level(logging.DEBUG)
    world.save(removals="delete")
    world.control("PUT", "faults", {"seed": 1, "rules": [{"kind": "reset", "calls": [1, 2], "path": "subscribers"}]})
    snapshot(world, *range(1, PEOPLE), at=1)

    assert world.run().counts.removed == 1
    assert f"/subscribers/{world.list_id}.json" in caplog.text
    assert email(0).partition("@")[0] not in caplog.text
