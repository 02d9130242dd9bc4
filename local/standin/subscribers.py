"""Subscribers as stored: reading, upserting, and who may not be put back on a list."""

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from pydantic_core import from_json, to_json

from local.standin.lists import SubscriberList
from local.standin.submission import Row
from local.standin.values import FieldRules, Stored

ACTIVE, UNCONFIRMED, UNSUBSCRIBED, BOUNCED, DELETED = (
    "Active",
    "Unconfirmed",
    "Unsubscribed",
    "Bounced",
    "Deleted",
)
STATES = (ACTIVE, UNCONFIRMED, UNSUBSCRIBED, BOUNCED, DELETED)

COLUMNS = "email_key, email, name, mobile, state, joined, changed, field_values"


class Subscriber(NamedTuple):
    """In the order of `COLUMNS`.

    `joined` and `changed` (of state) are `YYYY-MM-DD HH:MM:SS` in the client's time zone.
    """

    email_key: str
    email: str
    name: str
    mobile: str
    state: str
    joined: str
    changed: str
    values: Stored


def by_key(sql: sqlite3.Connection, subscriber_list: SubscriberList, keys: Iterable[str]) -> dict[str, Subscriber]:
    """Those of the addresses that the list has ever had."""
    rows = sql.execute(
        f"SELECT {COLUMNS} FROM subscriber WHERE list = ? AND email_key IN (SELECT value FROM json_each(?))",
        (subscriber_list.seq, json.dumps(list(keys))),
    )
    return {row["email_key"]: loaded(row) for row in rows}


def loaded(row: sqlite3.Row) -> Subscriber:
    """From the columns of `COLUMNS`."""
    key, email, name, mobile, state, joined, changed, values = row
    return Subscriber(key, email, name, mobile, state, joined, changed, from_json(values))


def store(sql: sqlite3.Connection, list_seq: int, subscribers: Iterable[Subscriber]) -> None:
    sql.executemany(
        "INSERT INTO subscriber (list, email_key, email, name, mobile, state, joined, changed, field_values)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (list, email_key) DO UPDATE SET email = excluded.email, name = excluded.name,"
        " mobile = excluded.mobile, state = excluded.state, changed = excluded.changed,"
        " field_values = excluded.field_values",
        [(list_seq, *each[:-1], to_json(each.values).decode()) for each in subscribers],
    )


def with_state(subscriber: Subscriber, state: str, date: str) -> Subscriber:
    return subscriber if subscriber.state == state else subscriber._replace(state=state, changed=date)


def upserted(
    row: Row, before: Subscriber | None, state: str, date: str, rules: FieldRules, *, merge: bool
) -> Subscriber:
    """The subscriber after the row: what the row leaves out stays. Raises RefusalError (400)."""
    if before is None:
        values = rules.applied({}, row.values, merge=merge)
        return Subscriber(row.email_key, row.email, row.name or "", row.mobile or "", state, date, date, values)
    return with_state(before, state, date)._replace(
        name=before.name if row.name is None else row.name,
        mobile=before.mobile if row.mobile is None else row.mobile,
        values=rules.applied(before.values, row.values, merge=merge) if row.values else before.values,
    )
