"""The titles of the lists that exports go to, as Campaign Monitor has them: asked for once in a while, by account."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from shared import account
from shared.app import App
from shared.catalog import Connection
from shared.errors import ExportError

KEPT_SECONDS = 600
_AT_ONCE = 4  # accounts

_log = logging.getLogger(__name__)


class ListTitles:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, dict[str, str]]] = {}

    def of(self, app: App, connections: Iterable[Connection]) -> dict[str, dict[str, str]]:
        """By connection, then by list. An account that does not answer has none: nobody depends on them."""
        wanted = list(connections)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(
                zip([one.id for one in wanted], pool.map(lambda one: self._titles(app, one), wanted), strict=True)
            )

    def _titles(self, app: App, connection: Connection) -> dict[str, str]:
        with self._lock:
            until, titles = self._kept.get(connection.secret_name, (0.0, {}))
        if self._clock() < until:
            return titles
        try:
            with account.opened(app, connection) as client:
                titles = {one.id: one.title for each in account.clients(client) for one in each.lists}
        except ExportError as error:
            _log.info("No titles of the lists behind %s: %s", connection.id, error)
        with self._lock:
            self._kept[connection.secret_name] = (self._clock() + KEPT_SECONDS, titles)
        return titles
