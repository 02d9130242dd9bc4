"""Single subscribers of a list, and the list read page by page: the calls beside the import."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from typing import Any, Literal

from shared.answers import TurnedDown
from shared.campaign_monitor import CampaignMonitor

NOT_IN_LIST = 203
PAGE_ROWS = 1000  # the most that the service gives

ListState = Literal["active", "unconfirmed", "unsubscribed", "bounced", "deleted"]


@dataclass(frozen=True)
class Page:
    """``members`` as the service gives them; ``pages`` and ``total`` are those of the whole state list."""

    members: tuple[dict[str, Any], ...]
    pages: int
    total: int


def state_of(client: CampaignMonitor, list_id: str, email: str) -> str | None:
    """``Active``, ``Unconfirmed``, ``Unsubscribed``, ``Bounced`` or ``Deleted``; None where the list never had it."""
    try:
        answer = client.call("GET", f"/subscribers/{list_id}.json", query={"email": email})
    except TurnedDown as error:
        if error.service_code == NOT_IN_LIST:
            return None
        raise
    return str(answer["State"])


def unsubscribe(client: CampaignMonitor, list_id: str, email: str) -> int | None:
    """The code with which the service said no; None where it is done, NOT_IN_LIST where it had been done before."""
    body = json.dumps({"EmailAddress": email}).encode()
    return _code(client, "POST", f"/subscribers/{list_id}/unsubscribe.json", body=body)


def delete(client: CampaignMonitor, list_id: str, email: str) -> int | None:
    """As ``unsubscribe``."""
    return _code(client, "DELETE", f"/subscribers/{list_id}.json", query={"email": email})


def page(client: CampaignMonitor, list_id: str, state: ListState, number: int) -> Page:
    """``number`` counts from 1. Ordered by address, so that changes in the meantime move as few as possible."""
    query = {
        "date": "1900-01-01",  # some callers found that one is required
        "page": str(number),
        "pagesize": str(PAGE_ROWS),
        "orderfield": "email",
        "orderdirection": "asc",
    }
    answer = client.call("GET", f"/lists/{list_id}/{state}.json", query=query)
    return Page(tuple(answer["Results"]), int(answer["NumberOfPages"]), int(answer["TotalNumberOfRecords"]))


def pages(
    client: CampaignMonitor, list_id: str, state: ListState, pool: ThreadPoolExecutor, still: Callable[[], None]
) -> Iterator[Page]:
    """All of them, several calls at once. ``still`` is called now and then, to raise what ends the reading. A list that
    changes in the meantime may show somebody twice, or not at all."""
    first = page(client, list_id, state, 1)
    yield first
    for some in batched(range(2, first.pages + 1), 32, strict=False):
        still()
        yield from pool.map(lambda number: page(client, list_id, state, number), some)


def _code(
    client: CampaignMonitor, method: str, path: str, *, body: bytes | None = None, query: dict[str, str] | None = None
) -> int | None:
    try:
        client.call(method, path, body, query=query, answers=False)
    except TurnedDown as error:
        if error.service_code is None:
            raise
        return error.service_code
    return None
