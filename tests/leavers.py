"""An export that unsubscribes leavers, and its snapshots."""

from snapshots import put_snapshot
from world import SEGMENT, World, person

TABLE = SEGMENT.split("/")[1]
PEOPLE = 10


def email(number: int) -> str:
    return person(number)[1]


def emails(*numbers: int) -> set[str]:
    return {email(number) for number in numbers}


def snapshot(world: World, *numbers: int, at: int, more: str = "") -> None:
    put_snapshot(world, {TABLE: [person(number) for number in numbers]}, number=at, more=more)


def with_people(world: World) -> World:
    """PEOPLE are on the list, put there by an export that unsubscribes leavers."""
    world.clock.sleeps = False
    snapshot(world, *range(PEOPLE), at=0)
    world.save(removals="unsubscribe")
    world.run()
    return world
