"""The columns of a partition, and whether those that the mapping names are among them."""

from shared.catalog.documents import Mapping
from shared.errors import SegmentError
from shared.segments.csv_records import Block
from shared.segments.header_row import header
from shared.segments.snapshots import Partition


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
    if known:
        others = len(columns) - len(known)
        shown = ", ".join(known) + (f", and {others} that model.json does not tell" if others else "")
        return f"Its columns are: {shown}. Correct the mapping, or export the segment with the column."
    said = "which model.json announces as a row of names" if told else "and model.json does not tell the columns"
    return (
        f"Its first row holds none of the names, {said}. Run the export of Customer Insights again: it writes "
        "model.json. Or correct the mapping."
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
