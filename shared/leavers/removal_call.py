"""Taking one leaver off the list: one call each, since the service has no call for many."""

from typing import Literal

from shared.ports.destination import NOT_IN_LIST, Destination
from shared.record.batch_results import BatchResult
from shared.record.slices import Leaver


def take_off(account: Destination, list_id: str, leaver: Leaver, how: Literal["unsubscribe", "delete"]) -> BatchResult:
    """Those whom this export did not add are let go without a call."""
    if not leaver.added:
        return BatchResult()
    if how == "unsubscribe":
        return _result(account.unsubscribe(list_id, leaver.email))
    # Whoever has unsubscribed or bounced stays so: deleted, nobody could tell that any more, and the export would put
    # them back with their return.
    state = account.state_of(list_id, leaver.email)
    if state not in ("Active", "Unconfirmed"):
        return BatchResult(removed=1)
    return _result(account.delete(list_id, leaver.email), deleted=state == "Active")


def _result(code: int | None, *, deleted: bool = False) -> BatchResult:
    if code in (None, NOT_IN_LIST):
        return BatchResult(removed=1, deleted=int(deleted))
    return BatchResult(not_removed=code)
