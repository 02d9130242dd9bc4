"""A partition is read as it was found: one that changes or goes in the meantime ends the run, and nothing is sent."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from segment_files import path, rooted
from world import World, balances, csv_rows, person

from shared.azure.blob_storage import BlobStorage
from shared.errors import Changed
from shared.ports.blobs import CHUNK_BYTES

SECOND = path(number=2)
GOOD = csv_rows(*(person(number) for number in range(10)))
LARGE = csv_rows(*(person(number, City="x" * 240) for number in range(CHUNK_BYTES // 250)))


class Disturbed(BlobStorage):
    """Something happens to the files while partition 2 is read: before its first chunk, or behind it."""

    disturb: Callable[[], object]
    after_chunks: int

    def chunks(self, name: str, etag: str | None = None) -> Iterator[bytes]:
        if not name.endswith("_2.csv"):
            yield from super().chunks(name, etag)
            return
        if self.after_chunks == 0:
            self.disturb()
        for number, chunk in enumerate(super().chunks(name, etag), 1):
            yield chunk
            if number == self.after_chunks:
                self.disturb()


def disturbed(world: World, disturb: Callable[[], object], after_chunks: int) -> Disturbed:
    container = Disturbed(world.app.settings.segment_storage, world.segments.container_name)
    container.disturb, container.after_chunks = disturb, after_chunks
    return container


def _written_anew(world: World) -> None:
    world.put(SECOND, GOOD)


def _deleted(world: World) -> None:
    world.segments.delete_blob(rooted(SECOND))


@pytest.mark.parametrize("happens", [_written_anew, _deleted])
@pytest.mark.parametrize("after_chunks", [0, 1])
def test_the_run_fails_and_nothing_is_sent(world: World, happens: Callable[[World], None], after_chunks: int) -> None:
    world.put_rows(GOOD, LARGE)
    world.save()
    whole = world.app
    world.app = replace(whole, segments=disturbed(world, lambda: happens(world), after_chunks))

    run = world.run()

    assert run.status == "failed"
    assert run.error
    assert run.error.code == "snapshot_changed"
    assert "HighValueSegment_2.csv" in run.error.message
    assert "Nothing was sent" in run.error.action
    assert balances(run)
    assert not world.listed()

    world.put_rows(GOOD, GOOD)
    world.app = whole
    assert world.run().counts.added == 10


def test_a_large_partition_is_read_in_chunks_of_one_version(world: World) -> None:
    world.put_rows(GOOD, LARGE)
    name = rooted(SECOND)
    etag = world.segments.get_blob_client(name).get_blob_properties().etag
    chunks = world.app.segments.chunks(name, etag)

    assert len(next(chunks)) <= CHUNK_BYTES < len(LARGE.encode())
    _written_anew(world)
    with pytest.raises(Changed):
        list(chunks)
