"""Consent to track and to receive texts: held per client and address, whatever the list."""

import json
import sqlite3
from collections.abc import Iterable

from local.standin.accounts import Client
from local.standin.options import Options
from local.standin.submission import Row


def store_consent(sql: sqlite3.Connection, client: Client, rows: Iterable[Row], options: Options) -> None:
    """`Unchanged` for an address never seen before is documented to mean that consent is assumed."""
    newcomer = "Yes" if options.unchanged_consent_of_newcomer == "yes" else ""
    stated = [
        (client.seq, row.email_key, _stated(row.consent_to_track), _stated(row.consent_to_send_sms)) for row in rows
    ]
    sql.executemany(
        "INSERT INTO consent (client, email_key, track, sms)"
        f" VALUES (?1, ?2, iif(?3 = '', '{newcomer}', ?3), ?4)"
        " ON CONFLICT (client, email_key) DO UPDATE SET track = iif(?3 = '', track, ?3), sms = iif(?4 = '', sms, ?4)",
        stated,
    )


def _stated(value: str | None) -> str:
    return value.capitalize() if value in ("yes", "no") else ""


def consent_of(sql: sqlite3.Connection, client: Client, keys: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Consent to track and to texts by address: `Yes`, `No`, or `""` where it is not known."""
    rows = sql.execute(
        "SELECT email_key, track, sms FROM consent WHERE client = ? AND email_key IN (SELECT value FROM json_each(?))",
        (client.seq, json.dumps(list(keys))),
    )
    return {key: (track, sms) for key, track, sms in rows}
