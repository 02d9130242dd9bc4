"""The suppression list of a client: addresses that no list of the client mails."""

import json
import sqlite3
from collections.abc import Iterable

from local.standin.accounts import Client


def suppressed(sql: sqlite3.Connection, client: Client, keys: Iterable[str]) -> set[str]:
    """Those of the addresses that are on the list."""
    rows = sql.execute(
        "SELECT email_key FROM suppression WHERE client = ? AND email_key IN (SELECT value FROM json_each(?))",
        (client.seq, json.dumps(list(keys))),
    )
    return {key for (key,) in rows}


def suppress(sql: sqlite3.Connection, client: Client, emails: Iterable[str], reason: str, date: str) -> None:
    sql.executemany(
        "INSERT OR IGNORE INTO suppression (client, email_key, email, reason, date) VALUES (?, ?, ?, ?, ?)",
        [(client.seq, email.lower(), email, reason, date) for email in emails],
    )


def unsuppress(sql: sqlite3.Connection, client: Client, keys: Iterable[str]) -> int:
    """Returns how many of the addresses were on the list."""
    return sql.execute(
        "DELETE FROM suppression WHERE client = ? AND email_key IN (SELECT value FROM json_each(?))",
        (client.seq, json.dumps(list(keys))),
    ).rowcount
