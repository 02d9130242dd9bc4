"""One slice to Campaign Monitor: batches of 1,000, several calls in flight, finished batches checkpointed."""

import logging
from collections.abc import Callable, Sequence

from shared.answers import UNREADABLE, NotImported
from shared.batches import work_off
from shared.campaign_monitor import CampaignMonitor, Imported
from shared.results import BatchResult, Results, SliceResult
from shared.slices import BATCH_ROWS, Slice

# More rows than this that cannot be read are no matter of rows.
MOST_UNREADABLE = 20
_IS_DELETED = 205

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
) -> SliceResult:
    """As ``work_off``: sends what has not been sent."""

    def call(batch: int) -> BatchResult:
        begin = batch * BATCH_ROWS
        rows = range(begin, min(begin + BATCH_ROWS, len(slice_.bodies)))
        result = _send_rows(slice_, rows, client, list_id, resubscribe, [])
        return result if resubscribe else _put_back(slice_, result, client, list_id)

    return work_off(
        call,
        slice_.batches,
        number,
        results,
        client,
        concurrency=concurrency,
        checkpoint_seconds=checkpoint_seconds,
        stop=stop,
    )


def _put_back(slice_: Slice, result: BatchResult, client: CampaignMonitor, list_id: str) -> BatchResult:
    """Offers those again, to be resubscribed, whom this export deleted and the service refused for that alone: nobody
    who has unsubscribed, bounced or is suppressed in the meantime is among them."""
    rows = sorted(row for row, code in result.refused if code == _IS_DELETED and row in slice_.returning)
    if not rows:
        return result
    again = _send_rows(slice_, rows, client, list_id, True, [])
    return BatchResult(
        added=result.added + again.added,
        updated=result.updated + again.updated,
        refused=tuple(pair for pair in result.refused if pair[0] not in rows) + again.refused,
    )


def _send_rows(
    slice_: Slice, rows: Sequence[int], client: CampaignMonitor, list_id: str, resubscribe: bool, unreadable: list[int]
) -> BatchResult:
    """One call; when the service turns all of it down for one row, halves of it, until the row is found.
    ``unreadable`` collects the rows that it could not read."""
    try:
        imported = client.import_subscribers(list_id, [slice_.bodies[row] for row in rows], resubscribe=resubscribe)
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
            unreadable.append(rows[0])
        if len(unreadable) > MOST_UNREADABLE:
            raise
        return BatchResult(added=0, updated=0, refused=((rows[0], error.service_code),))
    return _result(imported, slice_, rows)


def _result(imported: Imported, slice_: Slice, rows: Sequence[int]) -> BatchResult:
    """Each row is added, updated or refused. The service names a failure by its address alone; within a batch they are
    unique, whatever the case of their letters."""
    refused = {failure.email.strip().lower(): failure.code for failure in imported.failures}
    row_of = {slice_.email(row).lower(): row for row in rows} if refused else {}
    updated = len(rows) - imported.added - len(refused)
    if updated != imported.updated or not refused.keys() <= row_of.keys():
        _log.warning(
            "Campaign Monitor's answer does not add up: %d sent, %d added, %d updated, %d failures, %d duplicates.",
            len(rows),
            imported.added,
            imported.updated,
            len(imported.failures),
            len(imported.duplicates),
        )
    return BatchResult(
        added=imported.added,
        updated=updated,
        refused=tuple((row_of.get(email), code) for email, code in refused.items()),
    )
