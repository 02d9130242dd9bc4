"""Who of those that an export sends for the first time is on the list already: it never removes them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from pathlib import Path

from shared.acknowledged import HELD
from shared.campaign_monitor import CampaignMonitor
from shared.database import Workspace, quoted
from shared.members import page, pages, state_of

_READINGS = 2

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
        self._sql = work.connection.execute
        self._folder = work.folder
        self._sql(_TABLES)

    def add(self, slice_: Path) -> None:
        self._sql(_NEWCOMERS, {"file": str(slice_), "held": list(HELD)})

    def there_before(
        self, client: CampaignMonitor, list_id: str, *, at_once: int, still: Callable[[], None]
    ) -> Path | None:
        """Asks the service who of them is active now: each one by itself or the whole list, whichever takes fewer
        calls. Gives a Parquet file with the md5 of their addresses, or None where there are none.

        ``still`` is called now and then, to raise what ends the reading.
        """
        ((newcomers,),) = self._sql("SELECT count(*) FROM newcomers").fetchall()
        if not newcomers:
            return None
        with ThreadPoolExecutor(at_once) as pool:
            if newcomers < page(client, list_id, "active", 1).pages:
                self._ask_for_each(client, list_id, pool, still)
            else:
                self._read_list(client, list_id, pool, still)
        ((found,),) = self._sql("SELECT count(*) FROM there_before").fetchall()
        if not found:
            return None
        file = self._folder / "there-before.parquet"
        self._sql(f"COPY there_before TO {quoted(str(file))} (FORMAT parquet)")
        return file

    def _ask_for_each(
        self, client: CampaignMonitor, list_id: str, pool: ThreadPoolExecutor, still: Callable[[], None]
    ) -> None:
        emails = [email for (email,) in self._sql("SELECT email FROM newcomers").fetchall()]
        for some in batched(emails, 100, strict=False):
            still()
            states = pool.map(lambda email: state_of(client, list_id, email), some)
            self._found([email for email, state in zip(some, states, strict=True) if state == "Active"])

    def _read_list(
        self, client: CampaignMonitor, list_id: str, pool: ThreadPoolExecutor, still: Callable[[], None]
    ) -> None:
        """Once more, when the list changed in the meantime: somebody may have slipped from one page to the other."""
        for _ in range(_READINGS):
            totals = set()
            for one in pages(client, list_id, "active", pool, still):
                totals.add(one.total)
                self._found([str(member["EmailAddress"]) for member in one.members])
            if len(totals) == 1:
                return

    def _found(self, emails: list[str]) -> None:
        self._sql(_FOUND, {"emails": emails})
