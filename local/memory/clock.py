"""A clock that is moved by hand: keeps ``shared.ports.clock.Clock``."""

import threading
from datetime import UTC, datetime, timedelta

MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)


class ManualClock:
    """Stands still until somebody sleeps: then it has gone on by so much at once, for everybody. Both of its times
    go on together."""

    def __init__(self, start: datetime = MORNING) -> None:
        self._start = start
        self._seconds = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._seconds += max(0.0, seconds)

    def set_to(self, moment: datetime) -> None:
        """Goes on until it is ``moment``, which lies ahead."""
        ahead = (moment - self.now()).total_seconds()
        assert ahead >= 0, f"{moment} is over"
        self.sleep(ahead)
