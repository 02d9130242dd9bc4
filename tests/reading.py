"""Partitions without a storage account: text in, account, subscribers and rejects out."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from shared.azure.system_threads import SystemThreads
from shared.catalog.documents import Mapping
from shared.plan.planner import Planned as Account
from shared.plan.planner import Planner
from shared.ports.blobs import Blobs
from shared.ports.destination import Field
from shared.record.duckdb_workspace import workspace
from shared.record.rejects import Reject
from shared.record.slices import Sizes
from shared.segments.csv_layout import Dialect
from shared.segments.snapshots import Partition, Snapshot

TABLE = "HighValueSegment"
COLUMNS = ("CustomerId", "EMail", "City")
MAPPING = Mapping.model_validate({"email": "EMail", "custom_fields": [{"key": "City", "column": "City"}]})
FIELDS = {"city": Field("City", "Text")}


@dataclass(frozen=True)
class Planned:
    account: Account
    slices: list[list[dict[str, Any]]]  # subscribers, as they are sent
    rejects: list[Reject]

    @property
    def subscribers(self) -> list[dict[str, Any]]:
        return [one for slice_ in self.slices for one in slice_]

    @property
    def emails(self) -> list[str]:
        return [one["EmailAddress"] for one in self.subscribers]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        """Line and reason of each reject."""
        return [(one.line, one.reason) for one in self.rejects]

    @property
    def faults(self) -> list[str]:
        """Reason and column of each reject."""
        return [f"{one.reason} {one.column}".strip() for one in self.rejects]


def partition(
    number: int = 1,
    columns: tuple[str, ...] | None = COLUMNS,
    *,
    header: bool | None = False,
    dialect: Dialect | None = None,
    suffix: str = ".csv",
) -> Partition:
    name = f"BlobExport/{TABLE}/2026/11/23/0900/{TABLE}_{number}{suffix}"
    return Partition(name, f"etag-{number}", 0, columns, header, dialect or Dialect())


def snapshot(*partitions: Partition, segment: str = f"BlobExport/{TABLE}") -> Snapshot:
    return Snapshot(segment, f"{segment}/2026/11/23/0900", partitions, datetime(2026, 11, 23, 9, tzinfo=UTC))


def plan(
    *files: str | bytes,
    mapping: Mapping = MAPPING,
    fields: dict[str, Field] = FIELDS,
    parts: Sequence[Partition] = (),
    at_most: int = 1_000_000,
) -> Planned:
    """One partition for each file; ``parts`` where they are not those of COLUMNS without a header row."""
    every = parts or [partition(number) for number in range(1, len(files) + 1)]
    return plan_segments([(snapshot(*every), files)], mapping=mapping, fields=fields, at_most=at_most)


def plan_segments(
    segments: Iterable[tuple[Snapshot, Sequence[str | bytes]]],
    *,
    mapping: Mapping = MAPPING,
    fields: dict[str, Field] = FIELDS,
    at_most: int = 1_000_000,
) -> Planned:
    slices: list[list[dict[str, Any]]] = []
    snapshots = []
    with workspace() as work:

        def keep(number: int, file: Path) -> None:
            assert number == len(slices)
            rows = work.connection.execute("SELECT body FROM read_parquet(?)", [str(file)]).fetchall()
            slices.append([json.loads(body) for (body,) in rows])

        planned = Planner(
            work,
            mapping,
            fields,
            threads=SystemThreads(),
            sizes=Sizes(),
            acknowledged=None,
            slice_ready=keep,
        )
        for position, (one, files) in enumerate(segments):
            snapshots.append(one)
            for number, text in enumerate(files):
                data = text.encode() if isinstance(text, str) else text
                planned.read(one, (position, number), partial(sizes, data, 1 << 20), at_most=at_most)
        planned.close()
        return Planned(planned.account, slices, list(planned.rejects(tuple(snapshots))))


def plan_snapshot(
    container: Blobs, one: Snapshot, *, mapping: Mapping = MAPPING, fields: dict[str, Field] = FIELDS
) -> Planned:
    """The files as they are in the container."""
    files = [b"".join(container.chunks(part.path, part.etag)) for part in one.partitions]
    return plan_segments([(one, files)], mapping=mapping, fields=fields)


def lines(*rows: Iterable[str], quoting: int = csv.QUOTE_MINIMAL) -> str:
    """Rows as CSV."""
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()


def sizes(data: bytes, size: int) -> Iterator[bytes]:
    """``data`` in chunks of ``size`` bytes."""
    return (data[at : at + size] for at in range(0, len(data), size))
