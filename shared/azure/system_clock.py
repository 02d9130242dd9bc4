"""The time of the machine: keeps ``shared.ports.clock.Clock``."""

import time
from datetime import UTC, datetime

_WITH_SUSPENSION: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """With the time for which the machine itself stood still, where the system can tell: Linux."""
        return time.clock_gettime(_WITH_SUSPENSION)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
