"""Everything that a running stand-in knows, besides its sockets."""

from local.standin.database import Database
from local.standin.options import Options
from local.standin.request_log import RequestLog


class State:
    def __init__(self, database: str, options: Options) -> None:
        self.database = Database(database)
        self.initial_options = options
        self.options = options
        self.log = RequestLog()

    def reset(self) -> None:
        """As just started, with an empty database."""
        self.database.wipe()
        self.options = self.initial_options
        self.log.clear()
