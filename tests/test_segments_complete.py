"""A snapshot is complete when all partitions that model.json lists for it are there, and none of its files is young."""

from datetime import timedelta

import pytest
from segment_files import ModelFile, found, names, path, puts, urls
from world import World

from shared.errors import SegmentError
from shared.segments.snapshots import find

OLD, NEW = "2026/11/22/0900", "2026/11/23/0900"
MODEL = "BlobExport/model.json"


def test_one_that_lacks_a_partition_gives_way_to_an_older_one(world: World) -> None:
    puts(world, path(OLD), path(NEW))
    world.put(MODEL, ModelFile(urls(world, [path(NEW), path(NEW, 2)])).text())

    assert found(world).path.endswith(OLD)


def test_what_lacks_is_named_where_there_is_no_older_one(world: World) -> None:
    puts(world, path(NEW, 2))
    world.put(MODEL, ModelFile(urls(world, [path(NEW, number) for number in (1, 2, 3)])).text())

    with pytest.raises(SegmentError) as raised:
        found(world)

    assert raised.value.code == "snapshot_incomplete"
    assert f"{NEW} lacks HighValueSegment_1.csv, HighValueSegment_3.csv." in raised.value.message


def test_a_partition_that_arrives_completes_it(world: World) -> None:
    puts(world, path(OLD), path(NEW))
    world.put(MODEL, ModelFile(urls(world, [path(NEW), path(NEW, 2)])).text())
    puts(world, path(NEW, 2))

    assert found(world).path.endswith(NEW)
    assert names(found(world)) == ["HighValueSegment_1.csv", "HighValueSegment_2.csv"]


def test_one_that_is_young_may_still_be_written(world: World) -> None:
    puts(world, path(NEW))

    with pytest.raises(SegmentError, match=rf"{NEW} was written to \d+ s ago") as raised:
        found(world, later=timedelta(minutes=4))

    assert raised.value.code == "snapshot_incomplete"
    assert found(world, later=timedelta(minutes=6)).path.endswith(NEW)


def test_one_that_is_young_gives_way_to_an_older_one(world: World) -> None:
    puts(world, path(OLD))
    old = found(world).written_at
    new = old
    while new == old:  # the storage says when in whole seconds
        puts(world, path(NEW))
        new = found(world).written_at

    snapshot = find(world.app.segments, "BlobExport/HighValueSegment", now=new, quiet=new - old)

    assert snapshot.path.endswith(OLD)


def test_a_file_that_model_json_does_not_list_is_no_partition(world: World) -> None:
    puts(world, path(NEW), path(NEW, 2))
    world.put(MODEL, ModelFile(urls(world, [path(NEW)])).text())

    assert names(found(world)) == ["HighValueSegment_1.csv"]
