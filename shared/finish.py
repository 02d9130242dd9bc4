"""The end of a run: what was confirmed becomes acknowledged, what was refused becomes rejects."""

from collections.abc import Iterator
from pathlib import Path

from shared.database import Workspace, quoted
from shared.rejects import Reject
from shared.results import SliceResult
from shared.runs import Run
from shared.slices import BATCH_ROWS

# Refusals for the subscriber's state (204 to 208) or address (1) are remembered with the hash of what was refused, so
# that it is not offered again before it changes. state is 0 for what was confirmed, else the code.
REMEMBERED = (1, 204, 205, 206, 207, 208)

_TABLES = """
CREATE TABLE answered (email VARCHAR, hash UBIGINT, state USMALLINT);
CREATE TABLE refused (segment USMALLINT, partition USMALLINT, line UBIGINT, customer_id VARCHAR, email VARCHAR,
                      code USMALLINT);
"""

_ROWS = """
CREATE OR REPLACE TEMP TABLE rows AS
SELECT s.* EXCLUDE (body, file_row_number), file_row_number AS row, r.code
FROM read_parquet(?, file_row_number = true) AS s
LEFT JOIN (SELECT unnest(?::UBIGINT[]) AS row, unnest(?::USMALLINT[]) AS code) AS r ON r.row = s.file_row_number
WHERE list_contains(?::UBIGINT[], s.file_row_number // ?);
"""

_ANSWERED = """
INSERT INTO answered SELECT email, hash, coalesce(code, 0) FROM rows WHERE code IS NULL OR list_contains(?, code)
"""

_REFUSED = """
INSERT INTO refused SELECT segment, partition, line, customer_id, email, code FROM rows WHERE code IS NOT NULL
"""

# What was acknowledged before, of those that were not answered anew.
_KEPT = """
INSERT INTO answered
SELECT b.email, b.hash, b.state FROM read_parquet(?) AS b ANTI JOIN answered AS a ON lower(a.email) = lower(b.email)
"""


class Finish:
    """Call ``add`` for each slice that has a result; then ``merge`` and ``rejects`` give what came of them."""

    def __init__(self, work: Workspace) -> None:
        self._sql = work.connection.execute
        self._folder = work.folder
        self._nameless: list[int] = []
        self._sql(_TABLES)

    def add(self, slice_: bytes, result: SliceResult) -> None:
        """``slice_`` is the Parquet file of the plan; rows of batches that are not done are passed over."""
        file = self._folder / "slice.parquet"
        file.write_bytes(slice_)
        refused = [pair for batch in result.done.values() for pair in batch.refused]
        named = [(row, code) for row, code in refused if row is not None]
        self._nameless += [code for row, code in refused if row is None]
        rows, codes = [row for row, _ in named], [code for _, code in named]
        self._sql(_ROWS, [str(file), rows, codes, list(result.done), BATCH_ROWS])
        self._sql(_ANSWERED, [list(REMEMBERED)])
        self._sql(_REFUSED)
        file.unlink()

    def merge(self, before: Path | None) -> Path:
        """The new acknowledged file (email, hash, state), from the one before and what was answered now."""
        if before:
            self._sql(_KEPT, [str(before)])
        file = self._folder / "acknowledged.parquet"
        self._sql(f"COPY answered TO {quoted(str(file))} (FORMAT parquet, COMPRESSION zstd)")
        return file

    def rejects(self, run: Run) -> Iterator[Reject]:
        """Those that Campaign Monitor refused, in the order of the files."""
        rows = self._sql("SELECT * FROM refused ORDER BY segment, partition, line")
        while some := rows.fetchmany(10_000):
            for segment, partition, line, customer_id, email, code in some:
                name = run.snapshots[segment].segment
                yield Reject(name, run.partitions[segment][partition], line, customer_id, email, f"refused_{code}")
        for code in self._nameless:
            yield Reject("", "", 0, None, None, f"refused_{code}")
