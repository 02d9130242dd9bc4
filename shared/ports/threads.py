"""Threads: calls that run at once, and what they share. No thread outlives the ``with`` that it was made in."""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from types import TracebackType
from typing import Protocol


class Task[T](Protocol):
    def result(self) -> T:
        """Waits for the end of the call; raises what it raised."""

    def error(self) -> BaseException | None:
        """Waits for the end of the call; what it raised."""


class Crew(Protocol):
    """So many threads for calls that come one after the other."""

    def start[T](self, call: Callable[[], T]) -> Task[T]:
        """Runs it as soon as a thread is free."""

    def wait[T](self, tasks: Collection[Task[T]], seconds: float | None = None) -> set[Task[T]]:
        """Those that have ended, once there is one, or when the ``seconds`` are over: then perhaps none. Of no tasks
        there are none, at once."""


class Condition(Protocol):
    """As ``threading.Condition``: entered, it is a lock; ``wait`` lets go of it until somebody notifies."""

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> object: ...

    def wait(self, timeout: float | None = None) -> object: ...

    def notify_all(self) -> None: ...


class Threads(Protocol):
    """A call runs in the invocation of whoever started it: what it logs belongs there."""

    def crew(self, most: int) -> AbstractContextManager[Crew]:
        """Leaving it waits for all calls that were started."""

    def repeat(self, call: Callable[[], bool], seconds: float) -> AbstractContextManager[None]:
        """Makes the call every so many seconds until it says False, or the ``with`` is left, which waits for a call
        that is being made. What the call raises ends it, and is raised where the ``with`` is left."""

    def condition(self) -> Condition: ...


def each[A, T](threads: Threads, call: Callable[[A], T], items: Iterable[A], *, at_once: int) -> list[T]:
    """What the call gives for each item, in their order; raises what the first failing one raised."""
    with threads.crew(at_once) as crew:
        tasks = [crew.start(lambda item=item: call(item)) for item in items]  # type: ignore[misc]
        return [task.result() for task in tasks]


def one_ahead[T](threads: Threads, items: Iterator[T]) -> Iterator[T]:
    """The same items in the same order, each made while the one before is used; what making one raises is raised where
    it would have been given."""
    with threads.crew(1) as crew:
        made = crew.start(lambda: list(islice(items, 1)))
        try:
            while some := made.result():
                made = crew.start(lambda: list(islice(items, 1)))
                yield from some
        finally:
            made.error()  # the iterator is at rest
            if isinstance(items, Generator):
                items.close()
