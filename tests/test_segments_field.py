"""The names of the segments that a subscriber is in, in a field of the list that takes many options."""

import random
import uuid
from pathlib import Path
from typing import Any

import duckdb
import pytest
from snapshots import calls, names, put_snapshot
from world import FIELDS, MAPPING, World, person

from shared.record.blob_places import slice_name

SEGMENTS = ("Gold", 'Say "hi"', "Ąžuolas")
MANY = {"name": "Segments", "type": "MultiSelectMany", "options": [*SEGMENTS, "Other"]}


def email(number: int) -> str:
    return person(number)[1]


def snapshot(world: World, *members: list[int], at: int = 0) -> None:
    rows = {name: [person(number) for number in numbers] for name, numbers in zip(SEGMENTS, members, strict=False)}
    put_snapshot(world, rows, number=at)


def told(world: World) -> dict[str, list[str]]:
    """The names by address."""
    return {address: sorted(one["fields"].get("Segments", [])) for address, one in world.listed().items()}


def save(world: World, *segments: str, **mapping: Any) -> None:
    world.save(segments=names(*segments), mapping=MAPPING | {"segments_field": "[Segments]"} | mapping)


@pytest.fixture
def world(world: World) -> World:
    client = f"client-{world.list_id}"
    world.list_id = uuid.uuid4().hex
    world.control("POST", "lists", {"client_id": client, "id": world.list_id, "title": "B", "fields": [*FIELDS, MANY]})
    return world


@pytest.mark.parametrize("segments", [SEGMENTS[:1], SEGMENTS])
def test_each_subscriber_is_told_the_segments_that_it_is_in(world: World, segments: tuple[str, ...]) -> None:
    snapshot(world, [0, 1, 3], [1, 2, 1], [1])
    save(world, *segments)

    assert world.run().counts.refused == 0
    full = {email(0): ["Gold"], email(1): sorted(SEGMENTS), email(2): [SEGMENTS[1]], email(3): ["Gold"]}
    assert told(world) == (full if len(segments) > 1 else {email(number): ["Gold"] for number in (0, 1, 3)})
    assert world.listed()[email(0)]["fields"]["City"] == "Kaunas"
    assert world.run().counts.to_send == 0


def test_they_are_sent_in_the_order_of_the_files(world: World, tmp_path: Path) -> None:
    gold = random.Random(1).sample(range(20_000), 5_000)
    snapshot(world, gold, list(range(20_000)))
    save(world, *SEGMENTS[:2])

    run = world.run(dry_run=True)

    file = tmp_path / "slice.parquet"
    assert world.app.state.download(slice_name(run, 0), file)
    lines = [line for (line,) in duckdb.sql(f"SELECT line FROM '{file}' WHERE segment = 0").fetchall()]
    assert lines == list(range(1, 5_001))


def test_who_enters_or_leaves_one_of_the_segments_is_changed_and_others_are_not(world: World) -> None:
    snapshot(world, [0, 1, 2], [0], [3])
    save(world, *SEGMENTS)
    world.run()
    world.hold({"email": email(1), "fields": {"Segments": ["Gold", "Other"]}})
    snapshot(world, [0, 2], [1, 2], [3], at=1)

    run = world.run()

    assert (run.counts.updated, run.counts.unchanged) == (3, 1)
    assert told(world) == {
        email(0): ["Gold"],
        email(1): ["Other", SEGMENTS[1]],  # what somebody else has set stays
        email(2): ["Gold", SEGMENTS[1]],
        email(3): [SEGMENTS[2]],
    }


def test_a_field_of_another_name_written_in_any_way_is_found(world: World) -> None:
    snapshot(world, [0])
    save(world, "Gold", segments_field="segments")
    world.run()

    assert told(world) == {email(0): ["Gold"]}


@pytest.mark.parametrize(
    ("field", "segments", "code", "named"),
    [
        ("Segments", ("Gold", "Silver"), "options_missing", "Silver"),
        ("City", ("Gold",), "field_not_many", "City"),
        ("Groups", ("Gold",), "fields_missing", "Groups"),
        ("city ", ("Gold",), "field_twice", "City"),
    ],
)
def test_a_field_that_cannot_take_the_names_stops_the_run_before_anything_is_sent(
    world: World, field: str, segments: tuple[str, ...], code: str, named: str
) -> None:
    put_snapshot(world, {name: [person(0)] for name in segments})
    columns = MAPPING["custom_fields"] if code == "field_twice" else []
    save(world, *segments, segments_field=field, custom_fields=columns)

    run = world.run()

    assert run.error is not None
    assert (run.status, run.error.code) == ("failed", code)
    assert named in run.error.message
    assert calls(world) == []
