"""The suppression list of a client, kept and served: addresses that no list of the client mails."""

import json
import sqlite3
from collections.abc import Iterable

from local.standin.accounts import Client, find_client, require
from local.standin.answers import Answer, RefusalError
from local.standin.call import Call, deserialise_error, json_object, typed
from local.standin.paging import Listing, page_of


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


def list_suppressed(call: Call) -> Answer:
    client = find_client(call)
    page = page_of(call.query)
    columns = "email_key, reason, email, date AS changed, '' AS name"
    listing = Listing(columns, "FROM suppression WHERE client = ?", (client.seq,))
    rows, total = call.pages.read(call.sql, listing, page)
    results = [
        {
            "SuppressionReason": row["reason"],
            "EmailAddress": row["email"],
            "Date": row["changed"],
            "State": "Suppressed",
        }
        for row in rows
    ]
    return Answer(page.envelope(results, total))


def suppress_addresses(call: Call) -> Answer:
    require(call, "ManageLists")
    client = find_client(call)
    emails = typed(json_object(call.body, "suppress"), "emailaddresses", list, "suppress") or []
    if not all(isinstance(email, str) for email in emails):
        raise deserialise_error("suppress")
    suppress(call.sql, client, emails, "Manual", str(client.local(call.now())))
    return Answer()


def unsuppress_address(call: Call) -> Answer:
    require(call, "ManageLists")
    if not unsuppress(call.sql, find_client(call), [call.query.get("email", "").lower()]):
        raise RefusalError(400, 176, "Email address does not exist in suppression list")
    return Answer()
