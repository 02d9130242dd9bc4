"""The time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """In UTC, with its zone; for what is written down and compared between machines."""

    def monotonic(self) -> float:
        """Seconds since some moment; for what one process measures. It goes on while the process is stopped, or the
        machine stands still."""

    def sleep(self, seconds: float) -> None:
        """Nothing is waited for in any other way, except by ``Condition.wait`` and ``Crew.wait``."""
