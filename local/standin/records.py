"""One subscriber as the API shows it, alone or in a state list."""

from collections.abc import Iterable
from typing import Any

from local.standin.call import Call
from local.standin.consent import consent_of
from local.standin.fields import Field, fields_of
from local.standin.lists import SubscriberList
from local.standin.subscribers import Subscriber


def records(call: Call, subscriber_list: SubscriberList, subscribers: Iterable[Subscriber]) -> list[dict[str, Any]]:
    """Consent stands in them only when the query asks for it."""
    found = list(subscribers)
    fields = {field.number: field for field in fields_of(call.sql, subscriber_list)}
    asks_tracking = call.flag("includetrackingpreference")
    asks_sms = call.flag("includesmspreference") and call.has_mobile
    consent = {}
    if asks_tracking or asks_sms:
        consent = consent_of(call.sql, subscriber_list.client, [each.email_key for each in found])
    shown = []
    for each in found:
        record = {
            "EmailAddress": each.email,
            "Name": each.name,
            "Date": each.changed,
            "State": each.state,
            "CustomFields": custom_fields(call, each, fields),
            "ReadsEmailWith": "",
        }
        if call.has_mobile:
            record |= {"MobileNumber": each.mobile, "ListJoinedDate": each.joined}
        track, sms = consent.get(each.email_key, ("", ""))
        if asks_tracking:
            record["ConsentToTrack"] = track
        if asks_sms:
            record["ConsentToSendSms"] = sms
        shown.append(record)
    return shown


def custom_fields(call: Call, subscriber: Subscriber, fields: dict[str, Field]) -> list[dict[str, str]]:
    """Select-many repeats its key, once for each option chosen; a field that was deleted is not shown."""
    shown = []
    for number, field in fields.items():
        value = subscriber.values.get(number, [])
        key = field.key if call.options.record_key == "tag" else field.name
        shown += [{"Key": key, "Value": each} for each in ([value] if isinstance(value, str) else value)]
    return shown
