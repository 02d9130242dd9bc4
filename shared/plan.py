"""From segments to slices: every row is read, mapped, checked, compared, and counted exactly once.

A partition goes through DuckDB in blocks, so that neither the file nor its rows are ever held whole: what stays is a
number of 16 bytes for each address met, and what was acknowledged.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.acknowledged import State
from shared.ahead import one_ahead
from shared.catalog import Mapping
from shared.database import Workspace, quoted
from shared.errors import SegmentError
from shared.mapping import ListField, subscribers
from shared.records import Block, Dialect, blocks
from shared.rejects import Reject
from shared.segments import Partition, Snapshot, header
from shared.slices import rows_of

# segment and partition are positions in the run's list of snapshots; address is the md5 of an email in lower case.
_TABLES = """
CREATE TABLE seen (address UHUGEINT);
CREATE TABLE acknowledged (address UHUGEINT, hash UBIGINT, state USMALLINT);
CREATE TABLE outbox (segment USMALLINT, partition USMALLINT, line UBIGINT, customer_id VARCHAR,
                     email VARCHAR, hash UBIGINT, body VARCHAR, before USMALLINT);
CREATE TABLE returners AS FROM outbox;
CREATE TABLE rejected (segment USMALLINT, partition USMALLINT, line UBIGINT, customer_id VARCHAR,
                       email VARCHAR, fault VARCHAR);
"""

# Without its hash a subscriber differs from what was acknowledged, whatever it is now.
_ACKNOWLEDGED = """
INSERT INTO acknowledged
SELECT md5_number(lower(email)), CASE WHEN $compared AND state <> $deleted THEN hash END, state FROM read_parquet($file)
"""

_PROFILES = """
CREATE OR REPLACE TEMP TABLE profiles AS
SELECT *, md5_number(lower(email)) AS address, md5_number_lower(body) AS hash FROM
"""

# Among the valid rows of one address the first in the order of the files wins.
_FIRST = """
CREATE OR REPLACE TEMP VIEW addressed AS FROM profiles WHERE fault IS NULL;

CREATE OR REPLACE TEMP TABLE first AS
SELECT min(line) AS line, address FROM addressed ANTI JOIN seen USING (address) GROUP BY address;

