"""What must be sent: what is not as it was acknowledged."""

from pathlib import Path

from shared.record.acknowledged import State
from shared.record.duckdb_workspace import Workspace

TABLES = """
CREATE TABLE acknowledged (address UHUGEINT, hash UBIGINT, state USMALLINT);
CREATE TABLE outbox (segment USMALLINT, partition USMALLINT, line UBIGINT, customer_id VARCHAR,
                     email VARCHAR, hash UBIGINT, body VARCHAR, before USMALLINT);
CREATE TABLE returners AS FROM outbox;
"""

# Without its hash a subscriber differs from what was acknowledged, whatever it is now.
_ACKNOWLEDGED = """
INSERT INTO acknowledged
SELECT md5_number(lower(email)), CASE WHEN $compared AND state <> $deleted THEN hash END, state FROM read_parquet($file)
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


class Changes:
    """Fills ``outbox``. ``acknowledged`` is its Parquet file, None where there is none yet; ``everything`` sends what
    is as it was acknowledged, too."""

    def __init__(self, work: Workspace, acknowledged: Path | None, *, everything: bool) -> None:
        self._work = work
        self._compares = acknowledged is not None
        work.connection.execute(TABLES)
        if acknowledged:
            known = {"file": str(acknowledged), "compared": not everything, "deleted": State.DELETED}
            work.connection.execute(_ACKNOWLEDGED, known)

    def send(self, those: str, place: tuple[int, int]) -> int:
        """``those`` is a query of profiles; returns how many of them must be sent."""
        different = self._work.count((_DIFFERENT if self._compares else _NEW).format(those=those), place)
        if self._compares:
            for statement in _HOLD_BACK:
                self._work.connection.execute(statement, [State.DELETED])
        return different

    def release_returners(self) -> None:
        """At the end: those who were held back."""
        self._work.connection.execute("INSERT INTO outbox FROM returners")
