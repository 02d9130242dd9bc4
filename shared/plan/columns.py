"""The columns of a partition, and whether those that the mapping names are among them."""

from shared.catalog.documents import Mapping
from shared.errors import SegmentError
from shared.segments.csv_records import Block
from shared.segments.header_row import header
from shared.segments.snapshots import Partition


def must_have_columns(mapping: Mapping, columns: tuple[str, ...], where: str, *, told: bool) -> None:
    """Raises SegmentError where a column of the mapping is not there, or there twice. ``where`` begins the sentence.
    Where model.json has not ``told`` the columns, they are the cells of a first row: it may be a profile, unless one of
    them is a name that the mapping knows, and a profile is not shown."""
    missing = [column for column in mapping.columns() if column not in columns]
    twice = [column for column in mapping.columns() if columns.count(column) > 1]
    if missing or twice:
        what = f"has no column {', '.join(missing)}" if missing else f"has several columns {', '.join(twice)}"
        raise SegmentError(
            "columns_missing" if missing else "columns_ambiguous",
            f"{where} {what}, which the mapping of the export names.",
            _advice(mapping, columns, told=told),
        )


def _advice(mapping: Mapping, columns: tuple[str, ...], *, told: bool) -> str:
    if told or set(mapping.columns()) & set(columns):
        return f"Its columns are: {', '.join(columns)}. Correct the mapping, or export the segment with the column."
    return (
        "Its first row holds none of the names, and model.json does not tell the columns. Run the export of Customer "
        "Insights again: it writes model.json. Or correct the mapping."
    )


def partition_columns(partition: Partition, block: Block, where: str) -> tuple[tuple[str, ...], Block]:
    """The names of the columns, and the block without the header row, if there is one."""
    known = partition.columns or ()
    line, record = block.records[0] if block.records else (block.broken[-1] + 1, b"")
    if partition.header and block.broken and block.broken[0] < line:
        raise SegmentError(
            "header_unreadable",
            f"{where}: the quotes of the header row do not pair.",
            "Export the segment again.",
        )
    names = header(partition, record, where)
    if partition.header or [name.casefold() for name in names] == [name.casefold() for name in known]:
        # The spelling of model.json is the one that can be known before there is a file.
        spelt = {name.casefold(): name for name in known}
        columns = tuple(spelt.get(name.casefold(), name) for name in names)
        return columns, block.without_first()
    return known, block
