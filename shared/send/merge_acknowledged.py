"""The end of a run: what was confirmed becomes acknowledged, what was refused becomes rejects."""

from collections.abc import Iterator
from pathlib import Path

from shared.ports.destination import ADDRESS_REFUSED, BOUNCED, DELETED, SUPPRESSED, UNCONFIRMED, UNSUBSCRIBED
from shared.record.acknowledged import HELD, State
from shared.record.batch_results import SliceResult
from shared.record.duckdb_workspace import Workspace, quoted
from shared.record.rejects import Reject
from shared.record.run_record import Run

# Refusals for the subscriber's state (204 to 208) or address (1) are remembered with the hash of what was refused, so
# that it is not offered again before it changes.
REMEMBERED = (ADDRESS_REFUSED, SUPPRESSED, DELETED, UNSUBSCRIBED, BOUNCED, UNCONFIRMED)

_TABLES = """
CREATE TABLE there_before (address VARCHAR);
CREATE TABLE answered (email VARCHAR, hash UBIGINT, state USMALLINT);
CREATE TABLE let_go (email VARCHAR);
CREATE TABLE refused (segment USMALLINT, partition USMALLINT, line UBIGINT, customer_id VARCHAR, email VARCHAR,
                      code USMALLINT);
CREATE TABLE not_removed (email VARCHAR, code USMALLINT);
"""

_ROWS = """
CREATE OR REPLACE TEMP TABLE rows AS
SELECT s.segment, s.partition, s.line, s.customer_id, s.email, s.hash, s.before,
       s.file_row_number // $batch_rows AS batch, r.code,
       r.code IS NULL AND coalesce(list_contains($held, s.before), false) AS was_held
FROM read_parquet($file, file_row_number = true) AS s
LEFT JOIN (SELECT unnest($rows::UBIGINT[]) AS row, unnest($codes::USMALLINT[]) AS code) AS r
       ON r.row = s.file_row_number
ANTI JOIN (SELECT unnest($unanswered::UBIGINT[]) AS row) AS u ON u.row = s.file_row_number
WHERE list_contains($batches::UBIGINT[], s.file_row_number // $batch_rows)
"""

# Which rows of a batch were new, the service does not say, only how many were not. So either the list was read before,
# or that number tells: none at all, or just those that this export knew to be on the list.
_ANSWERED = """
INSERT INTO answered
WITH told AS (
  SELECT batch, any_value(u.updated) = 0 OR any_value(u.updated) = count(*) FILTER (was_held) AS new
  FROM rows
  JOIN (SELECT unnest($batches::UBIGINT[]) AS batch, unnest($updated::UBIGINT[]) AS updated) AS u USING (batch)
  GROUP BY batch
)
SELECT email, hash, CASE
    WHEN code IS NOT NULL THEN code
    WHEN list_contains($held, before) THEN before
    WHEN if($list_was_read, md5(lower(email)) NOT IN (FROM there_before), new) THEN $added
    ELSE $confirmed END
FROM rows JOIN told USING (batch)
WHERE code IS NULL OR list_contains($remembered, code)
"""

_REFUSED = """
INSERT INTO refused SELECT segment, partition, line, customer_id, email, code FROM rows WHERE code IS NOT NULL
"""

_LEAVERS = """
CREATE OR REPLACE TEMP TABLE leavers AS
SELECT s.email, r.deleted, r.code
FROM read_parquet($file, file_row_number = true) AS s
JOIN (SELECT unnest($rows::UBIGINT[]) AS row, unnest($deleted::BOOLEAN[]) AS deleted,
             unnest($codes::USMALLINT[]) AS code) AS r ON r.row = s.file_row_number
"""

# Who may be put back is remembered; of the others nothing is.
_GONE = """
INSERT INTO let_go SELECT email FROM leavers WHERE code IS NULL;
INSERT INTO not_removed SELECT email, code FROM leavers WHERE code IS NOT NULL
"""

_DELETED = "INSERT INTO answered SELECT email, 0, ? FROM leavers WHERE deleted"

