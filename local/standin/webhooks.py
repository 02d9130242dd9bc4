"""Webhooks of a list: the endpoints, and what is posted when subscribers come, change or leave."""

import json
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from local.standin.accounts import require
from local.standin.answers import Answer, RefusalError, render
from local.standin.call import Call, json_object, typed
from local.standin.delivery import Parcel, deliver
from local.standin.fields import Field, fields_of
from local.standin.lists import SubscriberList, find_list
from local.standin.records import custom_fields
from local.standin.subscribers import ACTIVE, Subscriber

EVENTS = ("Subscribe", "Update", "Deactivate")
FORMATS = ("json", "xml")
MOST_EVENTS = 1000  # of one POST


@dataclass(frozen=True)
class Webhook:
    id: str
    events: tuple[str, ...]
    url: str
    payload_format: str
    active: bool

    def parcel(self, list_id: str, events: list[dict[str, object]]) -> Parcel:
        answer = render(Answer({"Events": events, "ListID": list_id}), as_json=self.payload_format == "json")
        return Parcel(self.url, answer.headers, answer.content)


def announce(
    call: Call, subscriber_list: SubscriberList, changes: Iterable[tuple[Subscriber | None, Subscriber]]
) -> None:
    """Each subscriber before and after, for every webhook that listens; posted when the call is stored."""
    listening = [each for each in _webhooks_of(call.sql, subscriber_list) if each.active]
    if not listening:
        return
    fields = {field.number: field for field in fields_of(call.sql, subscriber_list)}
    events = [_event(call, fields, before, after) for before, after in changes]
    for webhook in listening:
        wanted = [event for event in events if event["Type"] in webhook.events]
        for start in range(0, len(wanted), MOST_EVENTS):
            call.parcels.append(webhook.parcel(subscriber_list.id, wanted[start : start + MOST_EVENTS]))


def _event(call: Call, fields: dict[str, Field], before: Subscriber | None, after: Subscriber) -> dict[str, object]:
    event: dict[str, object] = {
        "Type": _kind(before, after),
        "Date": after.changed,
        "EmailAddress": after.email,
        "Name": after.name,
        "State": after.state,
        "CustomFields": custom_fields(call, after, fields),
    }
    if before and before.email_key != after.email_key:
        event["OldEmailAddress"] = before.email
    return event


def _kind(before: Subscriber | None, after: Subscriber) -> str:
    if before is None or (before.state != ACTIVE and after.state == ACTIVE):
        return "Subscribe"
    return "Deactivate" if before.state == ACTIVE and after.state != ACTIVE else "Update"


def list_webhooks(call: Call) -> Answer:
    return Answer(
        [
            {
                "WebhookID": each.id,
                "Events": list(each.events),
                "Url": each.url,
                "Status": "Active" if each.active else "Deactivated",
                "PayloadFormat": each.payload_format,
            }
            for each in _webhooks_of(call.sql, find_list(call))
        ]
    )


def create_webhook(call: Call) -> Answer:
    """Answers 201 and the identifier as a bare JSON string. Raises RefusalError (400): Code 601 to 603."""
    require(call, "ManageLists")
    found = find_list(call)
    body = json_object(call.body, "webhook")
    events = typed(body, "events", list, "webhook") or []
    url = typed(body, "url", str, "webhook") or ""
    payload_format = (typed(body, "payloadformat", str, "webhook") or "").lower()
    if urlsplit(url).scheme not in ("http", "https"):
        raise RefusalError(400, 601, "Invalid webhook URL")
    if payload_format not in FORMATS:
        raise RefusalError(400, 602, "Invalid payload format")
    if not events or not all(event in EVENTS for event in events):
        raise RefusalError(400, 603, "Invalid webhook event")
    webhook_id = secrets.token_hex(16)
    call.sql.execute(
        "INSERT INTO webhook (id, list, events, url, payload_format, active) VALUES (?, ?, ?, ?, ?, 1)",
        (webhook_id, found.seq, json.dumps(events), url, payload_format),
    )
    return Answer(webhook_id, 201)


def try_webhook(call: Call) -> Answer:
    """Posts an empty parcel at once. Raises RefusalError (400, Code 610) when it does not arrive."""
    found = find_list(call)
    problem = deliver(_find(call, found).parcel(found.id, []))
    if problem:
        raise RefusalError(400, 610, f"The webhook could not be reached: {problem}")
    return Answer()


def switch_webhook(active: bool, call: Call) -> Answer:
    require(call, "ManageLists")
    webhook = _find(call, find_list(call))
    call.sql.execute("UPDATE webhook SET active = ? WHERE id = ?", (active, webhook.id))
    return Answer()


def delete_webhook(call: Call) -> Answer:
    require(call, "ManageLists")
    call.sql.execute("DELETE FROM webhook WHERE id = ?", (_find(call, find_list(call)).id,))
    return Answer()


def _find(call: Call, subscriber_list: SubscriberList) -> Webhook:
    for webhook in _webhooks_of(call.sql, subscriber_list):
        if webhook.id == call.arguments["webhook"]:
            return webhook
    raise RefusalError(404, 404, "Not Found")


def _webhooks_of(sql: sqlite3.Connection, subscriber_list: SubscriberList) -> list[Webhook]:
    rows = sql.execute(
        "SELECT id, events, url, payload_format, active FROM webhook WHERE list = ? ORDER BY rowid",
        (subscriber_list.seq,),
    )
    return [
        Webhook(webhook_id, tuple(json.loads(events)), url, payload_format, bool(active))
        for webhook_id, events, url, payload_format, active in rows
    ]
