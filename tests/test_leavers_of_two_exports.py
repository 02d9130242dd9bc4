"""Two exports to one list: nobody is removed whom the other one holds."""

from typing import Any

import pytest
from leavers import PEOPLE, TABLE, email, emails, with_people
from snapshots import active, names, put_snapshot
from world import World, person

from shared.record.run_record import Run
from shared.runs.start import start


@pytest.fixture
def world(world: World) -> World:
    return with_people(world)


@pytest.fixture
def other(world: World) -> dict[str, Any]:
    """It holds the first three as well; what it says of itself."""
    put_snapshot(world, {"Other": [person(number) for number in range(3)]}, number=0)
    return {"id": f"o-{world.id}", "segments": names("Other"), "removals": "unsubscribe"}


def run(world: World, other: dict[str, Any]) -> Run:
    export = world.save(**other)
    run, _ = start(world.app, export.id, "on-demand")
    world.pump()
    return world.app.runs.get(run.export, run.id)


def test_nobody_is_removed_whom_the_other_export_holds(world: World, other: dict[str, Any]) -> None:
    run(world, other)
    world.save(removals="unsubscribe", max_removal_percent=50)
    both(world, own=range(2, PEOPLE), others=range(3))

    assert world.run().counts.to_remove == 0
    assert active(world) == emails(*range(PEOPLE))


@pytest.mark.parametrize("change", [{"enabled": False}, {"list_id": "0" * 32}])
def test_an_export_that_is_disabled_or_has_turned_to_another_list_holds_nobody(
    world: World, other: dict[str, Any], change: dict[str, Any]
) -> None:
    run(world, other)
    world.save(**other | change)
    both(world, own=range(2, PEOPLE), others=range(3))

    assert world.run().counts.removed == 2


def test_whom_an_export_has_not_added_it_lets_go_and_the_other_one_removes(world: World, other: dict[str, Any]) -> None:
    run(world, other)
    both(world, own=range(1, PEOPLE), others=range(3))
    assert world.run().counts.to_remove == 0
    both(world, own=range(1, PEOPLE), others=range(1, 3))
    assert run(world, other | {"max_removal_percent": 50}).counts.removed == 0
    assert email(0) in active(world)

    assert world.run().counts.removed == 1
    assert email(0) not in active(world)


def both(world: World, *, own: range, others: range) -> None:
    """A snapshot of both exports' segments, a day after the last."""
    world.day = getattr(world, "day", 0) + 1  # type: ignore[attr-defined]
    rows = {TABLE: own, "Other": others}
    put_snapshot(
        world,
        {table: [person(number) for number in numbers] for table, numbers in rows.items()},
        number=world.day,  # type: ignore[attr-defined]
    )
