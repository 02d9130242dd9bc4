"""One slice to Campaign Monitor: batches of 1,000, several calls in flight, finished batches checkpointed."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from shared.campaign_monitor import UNREADABLE, CampaignMonitor, Imported, NotImported
from shared.errors import TemporaryError
from shared.results import BatchResult, Results, SliceResult
from shared.slices import BATCH_ROWS, Slice

# A batch that fails after all attempts of the client has its turn again when the others have had theirs.
MOST_TURNS = 3
MOST_FAILURES_IN_A_ROW = 10
# More rows than this that cannot be read are no matter of rows.
MOST_UNREADABLE = 20

_log = logging.getLogger(__name__)


def send(
    slice_: Slice,
    number: int,
    results: Results,
    client: CampaignMonitor,
    *,
    list_id: str,
    resubscribe: bool,
    concurrency: int,
    checkpoint_seconds: float,
    stop: Callable[[], bool],
) -> bool:
    """Sends what has not been sent; True when the whole slice is done, False when ``stop`` said so before.

    ``stop`` is asked at each checkpoint. Raises what the client raises, once too much fails or the service says no for
    good, after the calls in flight have ended and their answers are saved.
    """
    saved = results.get(number) or SliceResult(batches=slice_.batches)
    waiting = deque(batch for batch in range(slice_.batches) if batch not in saved.done)
    calls: dict[Future[BatchResult], int] = {}
    answered: dict[int, BatchResult] = {}
    patience = _Patience()
    stopped = False
    checkpoint_at = time.monotonic() + checkpoint_seconds

    def call(batch: int) -> BatchResult:
        begin = batch * BATCH_ROWS
        rows = range(begin, min(begin + BATCH_ROWS, len(slice_.bodies)))
        return _send_rows(slice_, rows, client, list_id, resubscribe, [])

    with ThreadPoolExecutor(concurrency, thread_name_prefix="import") as pool:
        while calls or (waiting and not stopped and not patience.ended):
            while waiting and len(calls) < concurrency and not stopped and not patience.ended:
                batch = waiting.popleft()
                calls[pool.submit(call, batch)] = batch
            ended, _ = wait(calls, timeout=checkpoint_seconds, return_when=FIRST_COMPLETED)
            for future in ended:
                batch = calls.pop(future)
                error = future.exception()
                if error is None:
                    answered[batch] = future.result()
                    patience.renew()
                elif patience.allows(batch, error):
                    waiting.append(batch)
            if time.monotonic() >= checkpoint_at:
                saved = results.save(number, SliceResult(batches=slice_.batches, done=answered))
                stopped = stopped or stop()
                checkpoint_at = time.monotonic() + checkpoint_seconds
            if stopped or patience.ended:
                client.interrupted.set()
    saved = results.save(number, SliceResult(batches=slice_.batches, done=answered))
    if patience.ended and not stopped:
        raise patience.ended
    return len(saved.done) == slice_.batches


class _Patience:
    """With batches that fail. ``ended`` is the error that ended it: the service says no for good, or fails too much."""

    def __init__(self) -> None:
        self._turns: Counter[int] = Counter()
        self._in_a_row = 0
        self.ended: BaseException | None = None

    def renew(self) -> None:
        self._in_a_row = 0

    def allows(self, batch: int, error: BaseException) -> bool:
        """Whether the batch may have another turn."""
        self._turns[batch] += 1
        self._in_a_row += 1
        too_often = self._turns[batch] >= MOST_TURNS or self._in_a_row >= MOST_FAILURES_IN_A_ROW
        if too_often or not isinstance(error, TemporaryError):
            self.ended = self.ended or error
        return self.ended is None


def _send_rows(
    slice_: Slice, rows: range, client: CampaignMonitor, list_id: str, resubscribe: bool, unreadable: list[int]
) -> BatchResult:
    """One call; when the service turns all of it down for one row, halves of it, until the row is found.
    ``unreadable`` collects the rows that it could not read."""
    try:
        imported = client.import_subscribers(list_id, slice_.bodies[rows.start : rows.stop], resubscribe=resubscribe)
    except NotImported as error:
        if len(rows) > 1:
            middle = len(rows) // 2
            halves = [
                _send_rows(slice_, half, client, list_id, resubscribe, unreadable)
                for half in (rows[:middle], rows[middle:])
            ]
            return BatchResult(
                added=sum(half.added for half in halves),
                updated=sum(half.updated for half in halves),
                refused=halves[0].refused + halves[1].refused,
            )
        if error.service_code == UNREADABLE:
            unreadable.append(rows.start)
        if len(unreadable) > MOST_UNREADABLE:
            raise
        return BatchResult(added=0, updated=0, refused=((rows.start, error.service_code),))
    return _result(imported, slice_.emails[rows.start : rows.stop], rows.start)


def _result(imported: Imported, emails: list[str], begin: int) -> BatchResult:
    """Each row is added, updated or refused. The service names a failure by its address alone; addresses are unique
    within a batch, whatever the case of their letters."""
    rows = {email.lower(): begin + row for row, email in enumerate(emails)}
    refused = {failure.email.strip().lower(): failure.code for failure in imported.failures}
    updated = len(emails) - imported.added - len(refused)
    if updated != imported.updated or not refused.keys() <= rows.keys():
        _log.warning(
            "Campaign Monitor's answer does not add up: %d sent, %d added, %d updated, %d failures, %d duplicates.",
            len(emails),
            imported.added,
            imported.updated,
            len(imported.failures),
            len(imported.duplicates),
        )
    return BatchResult(
        added=imported.added,
        updated=updated,
        refused=tuple((rows.get(email), code) for email, code in refused.items()),
    )
