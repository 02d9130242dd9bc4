"""How many calls the stand-in takes: in a second, and at once."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Pace:
    """A limit of calls within any one second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[float] = deque()

    def allows(self, per_second: int) -> bool:
        """Counts a call that it allows; 0 allows all."""
        if not per_second:
            return True
        now = time.monotonic()
        with self._lock:
            while self._recent and now - self._recent[0] >= 1:
                self._recent.popleft()
            if len(self._recent) >= per_second:
                return False
            self._recent.append(now)
            return True


class Gate:
    """Lets so many calls in at once; the others wait their turn."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0

    @contextmanager
    def passing(self, at_once: int) -> Iterator[None]:
        """0 lets all in."""
        with self._changed:
            while at_once and self._inside >= at_once:
                self._changed.wait()
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify()
