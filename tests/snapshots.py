"""Snapshots of several segments, and what a run made of them: builders for tests of many runs of one export."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from world import COLUMNS, INSTANCE, World, csv_rows

FOLDER = "BlobExport"
_FIRST = datetime(2026, 11, 23, 9, tzinfo=UTC)


def put_snapshot(
    world: World, segments: Mapping[str, Iterable[Iterable[str]]], *, number: int = 0, more: str = ""
) -> None:
    """The snapshot ``number`` of each segment (name of its table, rows in the order of COLUMNS), a day after the one
    before; ``more`` is text behind the rows of the last."""
    at = f"{_FIRST + timedelta(days=number):%Y/%m/%d/%H%M}"
    entities = []
    for position, (table, rows) in enumerate(segments.items(), 1):
        text = csv_rows(*rows) + (more if position == len(segments) else "")
        path = f"{FOLDER}/{table}/{at}/{table}_1.csv"
        world.put(path, text)
        part = {"name": "part1", "location": f"{world.segments.url}/{INSTANCE}/{path}"}
        attributes = [{"name": name, "dataType": "string"} for name in COLUMNS]
        entities.append({"$type": "LocalEntity", "name": table, "attributes": attributes, "partitions": [part]})
    world.put(f"{FOLDER}/model.json", json.dumps({"name": "CI", "version": "1.0", "entities": entities}))


def names(*tables: str) -> list[str]:
    """As the segments of an export."""
    return [f"{FOLDER}/{table}" for table in tables]


def calls(world: World, list_id: str | None = None) -> list[dict[str, Any]]:
    """Every call to the list that changes subscribers, as the stand-in logged it, oldest first."""
    path = f"subscribers/{list_id or world.list_id}"
    logged: list[dict[str, Any]] = world.control("GET", f"log?path={path}").json()["calls"]
    return [one for one in logged if one["method"] != "GET"]


def active(world: World, list_id: str | None = None) -> set[str]:
    return {email for email, one in world.listed(list_id).items() if one["state"] == "Active"}
