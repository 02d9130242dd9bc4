"""From segments to slices: every row is read, mapped, checked, compared, and counted exactly once.

A partition goes through DuckDB in blocks, so that neither the file nor its rows are ever held whole: what stays is a
number of 16 bytes for each address met, and what was acknowledged.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.catalog.documents import Mapping
from shared.plan import duplicates
from shared.plan.block_reader import BlockReader
from shared.plan.changes import Changes
from shared.plan.columns import PartitionColumns
from shared.plan.mapping import subscribers
from shared.ports.destination import Field
from shared.ports.threads import Threads, one_ahead
from shared.record.duckdb_workspace import Workspace
from shared.record.rejects import Reject
from shared.record.slices import Sizes
from shared.segments.csv_layout import Block, Dialect
from shared.segments.csv_records import BLOCK_BYTES, blocks
from shared.segments.snapshots import Partition, Snapshot

# segment and partition are positions in the run's list of snapshots.
_REJECTED = """
CREATE TABLE rejected (segment USMALLINT, partition USMALLINT, line UBIGINT, customer_id VARCHAR,
                       email VARCHAR, fault VARCHAR);
"""

_INVALID = """
INSERT INTO rejected
SELECT ?, ?, line, customer_id, email, fault FROM profiles WHERE fault IS NOT NULL
"""

_MALFORMED = """
INSERT INTO rejected
SELECT ?, ?, unnest(?::UBIGINT[]), NULL, NULL, unnest(?::VARCHAR[])
"""

_BEGINNING_BYTES = 64 * 1024


@dataclass(frozen=True)
class Planned:
    """What became of the rows: rows_read = malformed + invalid + duplicate + unchanged + to_send."""

    rows_read: int = 0
    malformed: int = 0
    invalid: int = 0
    duplicate: int = 0
    unchanged: int = 0
    to_send: int = 0

    @property
    def usable(self) -> int:
        return self.rows_read - self.malformed - self.invalid


class Planner:
    """Call ``read`` for each partition in order, then ``close``.

    ``slice_ready`` is called for each slice, with its number from 0 and a Parquet file of its rows: the columns of the
    table ``outbox``. ``acknowledged`` and ``everything`` are those of ``Changes``. ``complete`` is that of
    ``segment_options``: without it nothing is told of the segments of a subscriber.
    """

    def __init__(
        self,
        work: Workspace,
        mapping: Mapping,
        fields: dict[str, Field],
        *,
        threads: Threads,
        sizes: Sizes,
        acknowledged: Path | None,
        slice_ready: Callable[[int, Path], None],
        everything: bool = False,
        complete: Callable[[str], str] | None = None,
    ) -> None:
        self._work = work
        self._sql = work.connection.execute
        self._mapping = mapping if complete else mapping.model_copy(update={"segments_field": None})
        self._threads = threads
        self._sizes = sizes
        completed = complete or (lambda query: query)
        self._reader = BlockReader(
            work, lambda columns, source: completed(subscribers(self._mapping, columns, fields, source))
        )
        # The rows of a query stay in the order of the file, unless it joins them with others.
        self._all_profiles = "(FROM profiles ORDER BY line)" if complete else "profiles"
        self._slice_ready = slice_ready
        self.account = Planned()
        self.slices = 0
        self._sql(duplicates.TABLE)
        self._sql(_REJECTED)
        self._changes = Changes(work, acknowledged, everything=everything)

    def read(
        self, snapshot: Snapshot, place: tuple[int, int], chunks: Callable[[], Iterable[bytes]], *, at_most: int
    ) -> int:
        """Reads one partition (``place``: position of its segment, its position therein; ``chunks`` gives its bytes,
        each time from the beginning) and returns its rows. Beyond ``at_most`` rows they are counted and nothing else.

        Raises SegmentError where the partition lacks a column of the mapping, or its bytes cannot be read.
        """
        partition, rows = snapshot.partitions[place[1]], 0
        columns, cut = self._blocks(snapshot.segment, partition, chunks)
        # DuckDB works outside of Python's lock: the next block is read and cut meanwhile.
        for block in one_ahead(self._threads, cut):
            rows += block.rows
            if rows <= at_most:
                self._take(block, columns.names, partition.dialect, place)
        return rows

    def close(self) -> None:
        """Gives the last slices."""
        self._changes.release_returners()
        while waiting := self._waiting():
            self._give_slice(self._sizes.rows_of(self.slices, waiting))

    def rejects(self, snapshots: tuple[Snapshot, ...]) -> Iterator[Reject]:
        """Malformed, invalid and duplicate rows in the order of the files."""
        rows = self._sql("SELECT * FROM rejected ORDER BY segment, partition, line")
        while some := rows.fetchmany(10_000):
            for segment, partition, line, customer_id, email, fault in some:
                snapshot = snapshots[segment]
                reason, _, column = fault.partition(" ")
                name = snapshot.partitions[partition].name
                yield Reject(snapshot.segment, name, line, customer_id, email, reason, column)

    def read_beginning(
        self, snapshot: Snapshot, place: tuple[int, int], chunks: Callable[[], Iterable[bytes]], *, rows: int
    ) -> None:
        """The same of the first rows alone."""
        partition = snapshot.partitions[place[1]]
        columns, cut = self._blocks(snapshot.segment, partition, chunks, block_bytes=_BEGINNING_BYTES)
        for block in cut:
            some = block.first(rows)
            self._take(some, columns.names, partition.dialect, place)
            rows -= some.rows
            if not rows:
                break

    def _blocks(
        self,
        segment: str,
        partition: Partition,
        chunks: Callable[[], Iterable[bytes]],
        *,
        block_bytes: int = BLOCK_BYTES,
    ) -> tuple[PartitionColumns, Iterator[Block]]:
        where = f"{segment}, {partition.name}"
        columns = PartitionColumns(partition, self._mapping, where)
        dialect, gzipped = partition.dialect, partition.gzipped
        return columns, blocks(chunks, dialect, where, columns.layout, gzipped=gzipped, block_bytes=block_bytes)

    def _take(self, block: Block, columns: tuple[str, ...], dialect: Dialect, place: tuple[int, int]) -> None:
        unread = dict(block.spoilt)
        invalid = duplicate = first = to_send = 0
        if block.records:
            unread |= self._reader.read(block, columns, dialect)
            first = duplicates.find_first(self._work)
            those = self._all_profiles
            if first < len(block.records):
                invalid = self._work.count(_INVALID, place)
                duplicate = duplicates.reject_others(self._work, place)
                those = duplicates.WINNERS
            to_send = self._changes.send(those, place)
        if unread:
            self._sql(_MALFORMED, [*place, list(unread), list(unread.values())])
        account = self.account
        self.account = Planned(
            rows_read=account.rows_read + block.rows,
            malformed=account.malformed + len(unread),
            invalid=account.invalid + invalid,
            duplicate=account.duplicate + duplicate,
            unchanged=account.unchanged + first - to_send,
            to_send=account.to_send + to_send,
        )
        while (waiting := self._waiting()) > self._sizes.rows_of(self.slices, waiting):
            self._give_slice(self._sizes.rows_of(self.slices, waiting))

    def _waiting(self) -> int:
        return self._work.count("SELECT count(*) FROM outbox")

    def _give_slice(self, rows: int) -> None:
        file = self._work.folder / "slice.parquet"
        self._work.write_parquet(f"FROM outbox LIMIT {rows}", file)
        self._sql(f"CREATE OR REPLACE TABLE outbox AS FROM outbox OFFSET {rows}")
        self._slice_ready(self.slices, file)
        file.unlink()
        self.slices += 1
