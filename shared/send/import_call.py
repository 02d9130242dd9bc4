"""One import call: a batch of subscribers, and what became of each of them."""

import logging
from collections.abc import Iterator, Sequence

from shared.ports.destination import DELETED, UNREADABLE, Destination, Imported, NotImported
from shared.record.batch_results import BatchResult
from shared.record.slices import Slice

# More rows than this that cannot be read are no matter of rows.
MOST_UNREADABLE = 20

_log = logging.getLogger(__name__)

# Rows for which the service has answered, and what became of them.
type _Answer = tuple[Sequence[int], BatchResult]


class PartlyAnswered(Exception):
    """A call of a batch failed, by the cause of this, when others had been answered: they come to ``result``."""

    def __init__(self, result: BatchResult) -> None:
        super().__init__(f"{len(result.unanswered)} rows have no answer")
        self.result = result


def send_batch(
    account: Destination,
    list_id: str,
    slice_: Slice,
    rows: Sequence[int],
    *,
    resubscribe: bool,
    so_far: BatchResult | None = None,
) -> BatchResult:
    """``rows`` are those of the batch in its slice; where ``so_far`` holds answers, only those without one are sent.

    Raises PartlyAnswered, or what the call raises where nothing was answered.
    """
    result = before = so_far or BatchResult(unanswered=tuple(rows))
    unreadable = [row for row, code in before.refused if row is not None and code == UNREADABLE]
    try:
        for answer in _answers(slice_, before.unanswered, account, list_id, resubscribe, unreadable):
            result = _together(result, answer)
    except Exception as error:
        if result == before:
            raise
        raise PartlyAnswered(result) from error
    told = result.added + result.updated + len(result.refused)
    assert told == len(rows) and not result.unanswered, "a batch is more or less than its rows"
    return result


def _together(result: BatchResult, answer: _Answer) -> BatchResult:
    rows, came = answer
    answered = set(rows)
    return BatchResult(
        added=result.added + came.added,
        updated=result.updated + came.updated,
        refused=result.refused + came.refused,
        unanswered=tuple(row for row in result.unanswered if row not in answered),
    )


def _answers(
    slice_: Slice, rows: Sequence[int], account: Destination, list_id: str, resubscribe: bool, unreadable: list[int]
) -> Iterator[_Answer]:
    """Of each call. Whom this export deleted and the service refused for that alone is offered again at the end, to be
    resubscribed, and has no answer until then: nobody who has unsubscribed, bounced or is suppressed in the meantime
    is among them."""
    again: set[int] = set()
    for sent, came in _send_rows(slice_, rows, account, list_id, resubscribe, unreadable):
        if not resubscribe:
            again |= {row for row, code in came.refused if code == DELETED and row in slice_.returning}
        refused = tuple((row, code) for row, code in came.refused if row not in again)
        yield [row for row in sent if row not in again], came.model_copy(update={"refused": refused})
    if again:
        yield from _send_rows(slice_, sorted(again), account, list_id, True, unreadable)


def _send_rows(
    slice_: Slice, rows: Sequence[int], account: Destination, list_id: str, resubscribe: bool, unreadable: list[int]
) -> Iterator[_Answer]:
    """One call; when the service turns all of it down for one row, halves of it, until the row is found.
    ``unreadable`` collects the rows that it could not read."""
    try:
        imported = account.import_subscribers(list_id, [slice_.bodies[row] for row in rows], resubscribe=resubscribe)
    except NotImported as error:
        if len(rows) > 1:
            middle = len(rows) // 2
            for half in (rows[:middle], rows[middle:]):
                yield from _send_rows(slice_, half, account, list_id, resubscribe, unreadable)
            return
        yield rows, BatchResult(refused=((rows[0], error.service_code),))
        if error.service_code == UNREADABLE:
            unreadable.append(rows[0])
        if len(unreadable) > MOST_UNREADABLE:
            raise
    else:
        yield rows, _result(imported, slice_, rows)


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
