"""What keeps a run from acknowledging: a file that somebody deleted, a storage that never gives another."""

from typing import Any

import pytest
from memory_world import EXPORT, MemoryWorld
from world import balances, csv_rows, person

from shared.errors import TemporaryError
from shared.record.blob_places import slice_name


@pytest.mark.parametrize("gone", [0, 1])
def test_what_was_confirmed_of_the_other_slices_is_acknowledged(gone: int) -> None:
    world = MemoryWorld()
    world.put_rows(csv_rows(*(person(number) for number in range(60))), at="2026/11/23/0900")
    world.save(schedule=None)
    run = world.start()
    while '"finish"' not in world.queue.lying()[0].text:
        world.pump(1)
    run = world.app.runs.get(EXPORT, run.id)
    assert run.slices > 1
    world.state.delete(slice_name(run, gone))

    world.pump()

    run = world.app.runs.get(EXPORT, run.id)
    assert (run.status, run.error and run.error.code) == ("failed", "slice_missing")
    assert run.counts.added == 60
    assert balances(run)
    again = world.run()
    assert (again.status, again.counts.unchanged > 0, again.counts.updated < 60) == ("succeeded", True, True)
    assert again.counts.unchanged + again.counts.updated == 60


class WithoutDownloads:
    """Blobs that cannot be downloaded."""

    def __init__(self, blobs: object) -> None:
        self._blobs = blobs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)

    def download(self, *_: object) -> None:
        raise TemporaryError("storage_unavailable", "The storage does not answer.", "Try again later.")


def test_a_run_that_ends_without_acknowledging_does_not_say_that_what_was_confirmed_is_kept() -> None:
    world = MemoryWorld()
    world.put_rows(csv_rows(*(person(number) for number in range(3))), at="2026/11/23/0900")
    world.save(schedule=None)
    run = world.start()
    while '"finish"' not in world.queue.lying()[0].text:
        world.pump(1)

    world.pump(app=world.new_app(state=WithoutDownloads(world.state)))

    run = world.app.runs.get(EXPORT, run.id)
    assert run.error and run.error.code == "storage_unavailable"
    assert "could not be acknowledged" in run.error.action
    assert (run.counts.added, balances(run)) == (3, True)
    assert world.run().counts.updated == 3