# What was acknowledged before, of those that were not answered anew, and what was answered. A column of a newer version
# stays with the former, and is null for the latter.
_MERGED = """
SELECT b.* FROM read_parquet({before}) AS b
ANTI JOIN answered AS a ON lower(a.email) = lower(b.email)
ANTI JOIN let_go AS g ON g.email = b.email
UNION ALL BY NAME FROM answered
"""


class Confirmation:
    """Call ``add`` and ``add_leavers`` for each slice that has a result; then ``merge`` and ``rejects`` give what came
    of them.

    ``there_before`` is the Parquet file of those newcomers (md5 of the address) who were on the list before anything
    was sent; ``list_was_read`` is whether that was looked up.
    """

    def __init__(
        self, work: Workspace, *, batch_rows: int, list_was_read: bool, there_before: Path | None = None
    ) -> None:
        self._work = work
        self._sql = work.connection.execute
        self._batch_rows = batch_rows
        self._list_was_read = list_was_read
        self._nameless: list[int] = []
        self._sql(_TABLES)
        if there_before:
            self._sql("INSERT INTO there_before SELECT address FROM read_parquet(?)", [str(there_before)])

    def add(self, slice_: bytes, result: SliceResult) -> None:
        """``slice_`` is the Parquet file of the plan; rows without an answer are passed over."""
        file = self._file(slice_)
        answered = result.answered
        refused = [pair for batch in answered.values() for pair in batch.refused]
        named = [(row, code) for row, code in refused if row is not None]
        self._nameless += [code for row, code in refused if row is None]
        unanswered = [row for batch in answered.values() for row in batch.unanswered]
        batches = {"batches": list(answered), "batch_rows": self._batch_rows, "unanswered": unanswered}
        failures = {"rows": [row for row, _ in named], "codes": [code for _, code in named]}
        self._sql(_ROWS, {"file": str(file), "held": list(HELD)} | batches | failures)
        self._sql(
            _ANSWERED,
            {
                "batches": list(answered),
                "updated": [batch.updated for batch in answered.values()],
                "held": list(HELD),
                "added": State.ADDED,
                "confirmed": State.CONFIRMED,
                "list_was_read": self._list_was_read,
                "remembered": list(REMEMBERED),
            },
        )
        self._sql(_REFUSED)
        file.unlink()

    def add_leavers(self, slice_: bytes, result: SliceResult) -> None:
        """As ``add``, for a slice of leavers."""
        file = self._file(slice_)
        done = result.done
        columns = {
            "rows": list(done),
            "deleted": [bool(one.deleted) for one in done.values()],
            "codes": [one.not_removed for one in done.values()],
        }
        self._sql(_LEAVERS, {"file": str(file)} | columns)
        self._sql(_GONE)
        self._sql(_DELETED, [State.DELETED])
        file.unlink()

    def merge(self, before: Path | None) -> Path:
        """The new acknowledged file, from the one before and what was answered now."""
        merged = _MERGED.format(before=quoted(str(before))) if before else "FROM answered"
        file = self._work.folder / "acknowledged.parquet"
        self._work.write_parquet(merged, file)
        return file

    def rejects(self, run: Run) -> Iterator[Reject]:
        """Those that Campaign Monitor refused, in the order of the files; then those that it did not remove."""
        rows = self._sql("SELECT * FROM refused ORDER BY segment, partition, line")
        while some := rows.fetchmany(10_000):
            for segment, partition, line, customer_id, email, code in some:
                name = run.snapshots[segment].segment
                yield Reject(name, run.partitions[segment][partition], line, customer_id, email, f"refused_{code}")
        for code in self._nameless:
            yield Reject("", "", 0, None, None, f"refused_{code}")
        for email, code in self._sql("SELECT email, code FROM not_removed ORDER BY email").fetchall():
            yield Reject("", "", 0, None, email, f"not_removed_{code}")

    def _file(self, slice_: bytes) -> Path:
        file = self._work.folder / "slice.parquet"
        file.write_bytes(slice_)
        return file
