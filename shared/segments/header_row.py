"""The names of a segment's columns, where its files tell them: none of them is ever a cell of a profile."""

from collections.abc import Collection, Sequence

from shared.errors import SegmentError
from shared.ports.blobs import Blobs
from shared.segments.csv_layout import Layout
from shared.segments.csv_records import blocks
from shared.segments.snapshots import Partition, Snapshot


def columns(container: Blobs, snapshot: Snapshot, known: Collection[str] = ()) -> tuple[str, ...]:
    """The names of the columns by model.json; where it does not tell them those of the ``known`` ones that stand in the
    header row."""
    partition = snapshot.partitions[0]
    if partition.columns:
        return partition.columns
    where = f"{snapshot.segment}, {partition.name}"
    found: list[str] = []

    def look(first: list[str] | None) -> Layout:
        found.extend(header(partition, first, where, known) or () if known else ())
        return Layout(len(first or ("",)), header=True)

    cut = blocks(
        lambda: container.chunks(partition.path, partition.etag),
        partition.dialect,
        where,
        layout=look,
        gzipped=partition.gzipped,
        block_bytes=1,
    )
    next(iter(cut), None)
    return tuple(name for name in found if name in known)


def header(
    partition: Partition, first: Sequence[str] | None, where: str, known: Collection[str]
) -> tuple[str, ...] | None:
    """The names in the first record, whose cells are ``first``, as they are spelt in model.json or, where it does not
    tell them, among the ``known`` ones; None where it is no header. Raises SegmentError where there should be one: the
    record is a profile then, whose cells must not be shown."""
    told = partition.columns or ()
    names = [name.strip() for name in first or ()]
    if len(names) == len(told) + 1 and not names[-1]:
        names = names[:-1]
    spelt = {name.casefold(): name for name in (*known, *told)}
    if not partition.header:
        is_header = sorted(name.casefold() for name in names) == sorted(name.casefold() for name in told)
        return tuple(spelt[name.casefold()] for name in names) if is_header and first else None
    if first is None:
        raise SegmentError(
            "header_unreadable", f"{where}: the quotes of the header row do not pair.", "Export the segment again."
        )
    if not any(name.casefold() in spelt for name in names):
        said = "model.json announces" if told else "is needed where model.json does not tell the columns"
        raise SegmentError(
            "header_missing",
            f"{where} does not begin with a row of names, which {said}: none of its {len(names)} cells is the name of "
            "a column that is known.",
            "Run the export of Customer Insights again: it writes model.json. Or correct the mapping.",
        )
    return tuple(spelt.get(name.casefold(), name) for name in names)
