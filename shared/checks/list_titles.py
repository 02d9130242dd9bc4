"""The titles of the lists that exports go to, as Campaign Monitor has them: asked for once in a while, by account."""

import logging
from collections.abc import Iterable

from shared.catalog.documents import Connection
from shared.checks.hurried_account import opened
from shared.errors import ExportError
from shared.parts import App
from shared.ports.threads import each

KEPT_SECONDS = 600
_AT_ONCE = 4  # accounts

_log = logging.getLogger(__name__)


class ListTitles:
    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, dict[str, str]]] = {}

    def of(self, app: App, connections: Iterable[Connection]) -> dict[str, dict[str, str]]:
        """By connection, then by list. An account that does not answer has none: nobody depends on them."""
        wanted = list(connections)
        titles = each(app.threads, lambda one: self._titles(app, one), wanted, at_once=_AT_ONCE)
        return dict(zip([one.id for one in wanted], titles, strict=True))

    def _titles(self, app: App, connection: Connection) -> dict[str, str]:
        until, titles = self._kept.get(connection.secret_name, (0.0, {}))
        if app.clock.monotonic() < until:
            return titles
        try:
            with opened(app, connection) as account:
                titles = {one.id: one.title for client in account.clients() for one in client.lists}
        except ExportError as error:
            _log.info("No titles of the lists behind %s: %s", connection.id, error)
        self._kept[connection.secret_name] = (app.clock.monotonic() + KEPT_SECONDS, titles)
        return titles
