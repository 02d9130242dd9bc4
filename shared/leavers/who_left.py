"""Who was acknowledged and has left the segments of an export."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from shared.record.acknowledged import HELD, State
from shared.record.duckdb_workspace import Workspace

# After planning: the tables of the plan are there. An address in a row that was turned down is still in the segment.
_TABLES = """
CREATE TABLE elsewhere (address UHUGEINT);
CREATE TABLE leavers (email VARCHAR, added BOOLEAN, elsewhere BOOLEAN)
"""

_ELSEWHERE = """
INSERT INTO elsewhere
SELECT md5_number(lower(email)) FROM read_parquet($file) WHERE list_contains($held, state)
"""

_LEAVERS = """
INSERT INTO leavers
WITH gone AS (
  FROM (SELECT address, state FROM acknowledged WHERE list_contains($held, state))
  ANTI JOIN seen USING (address)
  ANTI JOIN (SELECT md5_number(lower(email)) AS address FROM rejected WHERE email IS NOT NULL) USING (address)
)
SELECT b.email, gone.state = $added, gone.address IN (FROM elsewhere)
FROM read_parquet($file) AS b JOIN gone ON gone.address = md5_number(lower(b.email))
"""

_COUNTS = """
SELECT (SELECT count(*) FROM acknowledged WHERE list_contains($held, state) AND address NOT IN (FROM elsewhere)),
       count(*) FILTER (NOT elsewhere),
       count(*) FILTER (added AND NOT elsewhere)
FROM leavers
"""

# Those whom this export did not add are let go, and those whom another export holds too, unless this one added them:
# they are its to remove when the other has let them go.
_SLICE = """
SELECT email, added FROM leavers WHERE NOT (added AND elsewhere)
ORDER BY added DESC, email LIMIT {rows} OFFSET {begin}
"""


@dataclass(frozen=True)
class Departure:
    """How many subscribers the export holds alone, how many of these have left, and how many of those it would remove:
    the ones that it added."""

    held: int
    left: int
    to_remove: int


class Leavers:
    """``before`` is the acknowledged file of the export, ``others`` are those of other exports to the same list."""

    def __init__(self, work: Workspace, before: Path | None, others: Iterable[Path]) -> None:
        self._work = work
        self._sql = work.connection.execute
        self._sql(_TABLES)
        held = list(HELD)
        for other in others:
            self._sql(_ELSEWHERE, {"file": str(other), "held": held})
        if before:
            self._sql(_LEAVERS, {"file": str(before), "held": held, "added": State.ADDED})
        self.departure = Departure(*map(int, self._sql(_COUNTS, {"held": held}).fetchall()[0]))

    def give_slices(self, first: int, rows: int, slice_ready: Callable[[int, Path], None]) -> tuple[int, int]:
        """Calls ``slice_ready`` with each slice of so many ``rows``, numbered from ``first``, as a Parquet file;
        returns how many slices and how many leavers there are."""
        leavers = self._work.count("SELECT count(*) FROM leavers WHERE NOT (added AND elsewhere)")
        file = self._work.folder / "slice.parquet"
        starts = range(0, leavers, rows)
        for number, begin in enumerate(starts, first):
            query = _SLICE.format(rows=rows, begin=begin)
            self._work.write_parquet(query, file)
            slice_ready(number, file)
            file.unlink()
        return len(starts), leavers
