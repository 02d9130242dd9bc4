"""Subscriber lists: finding the one that a path names, reading, making and changing them."""

import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from local.standin.accounts import Client, find_client, require
from local.standin.answers import Answer, RefusalError
from local.standin.call import Call, json_object, typed

UNSUBSCRIBE_SETTINGS = ("AllClientLists", "OnlyThisList")

_UNKNOWN_LIST = {"401": (401, 101), "400": (400, 101), "404": (404, 404)}


@dataclass(frozen=True)
class SubscriberList:
    seq: int
    id: str
    title: str
    confirmed_opt_in: bool
    unsubscribe_setting: str
    suppress_unsubscribes: bool
    unsubscribe_page: str
    confirmation_page: str
    client: Client

    @property
    def suppresses(self) -> bool:
        """Whether an unsubscribe also puts the address on the client's suppression list."""
        return self.suppress_unsubscribes or self.unsubscribe_setting == "AllClientLists"


_COLUMNS = """
    l.seq, l.id, l.title, l.confirmed_opt_in, l.unsubscribe_setting, l.suppress_unsubscribes, l.unsubscribe_page,
    l.confirmation_page, c.seq, c.id, c.name, c.api_key, c.timezone
    FROM list l JOIN client c ON c.seq = l.client
"""


def _subscriber_list(row: sqlite3.Row) -> SubscriberList:
    seq, list_id, title, opt_in, setting, suppress, page, confirmation, *client = row
    return SubscriberList(
        seq, list_id, title, bool(opt_in), setting, bool(suppress), page, confirmation, Client(*client)
    )


def list_by_id(sql: sqlite3.Connection, list_id: str) -> SubscriberList | None:
    row = sql.execute(f"SELECT {_COLUMNS} WHERE l.id = ?", (list_id,)).fetchone()
    return _subscriber_list(row) if row else None


def find_list(call: Call) -> SubscriberList:
    """The list that the path names. Raises RefusalError for an unknown or foreign one; no source says which code."""
    row = call.sql.execute(
        f"SELECT {_COLUMNS} WHERE l.id = ? AND c.account = ? AND (? IS NULL OR c.seq = ?)",
        (call.arguments["list"], call.caller.account, call.caller.client, call.caller.client),
    ).fetchone()
    if row is None:
        status, code = _UNKNOWN_LIST[call.options.unknown_list]
        raise RefusalError(status, code, "Invalid ListID" if code == 101 else "Not Found")
    return _subscriber_list(row)


def lists_of(sql: sqlite3.Connection, client: Client) -> list[SubscriberList]:
    rows = sql.execute(f"SELECT {_COLUMNS} WHERE c.seq = ? ORDER BY l.title", (client.seq,))
    return [_subscriber_list(row) for row in rows]


def list_lists(call: Call) -> Answer:
    found = lists_of(call.sql, find_client(call))
    return Answer([{"ListID": each.id, "Name": each.title} for each in found])


def read_list(call: Call) -> Answer:
    found = find_list(call)
    return Answer(
        {
            "ConfirmedOptIn": found.confirmed_opt_in,
            "Title": found.title,
            "UnsubscribePage": found.unsubscribe_page,
            "ListID": found.id,
            "ConfirmationSuccessPage": found.confirmation_page,
            "UnsubscribeSetting": found.unsubscribe_setting,
        }
    )


def create_list(call: Call) -> Answer:
    require(call, "ManageLists")
    client = find_client(call)
    settings = _settings(call, client, None)
    list_id = secrets.token_hex(16)
    insert_list(call.sql, client.seq, list_id, settings)
    return Answer(list_id, 201)


def update_list(call: Call) -> Answer:
    require(call, "ManageLists")
    found = find_list(call)
    settings = _settings(call, found.client, found.id)
    assignments = ", ".join(f"{column} = :{column}" for column in settings)
    call.sql.execute(f"UPDATE list SET {assignments} WHERE seq = :seq", {**settings, "seq": found.seq})
    return Answer()


def delete_list(call: Call) -> Answer:
    require(call, "ManageLists")
    found = find_list(call)
    for table in ("subscriber", "field", "webhook", "pending"):
        call.sql.execute(f"DELETE FROM {table} WHERE list = ?", (found.seq,))
    call.sql.execute("DELETE FROM list WHERE seq = ?", (found.seq,))
    return Answer()


def insert_list(sql: sqlite3.Connection, client: int, list_id: str, settings: dict[str, Any]) -> None:
    columns = ", ".join(settings)
    values = ", ".join(f":{column}" for column in settings)
    sql.execute(
        f"INSERT INTO list (id, client, {columns}) VALUES (:id, :client, {values})",
        {**settings, "id": list_id, "client": client},
    )


def _settings(call: Call, client: Client, own_id: str | None) -> dict[str, Any]:
    """The columns of a list from the body. Raises RefusalError (400): Code 250, 251, 261 or 400."""
    body = json_object(call.body, "list")
    title = typed(body, "title", str, "list") or ""
    if not title.strip():
        raise RefusalError(400, 251, "List title cannot be empty")
    if any(each.title == title and each.id != own_id for each in lists_of(call.sql, client)):
        raise RefusalError(400, 250, "List title already exists for this client")
    setting = typed(body, "unsubscribesetting", str, "list") or UNSUBSCRIBE_SETTINGS[0]
    if setting not in UNSUBSCRIBE_SETTINGS:
        raise RefusalError(400, 261, "UnsubscribeSetting must be AllClientLists or OnlyThisList")
    return {
        "title": title,
        "confirmed_opt_in": typed(body, "confirmedoptin", bool, "list") or False,
        "unsubscribe_setting": setting,
        "suppress_unsubscribes": typed(body, "addunsubscribestosupplist", bool, "list") or False,
        "unsubscribe_page": typed(body, "unsubscribepage", str, "list") or "",
        "confirmation_page": typed(body, "confirmationsuccesspage", str, "list") or "",
    }
