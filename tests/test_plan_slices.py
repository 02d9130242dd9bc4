"""What is to be sent is cut into slices, in the order of the files, always in the same way."""

import pytest
from reading import partition, plan
from world import World, csv_rows, person

from shared.catalog.documents import Mapping
from shared.record.slices import Sizes

SIZES = Sizes()
EMAIL = Mapping(email="EMail")
PARTS = [partition(number, ("EMail",)) for number in (1, 2)]


def _rows(first: int, end: int) -> str:
    return "".join(f"{number}@example.com\n" for number in range(first, end))


@pytest.mark.parametrize(
    ("rows", "slices"),
    [
        (0, []),
        (1, [1]),
        (SIZES.first_slice - 1, [SIZES.first_slice - 1]),
        (SIZES.first_slice, [SIZES.first_slice]),
        (SIZES.first_slice + SIZES.rest, [SIZES.first_slice + SIZES.rest]),
        (SIZES.first_slice + SIZES.rest + 1, [SIZES.first_slice, SIZES.rest + 1]),
        (
            SIZES.first_slices * SIZES.first_slice + 2 * SIZES.slice + SIZES.batch,
            [*[SIZES.first_slice] * SIZES.first_slices, SIZES.slice, SIZES.slice + SIZES.batch],
        ),
    ],
)
def test_at_the_boundaries(rows: int, slices: list[int]) -> None:
    """In two partitions, of which the first ends in the middle of a slice."""
    half = rows // 2

    planned = plan(_rows(0, half), _rows(half, rows), mapping=EMAIL, parts=PARTS)

    assert planned.account.to_send == rows
    assert [len(slice_) for slice_ in planned.slices] == slices
    assert planned.emails == [f"{number}@example.com" for number in range(rows)]


@pytest.mark.parametrize(("rows", "batches"), [(1, 1), (999, 1), (1000, 1), (1001, 2), (48_000, 48)])
def test_batches_of_a_slice(rows: int, batches: int) -> None:
    assert SIZES.batches(rows) == batches


def test_planning_again_gives_the_same_slices() -> None:
    """A plan step may run twice: the slices of the second replace those of the first, number by number."""
    texts = [_rows(0, 30_000) + "bad\n" + _rows(0, 100), _rows(20_000, 70_000)]

    first, second = (plan(*texts, mapping=EMAIL, parts=PARTS) for _ in range(2))

    assert first == second
    assert len(first.slices) == 3


def test_the_run_tells_its_batches(world: World) -> None:
    world.put_rows(csv_rows(*(person(number) for number in range(1001))))
    world.save()

    run = world.run()

    assert (run.progress.batches, run.progress.done, run.counts.added) == (2, 2, 1001)
