"""What an add leaves behind besides the subscriber: a queue, and a memory of addresses added too quickly."""

import json
import sqlite3
import time

from local.standin.answers import RefusalError
from local.standin.call import Call
from local.standin.lists import SubscriberList
from local.standin.subscribers import Subscriber, store


def add_later(call: Call, subscriber_list: SubscriberList, subscriber: Subscriber) -> None:
    """Stored by the first call after the option's delay."""
    call.sql.execute(
        "INSERT INTO pending (due, list, subscriber) VALUES (?, ?, ?)",
        (time.time() + call.options.add_delay, subscriber_list.seq, json.dumps(subscriber)),
    )


def store_due(sql: sqlite3.Connection) -> None:
    now = time.time()
    due = sql.execute("SELECT list, subscriber FROM pending WHERE due <= ? ORDER BY rowid", (now,)).fetchall()
    for list_seq, subscriber in due:
        store(sql, list_seq, [Subscriber(*json.loads(subscriber))])
    if due:
        sql.execute("DELETE FROM pending WHERE due <= ?", (now,))


def throttle(call: Call, subscriber_list: SubscriberList, email_key: str) -> None:
    """Raises RefusalError (429, no headers) when the option's seconds have not passed since the address's last add.

    Seen live by several client libraries; the number of seconds is not known.
    """
    seconds = call.options.same_address_seconds
    if not seconds:
        return
    now = time.time()
    key = (subscriber_list.seq, email_key)
    last = call.sql.execute("SELECT time FROM recent_add WHERE list = ? AND email_key = ?", key).fetchone()
    if last and now - last["time"] < seconds:
        raise too_quickly()
    call.sql.execute("INSERT OR REPLACE INTO recent_add (list, email_key, time) VALUES (?, ?, ?)", (*key, now))


def too_quickly() -> RefusalError:
    return RefusalError(429, 429, "Subscriber was added too many times too quickly, try again later.")
