"""The state of the stand-in: one SQLite file, or memory.

One connection behind one lock serves every thread. A call's database work takes a few milliseconds, so callers hardly
wait for each other; latency and hanging are spent outside the lock.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Dates are text, `YYYY-MM-DD HH:MM:SS` in the client's own time zone, because that is how the service shows and
# compares them. `email_key` is the address as the service compares it; `email` is the spelling it was given.
SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, api_key TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS token (
    access_token TEXT PRIMARY KEY, refresh_token TEXT NOT NULL, account INTEGER NOT NULL,
    state TEXT NOT NULL, scopes TEXT
);
CREATE TABLE IF NOT EXISTS client (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account INTEGER NOT NULL, name TEXT NOT NULL,
    api_key TEXT NOT NULL UNIQUE, timezone TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS list (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, client INTEGER NOT NULL, title TEXT NOT NULL,
    confirmed_opt_in INTEGER NOT NULL, unsubscribe_setting TEXT NOT NULL, suppress_unsubscribes INTEGER NOT NULL,
    unsubscribe_page TEXT NOT NULL, confirmation_page TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS field (
    id INTEGER PRIMARY KEY AUTOINCREMENT, list INTEGER NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
    data_type TEXT NOT NULL, options TEXT NOT NULL, visible INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS field_of_list ON field (list);
CREATE TABLE IF NOT EXISTS subscriber (
    list INTEGER NOT NULL, email_key TEXT NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL, mobile TEXT NOT NULL,
    state TEXT NOT NULL, joined TEXT NOT NULL, changed TEXT NOT NULL,
    field_values TEXT NOT NULL,                     -- JSON: field number to its value, or to the options chosen
    PRIMARY KEY (list, email_key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS subscriber_by_state ON subscriber (list, state, email_key);
CREATE TABLE IF NOT EXISTS consent (                -- per client, not per list
    client INTEGER NOT NULL, email_key TEXT NOT NULL, track TEXT NOT NULL, sms TEXT NOT NULL,
    PRIMARY KEY (client, email_key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS suppression (
    client INTEGER NOT NULL, email_key TEXT NOT NULL, email TEXT NOT NULL, reason TEXT NOT NULL, date TEXT NOT NULL,
    PRIMARY KEY (client, email_key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS webhook (
    id TEXT PRIMARY KEY, list INTEGER NOT NULL, events TEXT NOT NULL, url TEXT NOT NULL,
    payload_format TEXT NOT NULL, active INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS pending (                -- adds in the queue; `due` in seconds since 1970
    due REAL NOT NULL, list INTEGER NOT NULL, subscriber TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS recent_add (
    list INTEGER NOT NULL, email_key TEXT NOT NULL, time REAL NOT NULL, PRIMARY KEY (list, email_key)
);
"""


class Database:
    """`path` is a file that survives a restart, or `:memory:`."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._sql = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=256)
        self._sql.row_factory = sqlite3.Row
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("PRAGMA synchronous = OFF")  # a power cut may lose test data; that is fine
        self._sql.execute("PRAGMA cache_size = -65536")
        self._sql.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is stored, or nothing when it raises."""
        with self._lock:
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield self._sql
            except BaseException:
                self._sql.execute("ROLLBACK")
                raise
            self._sql.execute("COMMIT")

    def wipe(self) -> None:
        """Forget every account, list and subscriber."""
        with self.transaction() as sql:
            tables = sql.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            for (table,) in tables.fetchall():
                sql.execute(f'DELETE FROM "{table}"')

    def close(self) -> None:
        with self._lock:
            self._sql.close()
