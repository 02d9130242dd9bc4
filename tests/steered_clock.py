"""A clock that a test steers: it can be ahead, stand still, and let nobody wait."""

from datetime import datetime, timedelta

from shared.azure.system_clock import SystemClock


class SteeredClock(SystemClock):
    """That of the machine until it is told otherwise. ``monotonic`` stays that of the machine."""

    def __init__(self) -> None:
        self.sleeps = True
        self._ahead = timedelta()
        self._still: datetime | None = None

    def now(self) -> datetime:
        return self._still or super().now() + self._ahead

    def sleep(self, seconds: float) -> None:
        if self.sleeps:
            super().sleep(seconds)

    def go_on(self, **ahead: float) -> None:
        self._ahead += timedelta(**ahead)

    def stand_at(self, moment: datetime) -> None:
        self._still = moment
