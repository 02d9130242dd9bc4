"""Threads of the machine: keeps ``shared.ports.threads.Threads``."""

import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import cast

from shared.ports.threads import Condition, Crew, Task


class SystemThreads:
    @contextmanager
    def crew(self, most: int) -> Iterator[Crew]:
        with ThreadPoolExecutor(most, thread_name_prefix="crew") as pool:
            yield SystemCrew(pool)

    @contextmanager
    def repeat(self, call: Callable[[], bool], seconds: float) -> Iterator[None]:
        """What ``call`` raises ends it, and is raised where the block is left, unless the block raises itself."""
        left = threading.Event()

        def repeated() -> None:
            while not left.wait(seconds) and call():
                pass

        with self.crew(1) as crew:
            task = crew.start(repeated)
            try:
                yield
            finally:
                left.set()
        task.result()

    def condition(self) -> Condition:
        return threading.Condition()


class SystemTask[T]:
    def __init__(self, future: Future[T]) -> None:
        self.future = future

    def result(self) -> T:
        return self.future.result()

    def error(self) -> BaseException | None:
        return self.future.exception()


class SystemCrew:
    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def start[T](self, call: Callable[[], T]) -> Task[T]:
        # The context of whoever starts it: a thread of the pool has none of its own.
        return SystemTask(self._pool.submit(copy_context().run, call))

    def wait[T](self, tasks: Collection[Task[T]], seconds: float | None = None) -> set[Task[T]]:
        by_future = {cast(SystemTask[T], task).future: task for task in tasks}
        ended, _ = wait(by_future, seconds, FIRST_COMPLETED)
        return {by_future[future] for future in ended}