INSERT INTO seen SELECT address FROM first;
"""

_INVALID = """
INSERT INTO rejected
SELECT ?, ?, line, customer_id, email, fault FROM profiles WHERE fault IS NOT NULL
"""

_DUPLICATE = """
INSERT INTO rejected
SELECT ?, ?, line, customer_id, email, 'duplicate_email' FROM addressed ANTI JOIN first USING (line)
"""

_NEW = """
INSERT INTO outbox
SELECT ?, ?, line, customer_id, email, hash, body, NULL FROM {those}
"""

_DIFFERENT = """
INSERT INTO outbox
SELECT ?, ?, n.line, n.customer_id, n.email, n.hash, n.body, a.state
FROM {those} AS n LEFT JOIN acknowledged AS a USING (address)
WHERE a.hash IS DISTINCT FROM n.hash
ORDER BY n.line
"""

# Those who may have to be sent a second time come last, so that few batches hold them.
_HOLD_BACK = (
    "INSERT INTO returners FROM outbox WHERE before = ?",
    "DELETE FROM outbox WHERE before = ?",
)

_MALFORMED = """
INSERT INTO rejected
SELECT ?, ?, unnest(?::UBIGINT[]), NULL, NULL, unnest(?::VARCHAR[])
"""


@dataclass(frozen=True)
class Account:
    """rows_read = malformed + invalid + duplicate + unchanged + to_send."""

    rows_read: int = 0
    malformed: int = 0
    invalid: int = 0
    duplicate: int = 0
    unchanged: int = 0
    to_send: int = 0

    @property
    def usable(self) -> int:
        return self.rows_read - self.malformed - self.invalid


class Plan:
    """Call ``read`` for each partition in order, then ``close``.

    ``slice_ready`` is called for each slice, with its number from 0 and a Parquet file of its rows: the
    columns of the table ``outbox``. ``acknowledged`` is its Parquet file, None where there is none yet; ``everything``
    sends what is as it was acknowledged, too. ``complete`` is that of ``membership``: without it nothing is told of the
    segments of a subscriber.
    """

    def __init__(
        self,
        work: Workspace,
        mapping: Mapping,
        fields: dict[str, ListField],
        *,
        acknowledged: Path | None,
        slice_ready: Callable[[int, Path], None],
        everything: bool = False,
        complete: Callable[[str], str] | None = None,
    ) -> None:
        self._work = work
        self._sql = work.connection.execute
        self._mapping = mapping if complete else mapping.model_copy(update={"segments_field": None})
        self._complete = complete or (lambda query: query)
        # The rows of a query stay in the order of the file, unless it joins them with others.
        self._profiles_in_order = "(FROM profiles ORDER BY line)" if complete else "profiles"
        self._fields = fields
        self._slice_ready = slice_ready
        self.account = Account()
        self.slices = 0
        self._compares = acknowledged is not None
        self._sql(_TABLES)
        if acknowledged:
            known = {"file": str(acknowledged), "compared": not everything, "deleted": State.DELETED}
            self._sql(_ACKNOWLEDGED, known)

    def read(self, snapshot: Snapshot, place: tuple[int, int], chunks: Iterable[bytes], *, at_most: int) -> int:
        """Reads one partition (``place``: position of its segment, its position therein) and returns its rows. Beyond
        ``at_most`` rows they are counted and nothing else.

        Raises SegmentError where the partition lacks a column of the mapping, or its bytes cannot be read.
        """
        partition = snapshot.partitions[place[1]]
        where = f"{snapshot.segment}, {partition.name}"
        columns: tuple[str, ...] | None = None
        rows = 0
        wide = None if partition.header or partition.columns is None else len(partition.columns)
        cut = blocks(chunks, partition.dialect, where, columns=wide, gzipped=partition.gzipped)
        # DuckDB works outside of Python's lock: the next block is read and cut meanwhile.
        for whole in one_ahead(cut):
            block = whole
            if columns is None and block.rows:
                columns, block = _columns(partition, block, where)
                must_have_columns(self._mapping, columns, where)
            rows += block.rows
            if rows <= at_most:
                self._take(block, columns or (), partition.dialect, place)
        return rows

    def close(self) -> None:
        """Gives the last slices."""
        self._sql("INSERT INTO outbox FROM returners")
        while waiting := self._waiting():
            self._give_slice(rows_of(self.slices, waiting))

    def rejects(self, snapshots: tuple[Snapshot, ...]) -> Iterator[Reject]:
        """Malformed, invalid and duplicate rows in the order of the files."""
        rows = self._sql("SELECT * FROM rejected ORDER BY segment, partition, line")
        while some := rows.fetchmany(10_000):
            for segment, partition, line, customer_id, email, fault in some:
                snapshot = snapshots[segment]
                reason, _, column = fault.partition(" ")
                name = snapshot.partitions[partition].name
                yield Reject(snapshot.segment, name, line, customer_id, email, reason, column)

    def _take(self, block: Block, columns: tuple[str, ...], dialect: Dialect, place: tuple[int, int]) -> None:
        unread = dict.fromkeys(block.broken, "malformed_quotes")
        invalid = duplicate = first = to_send = 0
        if block.records:
            unread |= self._profiles(block, columns, dialect)
            self._sql(_FIRST)
            first = self._count("SELECT count(*) FROM first")
            those = self._profiles_in_order
            if first < len(block.records):
                invalid = self._count(_INVALID, place)
                duplicate = self._count(_DUPLICATE, place)
                those = "(FROM addressed SEMI JOIN first USING (line) ORDER BY line)"
            to_send = self._count((_DIFFERENT if self._compares else _NEW).format(those=those), place)
            if self._compares:
                for statement in _HOLD_BACK:
                    self._sql(statement, [State.DELETED])
        if unread:
            self._sql(_MALFORMED, [*place, list(unread), list(unread.values())])
        account = self.account
        self.account = Account(
            rows_read=account.rows_read + block.rows,
            malformed=account.malformed + len(unread),
            invalid=account.invalid + invalid,
            duplicate=account.duplicate + duplicate,
            unchanged=account.unchanged + first - to_send,
            to_send=account.to_send + to_send,
        )
        while (waiting := self._waiting()) > rows_of(self.slices, waiting):
            self._give_slice(rows_of(self.slices, waiting))

    def _profiles(self, block: Block, columns: tuple[str, ...], dialect: Dialect) -> dict[int, str]:
        """Makes the table ``profiles``; returns the lines of the records that could not be read, with the reason."""
        if block.text is not None:
            query = reader(self._block_file(block.text), len(columns), dialect, first_line=block.records[0][0])
            if self._read_profiles(query, columns) == len(block.records):
                return {}
            # Some were passed over without a word: rows with too few or too many cells, or not in UTF-8. Then those
            # behind them were taken for others, and all must be read again with their numbers.
        query = reader(self._block_file(block.numbered(dialect.delimiter)), len(columns), dialect)
        self._read_profiles(query, columns)
        lines = {line for (line,) in self._sql("SELECT line FROM profiles").fetchall()}
        return {
            line: "malformed" if len(dialect.cells(record)) == len(columns) else "malformed_columns"
            for line, record in block.records
            if line not in lines
        }

    def _block_file(self, text: bytes) -> Path:
        file = self._work.folder / "block.csv"
        file.write_bytes(text)
        return file

    def _read_profiles(self, source: str, columns: tuple[str, ...]) -> int:
        self._sql(_PROFILES + f"({self._complete(subscribers(self._mapping, columns, self._fields, source))})")
        return self._count("SELECT count(*) FROM profiles")

    def _count(self, statement: str, place: tuple[int, ...] = ()) -> int:
        ((count,),) = self._sql(statement, list(place)).fetchall()
        return int(count)

    def _waiting(self) -> int:
        return self._count("SELECT count(*) FROM outbox")

    def _give_slice(self, rows: int) -> None:
        file = self._work.folder / "slice.parquet"
        self._work.write_parquet(f"FROM outbox LIMIT {rows}", file)
        self._sql(f"CREATE OR REPLACE TABLE outbox AS FROM outbox OFFSET {rows}")
        self._slice_ready(self.slices, file)
        file.unlink()
        self.slices += 1


def must_have_columns(mapping: Mapping, columns: tuple[str, ...], where: str) -> None:
    """Raises SegmentError where a column of the mapping is not there, or there twice. ``where`` begins the sentence."""
    missing = [column for column in mapping.columns() if column not in columns]
    twice = [column for column in mapping.columns() if columns.count(column) > 1]
    if missing or twice:
        what = f"has no column {', '.join(missing)}" if missing else f"has several columns {', '.join(twice)}"
        raise SegmentError(
            "columns_missing" if missing else "columns_ambiguous",
            f"{where} {what}, which the mapping of the export names.",
            f"Its columns are: {', '.join(columns)}. Correct the mapping, or export the segment with the column.",
        )


def _columns(partition: Partition, block: Block, where: str) -> tuple[tuple[str, ...], Block]:
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
