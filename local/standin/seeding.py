"""Puts accounts, clients, lists, fields and subscribers into the database, past the API's own rules."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from local.standin.fields import bare, fields_of, insert_field
from local.standin.lists import SubscriberList, insert_list, list_by_id
from local.standin.specifications import (
    AccountBody,
    ChangedKey,
    ClientBody,
    FieldBody,
    ListBody,
    NewSubscribers,
    SubscriberBody,
    TokenBody,
)
from local.standin.subscribers import Subscriber, store
from local.standin.suppression import suppress


class MisfitError(Exception):
    """A control call that is malformed, or does not fit what is stored; it says what would be allowed."""

    def __init__(self, problem: str, allowed: object = None) -> None:
        super().__init__(problem)
        self.allowed = allowed


def add_account(sql: sqlite3.Connection, body: AccountBody) -> dict[str, Any]:
    """Returns what was made, with the identifiers that it was given."""
    _insert(sql, "account", {"name": body.name, "api_key": body.api_key})
    for client in body.clients:
        add_client(sql, body.api_key, client)
    return body.model_dump()


def add_client(sql: sqlite3.Connection, account_key: str, body: ClientBody) -> dict[str, Any]:
    columns = {"id": body.id, "name": body.name, "api_key": body.api_key, "timezone": body.timezone}
    _insert(sql, "client", {**columns, "account": _account(sql, account_key)})
    for each in body.lists:
        add_list(sql, body.id, each)
    return body.model_dump()


def add_list(sql: sqlite3.Connection, client_id: str, body: ListBody) -> dict[str, Any]:
    client = sql.execute("SELECT seq FROM client WHERE id = ?", (client_id,)).fetchone()
    if client is None:
        raise MisfitError(f"no client {client_id!r}; make it with POST /control/clients")
    if list_by_id(sql, body.id):
        raise MisfitError(f"there is a list {body.id!r} already")
    settings = {
        "title": body.title,
        "confirmed_opt_in": body.confirmed_opt_in,
        "unsubscribe_setting": body.unsubscribe_setting,
        "suppress_unsubscribes": body.suppress_unsubscribes,
        "unsubscribe_page": "",
        "confirmation_page": "",
    }
    insert_list(sql, client["seq"], body.id, settings)
    add_fields(sql, body.id, body.fields)
    return body.model_dump()


def add_fields(sql: sqlite3.Connection, list_id: str, fields: Iterable[FieldBody]) -> list[str]:
    """Returns the keys."""
    found = the_list(sql, list_id)
    return [
        insert_field(sql, found, name=each.name, data_type=each.type, options=each.options, visible=each.visible)
        for each in fields
    ]


def add_token(sql: sqlite3.Connection, body: TokenBody) -> None:
    """A token that is there already gets the new state."""
    scopes = None if body.scopes is None else json.dumps(body.scopes)
    sql.execute(
        "INSERT OR REPLACE INTO token (access_token, refresh_token, account, state, scopes) VALUES (?, ?, ?, ?, ?)",
        (body.access_token, body.refresh_token, _account(sql, body.account), body.state, scopes),
    )


def change_key(sql: sqlite3.Connection, body: ChangedKey) -> None:
    try:
        sql.execute("UPDATE account SET api_key = ? WHERE id = ?", (body.new, _account(sql, body.old)))
    except sqlite3.IntegrityError:
        raise MisfitError("another account has this API key") from None


def put_subscribers(sql: sqlite3.Connection, body: NewSubscribers, now: datetime) -> None:
    """Replaces whatever is stored about these addresses."""
    found = the_list(sql, body.list_id)
    keys = {bare(field.key): field.number for field in fields_of(sql, found)}
    date = str(found.client.local(now))
    store(sql, found.seq, [_subscriber(each, keys, date) for each in body.subscribers])
    barred = [each.email for each in body.subscribers if each.suppressed]
    suppress(sql, found.client, barred, "Unsubscribed", date)


def the_list(sql: sqlite3.Connection, list_id: str) -> SubscriberList:
    found = list_by_id(sql, list_id)
    if found is None:
        raise MisfitError(f"no list {list_id!r}; make it with POST /control/lists")
    return found


def _subscriber(body: SubscriberBody, keys: dict[str, str], date: str) -> Subscriber:
    unknown = [key for key in body.fields if bare(key) not in keys]
    if unknown:
        raise MisfitError(f"no custom field {unknown[0]!r} on the list; there are {sorted(keys)}")
    values = {keys[bare(key)]: value for key, value in body.fields.items()}
    return Subscriber(body.email.lower(), body.email, body.name, body.mobile, body.state, date, date, values)


def _account(sql: sqlite3.Connection, api_key: str) -> int:
    account = sql.execute("SELECT id FROM account WHERE api_key = ?", (api_key,)).fetchone()
    if account is None:
        raise MisfitError("no account with this API key; make it with POST /control/accounts")
    return int(account["id"])


def _insert(sql: sqlite3.Connection, table: str, columns: dict[str, Any]) -> None:
    marks = ", ".join(f":{column}" for column in columns)
    try:
        sql.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", columns)
    except sqlite3.IntegrityError as problem:
        raise MisfitError(f"there is such a {table} already ({problem})") from None
