"""Everything that a running stand-in knows, besides its sockets."""

import threading

from local.standin.database import Database
from local.standin.faults import FaultPlan, Faults
from local.standin.options import Options
from local.standin.pace import Gate, Pace
from local.standin.paging import PageMemory
from local.standin.request_log import RequestLog


class State:
    """`database` is a path, or `:memory:`."""

    def __init__(self, database: str, options: Options) -> None:
        self.database = Database(database)
        self.initial_options = options
        self.options = options
        self.faults = Faults(FaultPlan())
        self.log = RequestLog()
        self.pages = PageMemory()
        self.pace = Pace()
        self.gate = Gate()
        self._ending = threading.Event()

    def wait(self, seconds: float) -> None:
        """Sleeps, for ever if need be, but not past the end of the server."""
        if seconds > 0:
            self._ending.wait(min(seconds, threading.TIMEOUT_MAX))

    def reset(self) -> None:
        """As just started, with an empty database."""
        self.database.wipe()
        self.options = self.initial_options
        self.faults = Faults(FaultPlan())
        self.log.clear()

    def end(self) -> None:
        self._ending.set()
        self.database.close()
