"""The body of an import, an add or an update, read as strictly as the service reads it."""

import re
from dataclasses import dataclass
from typing import Any

from local.standin.answers import Refusal
from local.standin.call import Call, deserialise_error, json_object, lowered, typed
from local.standin.options import Options
from local.standin.values import FieldValue

CONSENT = ("yes", "no", "unchanged")
MOST_ROWS = 1000

_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\]\\]+@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_WORD = "subscriber"


@dataclass(frozen=True, slots=True)
class Row:
    """One submitted subscriber. None: not submitted, so what is stored stays. Consent is in lower case."""

    email: str
    name: str | None
    mobile: str | None
    values: tuple[FieldValue, ...]
    consent_to_track: str | None
    consent_to_send_sms: str | None

    @property
    def email_key(self) -> str:
        return self.email.lower()


@dataclass(frozen=True)
class Batch:
    rows: list[Row]
    resubscribe: bool


def read_batch(call: Call) -> Batch:
    """Raises Refusal (400): Code 400, 209, 212, or what a missing or bad consent gives to a whole request."""
    body = json_object(call.body, _WORD)
    submitted = typed(body, "subscribers", list, _WORD) or []
    if len(submitted) > MOST_ROWS:
        raise Refusal(400, 209, f"Maximum of {MOST_ROWS} subscribers exceeded")
    if not submitted:
        raise Refusal(400, 212, "No subscribers were submitted")
    rows = [_row(item, call) for item in submitted]
    if call.options.consent_scope == "request":
        for row in rows:
            check_consent(row, call.options)
    resubscribe = typed(body, "resubscribe", bool, _WORD) or False
    for name in ("queuesubscriptionbasedautoresponders", "restartsubscriptionbasedautoresponders"):
        typed(body, name, bool, _WORD)
    return Batch(rows, resubscribe)


def read_single(call: Call) -> tuple[Row, bool]:
    """The row of an add or update, and whether it resubscribes. Raises Refusal (400)."""
    body = json_object(call.body, _WORD)
    row = _row(body, call)
    check_consent(row, call.options)
    return row, typed(body, "resubscribe", bool, _WORD) or False


def _row(item: object, call: Call) -> Row:
    if not isinstance(item, dict):
        raise deserialise_error(_WORD)
    members = lowered(item)
    email = typed(members, "emailaddress", str, _WORD) or ""
    mobile = typed(members, "mobilenumber", str, _WORD)
    sms = _consent(members, "consenttosendsms", call.options)
    return Row(
        email.strip() if call.options.email_spaces == "trim" else email,
        typed(members, "name", str, _WORD),
        mobile if call.has_mobile else None,
        tuple(map(_value, typed(members, "customfields", list, _WORD) or ())),
        _consent(members, "consenttotrack", call.options),
        sms if call.has_mobile else None,
    )


def _value(item: object) -> FieldValue:
    """A value is a string: an array or a number makes the whole request unreadable."""
    if not isinstance(item, dict):
        raise deserialise_error(_WORD)
    members = {name.lower(): value for name, value in item.items()}
    key, value, clear = members.get("key"), members.get("value"), members.get("clear")
    if (
        type(key) is not str
        or not (value is None or type(value) is str)
        or not (clear is None or type(clear) is bool)
    ):
        raise deserialise_error(_WORD)
    return FieldValue(key, value or "", clear or False)


def _consent(members: dict[str, Any], name: str, options: Options) -> str | None:
    value = typed(members, name, str, _WORD)
    if not value:
        return None
    if value.lower() not in CONSENT and (
        options.invalid_consent == "deserialise" or name != "consenttotrack"
    ):
        raise deserialise_error(_WORD)
    return value.lower()


def check_consent(row: Row, options: Options) -> None:
    """ConsentToTrack is mandatory since v3.2. Raises Refusal (400): Code 214 or -213, or 215."""
    if row.consent_to_track is None:
        raise Refusal(400, options.missing_consent_code, "Please provide a consent to track value")
    if row.consent_to_track not in CONSENT:
        raise Refusal(400, 215, "Please provide a valid consent to track value")


def row_problem(row: Row) -> Refusal | None:
    """What is wrong with the address (Code 1), the mobile number (220) or both (221)."""
    bad_email = len(row.email) > 254 or not _EMAIL.fullmatch(row.email)
    bad_mobile = bool(row.mobile) and not _E164.fullmatch(row.mobile or "")
    if bad_email and bad_mobile:
        return Refusal(400, 221, "Invalid Email Address and Mobile Number")
    if bad_mobile:
        return Refusal(400, 220, "Invalid Mobile Number")
    return Refusal(400, 1, "Invalid Email Address") if bad_email else None
