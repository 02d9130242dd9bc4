"""A list of the destination, read page by page."""

from collections.abc import Callable, Iterator
from itertools import batched

from shared.ports.destination import Destination, ListState, Page
from shared.ports.threads import Threads, each

_PAGES_BETWEEN_LOOKS = 32


def pages(
    account: Destination,
    list_id: str,
    state: ListState,
    threads: Threads,
    *,
    at_once: int,
    still: Callable[[], None],
) -> Iterator[Page]:
    """All of them, several calls at once. ``still`` is called now and then, to raise what ends the reading. A list that
    changes in the meantime may show somebody twice, or not at all."""
    first = account.page(list_id, state, 1)
    yield first
    for some in batched(range(2, first.pages + 1), _PAGES_BETWEEN_LOOKS, strict=False):
        still()
        yield from each(threads, lambda number: account.page(list_id, state, number), some, at_once=at_once)
