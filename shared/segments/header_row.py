"""The names of a segment's columns, where its files tell them."""

import re

from shared.errors import SegmentError
from shared.ports.blobs import Blobs
from shared.segments.csv_records import blocks
from shared.segments.snapshots import Partition, Snapshot

# An address, a number, a date or an id; and a whole row, whose delimiter nobody has told.
_NOT_A_NAME = re.compile(r".*[@;|\t].*|[-+0-9.:/ TZ]*[0-9][-+0-9.:/ TZ]*|[0-9a-fA-F-]{16,}")


def columns(container: Blobs, snapshot: Snapshot) -> tuple[str, ...]:
    """The names of the columns; of the header row where model.json does not tell them."""
    partition = snapshot.partitions[0]
    if partition.columns:
        return partition.columns
    where = f"{snapshot.segment}, {partition.name}"
    chunks = container.chunks(partition.path, partition.etag)
    for block in blocks(chunks, partition.dialect, where, gzipped=partition.gzipped, block_bytes=1):
        if block.records:
            return header(partition, block.records[0][1], where)
    return ()


def header(partition: Partition, record: bytes, where: str) -> tuple[str, ...]:
    """The names in a header row. Raises SegmentError where model.json does not tell the columns and the row is none: it
    would be a profile, whose cells must not be shown as names."""
    names = tuple(cell.strip() for cell in partition.dialect.cells(record))
    if not partition.columns and any(_NOT_A_NAME.fullmatch(name) for name in names):
        raise SegmentError(
            "header_missing",
            f"{where} does not begin with a row of names, and model.json does not tell the columns.",
            "Run the export of Customer Insights again: it writes model.json, which tells them.",
        )
    return names
