"""Making the next one while the one before is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor


def one_ahead[T](items: Iterator[T]) -> Iterator[T]:
    """The same items in the same order, each made by a thread that ends with the iteration; what making one raises is
    raised where it would have been given."""
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as maker:
        made = maker.submit(next, items, end)
        while (item := made.result()) is not end:
            made = maker.submit(next, items, end)
            yield item  # type: ignore[misc]  # the only other thing is the end
