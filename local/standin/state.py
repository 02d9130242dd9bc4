"""Everything that a running stand-in knows, besides its sockets."""

import threading
import time
from collections.abc import Callable

from local.standin.database import Database
from local.standin.delivery import Deliveries
from local.standin.faults import FaultPlan, Faults
from local.standin.options import Options
from local.standin.pace import Gate, Pace
from local.standin.paging import PageMemory
from local.standin.request_log import RequestLog

_GLANCE = 0.05  # seconds between two looks at whether a client is still there


class State:
    """`database` is a path, or `:memory:`."""

    def __init__(self, database: str, options: Options) -> None:
        self.database = Database(database)
        self.initial_options = options
        self.options = options
        self.faults = Faults(FaultPlan())
        self.log = RequestLog()
        self.pages = PageMemory()
        self.deliveries = Deliveries()
        self.pace = Pace()
        self.gate = Gate()
        self._ending = threading.Event()

    def wait(self, seconds: float) -> None:
        """Sleeps, but not past the end of the server."""
        if seconds > 0:
            self._ending.wait(seconds)

    def hang(self, seconds: float, gone: Callable[[], bool]) -> None:
        """Sleeps until the client is gone, the server ends, or the seconds are over; 0 seconds never are.

        A call that nobody waits for any more must not count as one in flight.
        """
        end = time.monotonic() + (seconds or float("inf"))
        while time.monotonic() < end and not gone() and not self._ending.is_set():
            self._ending.wait(min(_GLANCE, end - time.monotonic()))

    def reset(self) -> None:
        """As just started, with an empty database."""
        self.database.wipe()
        self.options = self.initial_options
        self.faults = Faults(FaultPlan())
        self.log.clear()

    def end(self) -> None:
        self._ending.set()
        self.database.close()
