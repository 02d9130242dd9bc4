"""A list's subscribers, one JSON object a line, for comparing with what an export should have given."""

import json
import sqlite3

from local.standin.fields import fields_of
from local.standin.lists import SubscriberList

_ROWS = """
SELECT s.email, s.name, s.mobile, s.state, s.field_values, coalesce(c.track, ''), coalesce(c.sms, ''),
       u.email_key IS NOT NULL
FROM subscriber s
LEFT JOIN consent c ON c.client = ?2 AND c.email_key = s.email_key
LEFT JOIN suppression u ON u.client = ?2 AND u.email_key = s.email_key
WHERE s.list = ?1 AND s.email_key > ?3
ORDER BY s.email_key LIMIT ?4
"""


def subscribers_as_ndjson(sql: sqlite3.Connection, subscriber_list: SubscriberList, after: str, most: int) -> bytes:
    """Up to `most` subscribers whose address comes after `after`, by address; custom fields by bare key."""
    keys = {field.number: field.key[1:-1] for field in fields_of(sql, subscriber_list)}
    lines = []
    for row in sql.execute(_ROWS, (subscriber_list.seq, subscriber_list.client.seq, after.lower(), most)):
        email, name, mobile, state, stored, track, sms, suppressed = row
        values = {keys[number]: value for number, value in json.loads(stored).items() if number in keys}
        line = {
            "email": email,
            "name": name,
            "mobile": mobile,
            "state": state,
            "suppressed": bool(suppressed),
            "fields": dict(sorted(values.items())),
            "consent_to_track": track,
            "consent_to_send_sms": sms,
        }
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines).encode()
