"""The columns of a partition, and whether those that the mapping names are among them."""

from collections.abc import Sequence

from shared.catalog.documents import Mapping
from shared.errors import SegmentError
from shared.segments.csv_layout import Layout
from shared.segments.header_row import header
from shared.segments.snapshots import Partition


class PartitionColumns:
    """``names`` are known when ``layout`` was asked."""

    def __init__(self, partition: Partition, mapping: Mapping, where: str) -> None:
        self.names: tuple[str, ...] = partition.columns or ()
        self._partition = partition
        self._mapping = mapping
        self._where = where

    def layout(self, first: Sequence[str] | None) -> Layout:
        """What the cells of the first record make of it. Raises SegmentError where a column of the mapping is missing,
        or a header row."""
        named = header(self._partition, first, self._where, self._mapping.columns())
        if named is not None:
            self.names = named
        must_have_columns(self._mapping, self.names, self._where, told=self._partition.columns or ())
        return Layout(len(self.names), self.names.index(self._mapping.email), header=named is not None)


def must_have_columns(mapping: Mapping, columns: tuple[str, ...], where: str, *, told: tuple[str, ...]) -> None:
    """Raises SegmentError where a column of the mapping is not there, or there twice. ``where`` begins the sentence.
    ``columns`` may be the cells of a first row that is a profile: shown are those alone that model.json has ``told``,
    or the mapping names."""
    missing = [column for column in mapping.columns() if column not in columns]
    twice = [column for column in mapping.columns() if columns.count(column) > 1]
    if missing or twice:
        what = f"has no column {', '.join(missing)}" if missing else f"has several columns {', '.join(twice)}"
        raise SegmentError(
            "columns_missing" if missing else "columns_ambiguous",
            f"{where} {what}, which the mapping of the export names.",
            _advice(mapping, columns, told=told),
        )


def _advice(mapping: Mapping, columns: tuple[str, ...], *, told: tuple[str, ...]) -> str:
    known = [column for column in columns if column in told or column in mapping.columns()]
    others = len(columns) - len(known)
    shown = ", ".join(known) + (f", and {others} that model.json does not tell" if others else "")
    return f"Its columns are: {shown}. Correct the mapping, or export the segment with the column."
