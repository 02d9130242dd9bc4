"""The newest dated folder wins: by its date, whatever else lies around, and without listing what is old."""

from datetime import UTC, datetime, timedelta

import pytest
from segment_files import found, names, path, puts
from world import INSTANCE, SEGMENT, World

from shared.errors import SegmentError
from shared.segments.snapshots import find
from shared.segments.snapshots import names as segment_names

OTHER_INSTANCE = "CustomerInsights_9a7b"

NEWEST = {
    "year": (["2025/12/31/2359", "2026/01/01/0000"], "2026/01/01/0000"),
    "month": (["2026/09/30/2359", "2026/10/01/0000"], "2026/10/01/0000"),
    "day": (["2026/11/09/2359", "2026/11/10/0000"], "2026/11/10/0000"),
    "minute": (["2026/11/23/0859", "2026/11/23/0900"], "2026/11/23/0900"),
    "a year without files": (["2026/11/23/0900", "2027/01/01/0000/sub.txt"], "2026/11/23/0900"),
    "only looks like a year": (["2026/11/23/0900", "20260/01/01/0000", "202/12/31/2359"], "2026/11/23/0900"),
    "no such month": (["2026/11/23/0900", "2026/13/01/0000"], "2026/11/23/0900"),
    "no such day": (["2026/11/23/0900", "2026/11/31/0000"], "2026/11/23/0900"),
    "no such minute": (["2026/11/23/0900", "2026/11/23/0960", "2026/11/23/2400"], "2026/11/23/0900"),
    "digits of another script": (["2026/11/23/0900", "٢٠٢٧/01/01/0000"], "2026/11/23/0900"),
    "words": (["2026/11/23/0900", "latest/01/01/0000", "2026/11/23/temp"], "2026/11/23/0900"),
}


@pytest.mark.parametrize(("folders", "newest"), NEWEST.values(), ids=NEWEST)
def test_newest_folder(world: World, folders: list[str], newest: str) -> None:
    for at in folders:
        puts(world, f"{SEGMENT}/{at}" if at.endswith(".txt") else path(at))

    snapshot = found(world)

    assert snapshot.path == f"{INSTANCE}/{SEGMENT}/{newest}"
    assert names(snapshot) == ["HighValueSegment_1.csv"]


def test_the_newest_of_several_instances(world: World) -> None:
    puts(world, path("2026/11/23/0900"))
    for at in ("2026/11/22/0900", "2026/11/23/0901"):
        world.segments.upload_blob(f"{OTHER_INSTANCE}/{path(at)}", b"x\n")
    world.segments.upload_blob(f"Somebody/{path('2027/01/01/0000')}", b"x\n")

    assert found(world).path == f"{OTHER_INSTANCE}/{SEGMENT}/2026/11/23/0901"


def test_partitions_come_in_the_order_of_their_numbers(world: World) -> None:
    puts(world, *(path(number=number) for number in (10, 2, 1)))

    assert names(found(world)) == ["HighValueSegment_1.csv", "HighValueSegment_2.csv", "HighValueSegment_10.csv"]


def test_many_old_folders_are_not_even_listed(world: World) -> None:
    asked: list[str] = []
    for day in range(1, 29):
        puts(world, path(f"2025/{1 + day % 12:02}/{day:02}/0900"))
    puts(world, path("2026/11/22/0900"), path("2026/11/23/0900"))
    folders = world.app.segments.folders

    class Watched:
        """The container, which remembers of what the folders were asked."""

        def folders(self, prefix: str) -> object:
            asked.append(prefix)
            return folders(prefix)

        def __getattr__(self, name: str) -> object:
            return getattr(world.app.segments, name)

    find(Watched(), SEGMENT, now=datetime.now(UTC), quiet=timedelta())  # type: ignore[arg-type]

    assert len(asked) == 5  # instances, years, months, days, minutes
    assert not any("/2025/" in prefix for prefix in asked)


def test_a_segment_that_is_not_there(world: World) -> None:
    puts(world, path())

    with pytest.raises(SegmentError, match="holds no snapshot of the segment BlobExport/Other") as raised:
        found(world, "BlobExport/Other")

    assert raised.value.code == "segment_not_found"


def test_the_segments_that_there_are(world: World) -> None:
    puts(world, path(), path(segment="BlobExport/Other"), path(segment="Second/Other", at="2025/01/01/0000"))
    puts(world, "BlobExport/NotASegment/readme.csv", "BlobExport/model.json")
    world.segments.upload_blob(f"{OTHER_INSTANCE}/{path()}", b"x\n")

    assert sorted(segment_names(world.app.segments)) == [
        "BlobExport/HighValueSegment",
        "BlobExport/Other",
        "Second/Other",
    ]
