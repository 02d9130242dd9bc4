"""One slice of leavers: one call each, since the service has no call for many."""

from collections.abc import Callable
from typing import Literal

from shared.batches import work_off
from shared.campaign_monitor import CampaignMonitor
from shared.members import NOT_IN_LIST, delete, state_of, unsubscribe
from shared.results import BatchResult, Results, SliceResult
from shared.slices import Leaver


def take_off(
    leavers: list[Leaver],
    number: int,
    results: Results,
    client: CampaignMonitor,
    *,
    how: Literal["unsubscribe", "delete"],
    list_id: str,
    concurrency: int,
    checkpoint_seconds: float,
    stop: Callable[[], bool],
) -> SliceResult:
    """As ``work_off``, each leaver a batch: takes those off the list whom this export added."""

    def call(row: int) -> BatchResult:
        leaver = leavers[row]
        if not leaver.added:
            return BatchResult()
        return (_delete if how == "delete" else _unsubscribe)(client, list_id, leaver.email)

    return work_off(
        call,
        len(leavers),
        number,
        results,
        client,
        concurrency=concurrency,
        checkpoint_seconds=checkpoint_seconds,
        stop=stop,
    )


def _unsubscribe(client: CampaignMonitor, list_id: str, email: str) -> BatchResult:
    return _result(unsubscribe(client, list_id, email))


def _delete(client: CampaignMonitor, list_id: str, email: str) -> BatchResult:
    """Whoever has unsubscribed or bounced stays so: deleted, nobody could tell that any more, and the export would put
    them back with their return."""
    state = state_of(client, list_id, email)
    if state not in ("Active", "Unconfirmed"):
        return BatchResult(removed=1)
    return _result(delete(client, list_id, email), deleted=state == "Active")


def _result(code: int | None, *, deleted: bool = False) -> BatchResult:
    if code in (None, NOT_IN_LIST):
        return BatchResult(removed=1, deleted=int(deleted))
    return BatchResult(not_removed=code)
