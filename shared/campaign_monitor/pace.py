"""How many calls may be in flight: as many as allowed, fewer after the service said that it is too much."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.ports.clock import Clock
from shared.ports.threads import Threads


class Pace:
    """Shared by all threads that call one service. Slowed, the number of calls is halved and no call begins before the
    time that the service asked for; with every full round of good answers one more call is let in.

    ``calls`` counts the calls that began, ``slowed`` those that were too much.
    """

    def __init__(self, most: int, clock: Clock, threads: Threads) -> None:
        self._most = most
        self._clock = clock.monotonic
        self._allowed = most
        self._in_flight = 0
        self._good = 0
        self._not_before = 0.0
        self._slowed_at = -1.0
        self._changed = threads.condition()
        self.calls = 0
        self.slowed = 0

    @property
    def allowed(self) -> int:
        return self._allowed

    @contextmanager
    def call(self) -> Iterator[float]:
        """Waits for its turn; gives the time at which the call begins, for ``slow``."""
        with self._changed:
            while self._in_flight >= self._allowed or self._clock() < self._not_before:
                self._changed.wait(max(self._not_before - self._clock(), 0.05) if self._is_paused() else None)
            self._in_flight += 1
            self.calls += 1
            begun = self._clock()
        try:
            yield begun
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    def good(self) -> None:
        """One answer as it should be."""
        with self._changed:
            self._good += 1
            if self._good >= self._allowed and self._allowed < self._most:
                self._allowed += 1
                self._good = 0
                self._changed.notify_all()

    def slow(self, begun: float, seconds: float) -> None:
        """A call that began at ``begun`` was too much: nobody calls for ``seconds``. Calls that were in flight together
        slow down once."""
        with self._changed:
            self.slowed += 1
            self._not_before = max(self._not_before, self._clock() + seconds)
            if begun > self._slowed_at:
                self._allowed = max(1, self._allowed // 2)
                self._good = 0
                self._slowed_at = self._clock()

    def _is_paused(self) -> bool:
        return self._clock() < self._not_before
