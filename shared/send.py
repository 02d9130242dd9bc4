"""One slice to Campaign Monitor: batches of 1,000, several calls in flight, finished batches checkpointed."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from shared.campaign_monitor import CampaignMonitor, Imported
from shared.results import BatchResult, Results, SliceResult
from shared.slices import BATCH_ROWS, Slice

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

    ``stop`` is asked at each checkpoint. Raises what the client raises, after the calls in flight have ended and
    their answers are saved.
    """
    saved = results.get(number) or SliceResult(batches=slice_.batches)
    waiting = [batch for batch in range(slice_.batches) if batch not in saved.done]
    waiting.reverse()
    calls: dict[Future[BatchResult], int] = {}
    answered: dict[int, BatchResult] = {}
    failure: BaseException | None = None
    stopped = False
    checkpoint_at = time.monotonic() + checkpoint_seconds

    def call(batch: int) -> BatchResult:
        begin = batch * BATCH_ROWS
        end = begin + BATCH_ROWS
        imported = client.import_subscribers(list_id, slice_.bodies[begin:end], resubscribe=resubscribe)
        return _result(imported, slice_.emails[begin:end], begin)

    with ThreadPoolExecutor(concurrency, thread_name_prefix="import") as pool:
        while calls or (waiting and not stopped and not failure):
            while waiting and len(calls) < concurrency and not stopped and not failure:
                batch = waiting.pop()
                calls[pool.submit(call, batch)] = batch
            ended, _ = wait(calls, timeout=checkpoint_seconds, return_when=FIRST_COMPLETED)
            for future in ended:
                batch = calls.pop(future)
                error = future.exception()
                if error is None:
                    answered[batch] = future.result()
                failure = failure or error
            if time.monotonic() >= checkpoint_at:
                saved = results.save(number, SliceResult(batches=slice_.batches, done=answered))
                stopped = stopped or stop()
                checkpoint_at = time.monotonic() + checkpoint_seconds
    saved = results.save(number, SliceResult(batches=slice_.batches, done=answered))
    if failure:
        raise failure
    return len(saved.done) == slice_.batches


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
