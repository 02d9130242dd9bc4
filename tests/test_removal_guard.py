"""The guard: no snapshot that may not be whole empties a list."""

import pytest
from snapshots import active, calls, names, put_snapshot
from world import World, person

PEOPLE = 10


def email(number: int) -> str:
    return person(number)[1]


def snapshot(world: World, *numbers: int, at: int, second: tuple[int, ...] = (100,), more: str = "") -> None:
    """PEOPLE in the first segment, one more in the second."""
    rows = {"First": [person(number) for number in numbers], "Second": [person(number) for number in second]}
    put_snapshot(world, rows, number=at, more=more)


@pytest.fixture
def world(world: World) -> World:
    snapshot(world, *range(PEOPLE), at=0)
    save(world)
    world.run()
    return world


def save(world: World, **changes: object) -> None:
    world.save(removals="unsubscribe", segments=names("First", "Second"), **changes)


@pytest.mark.parametrize(
    ("percent", "leave", "goes"),
    [(20, 2, True), (20, 3, False), (30, 3, True), (0, 1, False), (100, 9, True)],
)
def test_more_leavers_than_the_export_allows_stop_the_run_with_the_others_sent(
    world: World, percent: int, leave: int, goes: bool
) -> None:
    save(world, max_removal_percent=percent)
    snapshot(world, *range(leave, PEOPLE), 50, at=1)

    run = world.run()

    assert (run.counts.added, run.counts.to_remove) == (1, leave)
    assert run.counts.removed == (leave if goes else 0)
    assert run.status == ("succeeded" if goes else "failed")
    assert (email(0) in active(world)) is not goes
    if not goes:
        assert run.error is not None
        assert run.error.code == "too_many_leavers"
        assert f"{leave} of the {PEOPLE + 1} subscribers" in run.error.message
        assert f"{percent}%" in run.error.message
        assert '{"confirm_removals": true}' in run.error.action


def test_the_next_run_is_stopped_too_until_one_is_confirmed(world: World) -> None:
    snapshot(world, *range(5, PEOPLE), at=1)
    assert world.run().status == "failed"
    again = world.run()
    assert (again.status, again.counts.unchanged) == ("failed", 6)

    run = world.run(confirm_removals=True)

    assert (run.status, run.confirm_removals, run.counts.removed) == ("succeeded", True, 5)
    assert active(world) == {email(number) for number in [*range(5, PEOPLE), 100]}


@pytest.mark.parametrize("more", ["", '"","","","","",""\n'], ids=["no rows", "no good rows"])
def test_an_empty_segment_stops_removals_whatever_the_percentage(world: World, more: str) -> None:
    save(world, max_removal_percent=100)
    snapshot(world, *range(PEOPLE), 50, second=(), at=1, more=more)

    run = world.run()

    assert (run.status, run.counts.added, run.counts.removed) == ("failed", 1, 0)
    assert run.error is not None
    assert run.error.code == "too_many_leavers"
    assert names("Second")[0] in run.error.message
    assert email(100) in active(world)


def test_a_list_is_never_emptied_by_empty_snapshots(world: World) -> None:
    save(world, max_removal_percent=100)
    snapshot(world, at=1, second=())
    before = len(calls(world))

    assert world.run().status == "failed"
    assert len(calls(world)) == before
    assert len(active(world)) == PEOPLE + 1


def test_an_empty_segment_that_nobody_has_left_is_no_matter(world: World) -> None:
    snapshot(world, *range(PEOPLE), 100, second=(), at=1)

    assert world.run().status == "succeeded"


def test_whom_the_export_did_not_add_counts_as_a_sign_too(world: World) -> None:
    """Half of the snapshot is missing, which shows only in those who would not be removed."""
    world.hold(*({"email": email(number)} for number in range(20, 60)))
    snapshot(world, *range(PEOPLE), *range(20, 60), at=1)
    world.run()
    snapshot(world, *range(1, PEOPLE), *range(20, 40), at=2)

    run = world.run()

    assert (run.status, run.counts.to_remove, run.counts.removed) == ("failed", 1, 0)


def test_a_dry_run_warns(world: World) -> None:
    snapshot(world, *range(5, PEOPLE), at=1)

    run = world.run(dry_run=True)

    assert run.status == "succeeded"
    assert [warning.code for warning in run.warnings] == ["too_many_leavers"]
