"""Only what changed is sent: what counts as a change, what does not, and how several segments are one list."""

import uuid
from typing import Any

import pytest
from snapshots import calls, names, put_snapshot
from world import FIELDS, MAPPING, SEGMENT, World, balances, person

from shared.checks.rehearsal import rehearse
from shared.record.slices import Sizes

PEOPLE = [person(number) for number in range(3)]
TABLE = SEGMENT.split("/")[1]


@pytest.fixture
def world(world: World) -> World:
    put_snapshot(world, {TABLE: PEOPLE})
    world.save()
    world.run()
    return world


@pytest.mark.parametrize("new_snapshot", [False, True])
def test_an_unchanged_snapshot_makes_no_import_call(world: World, new_snapshot: bool) -> None:
    if new_snapshot:
        put_snapshot(world, {TABLE: reversed(PEOPLE)}, number=1)

    run = world.run()

    assert run.status == "succeeded"
    assert (run.counts.unchanged, run.counts.to_send) == (3, 0)
    assert len(calls(world)) == 1


def test_only_the_subscribers_that_changed_are_sent_in_as_few_calls_as_it_takes(world: World) -> None:
    many = [person(number) for number in range(2 * Sizes().batch + 5)]
    put_snapshot(world, {TABLE: many}, number=1)
    world.run()
    changed = [person(number, City="Vilnius" if number % 2 else "Kaunas") for number in range(len(many))]
    put_snapshot(world, {TABLE: changed}, number=2)
    before = len(calls(world))

    run = world.run()

    assert (run.counts.updated, run.counts.unchanged) == (1002, 1003)
    assert sorted(call["rows"] for call in calls(world)[before:]) == [2, 1000]


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        ({}, 0),
        ({"mapping": MAPPING | {"first_name": None}}, 3),
        ({"mapping": MAPPING | {"custom_fields": MAPPING["custom_fields"][:1]}}, 3),  # type: ignore[index]
        ({"mapping": MAPPING | {"consent_to_track": "Yes"}}, 3),
        ({"mode": "everything"}, 3),
        ({"display_name": "Another name"}, 0),
        ({"schedule": "0 3 * * *"}, 0),
    ],
)
def test_what_changes_the_subscribers_sends_them_again(world: World, change: dict[str, Any], sent: int) -> None:
    world.save(**change)

    run = world.run()

    assert (run.counts.updated, run.counts.unchanged) == (sent, 3 - sent)
    assert balances(run)


def test_one_run_can_send_everything(world: World) -> None:
    assert world.run(mode="everything").counts.updated == 3
    assert world.run().counts.unchanged == 3


def test_another_list_begins_anew_and_the_first_list_is_remembered(world: World) -> None:
    other = uuid.uuid4().hex
    world.control(
        "POST", "lists", {"client_id": f"client-{world.list_id}", "id": other, "title": "B", "fields": FIELDS}
    )

    world.save(list_id=other)
    assert world.run().counts.added == 3
    assert world.run().counts.unchanged == 3

    world.save()
    assert world.run().counts.unchanged == 3
    assert world.listed(other).keys() == world.listed().keys()


def test_several_segments_are_one_list_and_the_first_in_the_configured_order_wins(world: World) -> None:
    put_snapshot(
        world,
        {
            "Old": [person(5, City="Vilnius"), person(6)],
            "New": [person(5, EMail="USER5@example.com", City="Kaunas"), person(7)],
        },
        number=1,
    )
    world.save(segments=names("New", "Old"))

    run = world.run()

    assert (run.counts.rows_read, run.counts.added, run.counts.duplicate) == (4, 3, 1)
    assert world.listed()["USER5@example.com"]["fields"]["City"] == "Kaunas"
    assert [row[:3] + row[4:6] for row in world.rejects(run)] == [
        [*names("Old"), "Old_1.csv", "1", "user5@example.com", "duplicate_email"]
    ]

    world.save(segments=names("Old", "New"))
    again = world.run()
    assert (again.counts.updated, again.counts.unchanged, again.counts.duplicate) == (1, 2, 1)
    assert world.listed()["USER5@example.com"]["fields"]["City"] == "Vilnius"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, {}),
        ({"resubscribe": True}, {"resubscribe": "also those who have unsubscribed"}),
        ({"removals": "delete", "max_removal_percent": 7}, {"removals": "deleted from the list, unless more than 7%"}),
    ],
)
def test_the_check_of_an_export_says_what_it_does_to_those_who_opted_out_or_left(
    world: World, settings: dict[str, Any], told: dict[str, str]
) -> None:
    checked = rehearse(world.app, world.save(**settings), create_fields=False)

    said = {one.what: one.message for one in checked.findings if one.what in ("resubscribe", "removals")}
    assert said.keys() == told.keys()
    assert all(told[what] in said[what] for what in told)
    assert checked.ok
