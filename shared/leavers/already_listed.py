"""Who of those that an export sends for the first time is on the list already: it never removes them."""

from collections.abc import Callable
from itertools import batched
from pathlib import Path

from shared.ports.destination import Destination
from shared.ports.list_reading import pages
from shared.ports.threads import Threads, each
from shared.record.acknowledged import HELD
from shared.record.duckdb_workspace import Workspace, quoted

_READINGS = 2
_ASKED_BETWEEN_LOOKS = 100

_TABLES = """
CREATE TABLE newcomers (address VARCHAR, email VARCHAR);
CREATE TABLE there_before (address VARCHAR);
"""

_NEWCOMERS = """
INSERT INTO newcomers
SELECT md5(lower(email)), email FROM read_parquet($file)
WHERE NOT coalesce(list_contains($held, before), false)
"""

_FOUND = """
INSERT INTO there_before
FROM (SELECT md5(lower(unnest($emails::VARCHAR[]))) AS address) SEMI JOIN newcomers USING (address)
"""


class Newcomers:
    """Call ``add`` for each slice of subscribers, then ``there_before``."""

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._sql = work.connection.execute
        self._folder = work.folder
        self._sql(_TABLES)

    def add(self, slice_: Path) -> None:
        self._sql(_NEWCOMERS, {"file": str(slice_), "held": list(HELD)})

    def there_before(
        self, account: Destination, list_id: str, threads: Threads, *, at_once: int, still: Callable[[], None]
    ) -> Path | None:
        """Asks the service who of them is active now: each one by itself or the whole list, whichever takes fewer
        calls. Gives a Parquet file with the md5 of their addresses, or None where there are none.

        ``still`` is called now and then, to raise what ends the reading.
        """
        newcomers = self._work.count("SELECT count(*) FROM newcomers")
        if not newcomers:
            return None
        if newcomers < account.page(list_id, "active", 1).pages:
            self._ask_for_each(account, list_id, threads, at_once, still)
        else:
            self._read_list(account, list_id, threads, at_once, still)
        if not self._work.count("SELECT count(*) FROM there_before"):
            return None
        file = self._work.folder / "there-before.parquet"
        self._sql(f"COPY there_before TO {quoted(str(file))} (FORMAT parquet)")
        return file

    def _ask_for_each(
        self, account: Destination, list_id: str, threads: Threads, at_once: int, still: Callable[[], None]
    ) -> None:
        emails = [email for (email,) in self._sql("SELECT email FROM newcomers").fetchall()]
        for some in batched(emails, _ASKED_BETWEEN_LOOKS, strict=False):
            still()
            states = each(threads, lambda email: account.state_of(list_id, email), some, at_once=at_once)
            self._found([email for email, state in zip(some, states, strict=True) if state == "Active"])

    def _read_list(
        self, account: Destination, list_id: str, threads: Threads, at_once: int, still: Callable[[], None]
    ) -> None:
        """Once more, when the list changed in the meantime: somebody may have slipped from one page to the other."""
        for _ in range(_READINGS):
            totals = set()
            for one in pages(account, list_id, "active", threads, at_once=at_once, still=still):
                totals.add(one.total)
                self._found([str(member["EmailAddress"]) for member in one.members])
            if len(totals) == 1:
                return

    def _found(self, emails: list[str]) -> None:
        self._sql(_FOUND, {"emails": emails})
