"""One import call: a batch of subscribers, and what became of each of them."""

import logging
from collections.abc import Sequence

from shared.ports.destination import DELETED, UNREADABLE, Destination, Imported, NotImported
from shared.record.batch_results import BatchResult
from shared.record.slices import Slice

# More rows than this that cannot be read are no matter of rows.
MOST_UNREADABLE = 20

_log = logging.getLogger(__name__)


def send_batch(
    account: Destination, list_id: str, slice_: Slice, rows: Sequence[int], *, resubscribe: bool
) -> BatchResult:
    """``rows`` are those of the batch in its slice."""
    result = _send_rows(slice_, rows, account, list_id, resubscribe, [])
    if not resubscribe:
        result = _put_back(slice_, result, account, list_id)
    assert result.added + result.updated + len(result.refused) == len(rows), "a batch is more or less than its rows"
    return result


def _put_back(slice_: Slice, result: BatchResult, account: Destination, list_id: str) -> BatchResult:
    """Offers those again, to be resubscribed, whom this export deleted and the service refused for that alone: nobody
    who has unsubscribed, bounced or is suppressed in the meantime is among them."""
    rows = sorted(row for row, code in result.refused if code == DELETED and row in slice_.returning)
    if not rows:
        return result
    again = _send_rows(slice_, rows, account, list_id, True, [], goes_on=True)
    return BatchResult(
        added=result.added + again.added,
        updated=result.updated + again.updated,
        refused=tuple(pair for pair in result.refused if pair[0] not in rows) + again.refused,
    )


def _send_rows(
    slice_: Slice,
    rows: Sequence[int],
    account: Destination,
    list_id: str,
    resubscribe: bool,
    unreadable: list[int],
    *,
    goes_on: bool = False,
) -> BatchResult:
    """One call; when the service turns all of it down for one row, halves of it, until the row is found.
    ``unreadable`` collects the rows that it could not read; one that ``goes_on`` follows another one of its batch."""
    bodies = [slice_.bodies[row] for row in rows]
    try:
        imported = account.import_subscribers(list_id, bodies, resubscribe=resubscribe, goes_on=goes_on)
    except NotImported as error:
        if len(rows) > 1:
            middle = len(rows) // 2
            halves = [
                _send_rows(slice_, half, account, list_id, resubscribe, unreadable, goes_on=goes_on)
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
    """Each row is added, updated or refused, and no more come of them than there are, whatever the answer says. The
    service names a failure by its address alone; within a batch they are unique, whatever the case of their letters."""
    refused = {failure.email.strip().lower(): failure.code for failure in imported.failures}
    row_of = {slice_.email(row).lower(): row for row in rows} if refused else {}
    named = [(row_of[email], code) for email, code in refused.items() if email in row_of]
    unknown = [(None, code) for email, code in refused.items() if email not in row_of][: len(rows) - len(named)]
    taken = len(rows) - len(named) - len(unknown)
    added = min(max(imported.added, 0), taken)
    if added + imported.updated != taken or unknown:
        _log.warning(
            "Campaign Monitor's answer does not add up: %d sent, %d added, %d updated, %d failures, %d duplicates.",
            len(rows),
            imported.added,
            imported.updated,
            len(imported.failures),
            len(imported.duplicates),
        )
    return BatchResult(added=added, updated=taken - added, refused=(*named, *unknown))
