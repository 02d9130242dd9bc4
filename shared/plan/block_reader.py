"""The cells of a block of records, read by DuckDB, and the records that it could not read."""

from collections.abc import Callable
from pathlib import Path

from shared.record.duckdb_workspace import Workspace, quoted
from shared.segments.csv_layout import Block, Dialect

_PROFILES = """
CREATE OR REPLACE TEMP TABLE profiles AS
SELECT *, md5_number(lower(email)) AS address, md5_number_lower(body) AS hash FROM
"""


class BlockReader:
    """``query`` makes of a source of cells (``reader``) one of profiles, for so many columns."""

    def __init__(self, work: Workspace, query: Callable[[tuple[str, ...], str], str]) -> None:
        self._work = work
        self._query = query

    def read(self, block: Block, columns: tuple[str, ...], dialect: Dialect) -> dict[int, str]:
        """Makes the table ``profiles``; returns the lines of the records that could not be read, with the reason."""
        if block.text is not None:
            source = reader(self._file(block.text), len(columns), dialect, first_line=block.records[0][0])
            if self._fill(source, columns) == len(block.records):
                return {}
            # Some were passed over without a word: rows that are not in UTF-8. Then those behind them were taken for
            # others, and all must be read again with their numbers.
        self._fill(reader(self._file(block.numbered(dialect.delimiter)), len(columns), dialect), columns)
        lines = {line for (line,) in self._work.connection.execute("SELECT line FROM profiles").fetchall()}
        return {line: "malformed" for line, _ in block.records if line not in lines}

    def _fill(self, source: str, columns: tuple[str, ...]) -> int:
        self._work.connection.execute(f"{_PROFILES} ({self._query(columns, source)})")
        return self._work.count("SELECT count(*) FROM profiles")

    def _file(self, text: bytes) -> Path:
        file = self._work.folder / "block.csv"
        file.write_bytes(text)
        return file


def reader(file: Path, columns: int, dialect: Dialect, *, first_line: int | None = None) -> str:
    """A table of ``line`` and the cells ``c0``, ``c1``, … of numbered records (``Block.numbered``); with ``first_line``
    of records without a number, of which the first is in that line and every other in the next one."""
    names = [f"'c{position}': 'VARCHAR'" for position in range(columns)]
    if first_line is None:
        names.insert(0, "'line': 'UBIGINT'")
    quote = "'\"'" if dialect.quoted else "''"
    table = f"""read_csv({quoted(str(file))}, columns = {{{", ".join(names)}}}, auto_detect = false, header = false,
        delim = {quoted(dialect.delimiter)}, quote = {quote}, escape = {quote}, new_line = '\\n',
        ignore_errors = true, parallel = false)"""
    # parallel = false keeps the rows in the order of the file.
    return table if first_line is None else f"(SELECT row_number() OVER () + {first_line - 1} AS line, * FROM {table})"  # noqa: S608
