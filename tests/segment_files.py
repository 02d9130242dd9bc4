"""Files of a segment in a container of their own, for tests of what is found there."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from world import COLUMNS, INSTANCE, SEGMENT, World

from shared.segments.snapshots import Snapshot, find

FOLDER, TABLE = SEGMENT.split("/")
AT = "2026/11/23/0900"


def found(world: World, segment: str = SEGMENT, *, later: timedelta = timedelta(hours=1), quiet: int = 5) -> Snapshot:
    """What is found ``later`` than now."""
    now = datetime.now(UTC) + later
    return find(world.app.segments, segment, now=now, quiet=timedelta(minutes=quiet))


def path(at: str = AT, number: int = 1, *, segment: str = SEGMENT, table: str = TABLE) -> str:
    return f"{segment}/{at}/{table}_{number}.csv"


def rooted(blob: str) -> str:
    """The path in the container."""
    return f"{INSTANCE}/{blob}"


@dataclass(frozen=True)
class ModelFile:
    """model.json in parts that a test can spoil: ``settings`` are fileFormatSettings, none when None."""

    locations: tuple[str | None, ...] = ()
    columns: tuple[str, ...] = COLUMNS
    name: str = TABLE
    settings: dict[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        partitions: list[dict[str, Any]] = [{"name": f"part{n}", "location": x} for n, x in enumerate(self.locations)]
        for partition in partitions:
            if self.settings is not None:
                partition["fileFormatSettings"] = self.settings
        attributes = [{"name": name, "dataType": "string"} for name in self.columns]
        entity = {"$type": "LocalEntity", "name": self.name, "attributes": attributes, "partitions": partitions}
        return {"name": "CI", "version": "1.0", "entities": [entity]}

    def text(self) -> str:
        return json.dumps(self.document())


def url(world: World, blob: str, *, host: str = "contoso.blob.core.windows.net") -> str:
    """The location of a blob as Customer Insights would write it."""
    return f"https://{host}/{world.segments.container_name}/{rooted(blob)}"


def names(snapshot: Snapshot) -> list[str]:
    return [partition.name for partition in snapshot.partitions]


def puts(world: World, *blobs: str) -> None:
    for blob in blobs:
        world.put(blob, "x\n")


def urls(world: World, blobs: Iterable[str]) -> tuple[str, ...]:
    return tuple(url(world, blob) for blob in blobs)
