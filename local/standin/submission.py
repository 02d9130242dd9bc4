"""The body of an import, an add or an update, read as strictly as the service reads it."""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from pydantic_core import from_json

from local.standin.answers import RefusalError
from local.standin.call import Call, deserialise_error
from local.standin.options import Options
from local.standin.values import FieldValue

CONSENT = ("yes", "no", "unchanged")
MOST_ROWS = 1000

_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\]\\]+@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}")
_LONGEST_EMAIL = 254
_E164 = re.compile(r"\+[1-9]\d{6,14}")

# Forbidding names is what notices another spelling of one: `_parsed` then reads the body again, without regard to case.
_STRICT = ConfigDict(strict=True, extra="forbid")


@with_config(_STRICT)
class _Subscriber(TypedDict, total=False):
    EmailAddress: str | None
    Name: str | None
    MobileNumber: str | None
    CustomFields: list[FieldValue] | None
    ConsentToTrack: str | None
    ConsentToSendSms: str | None


@with_config(_STRICT)
class _Single(_Subscriber, total=False):
    Resubscribe: bool | None
    RestartSubscriptionBasedAutoresponders: bool | None


@with_config(_STRICT)
class _Import(TypedDict, total=False):
    Subscribers: list[_Subscriber] | None
    Resubscribe: bool | None
    QueueSubscriptionBasedAutoResponders: bool | None
    RestartSubscriptionBasedAutoresponders: bool | None


_IMPORT = TypeAdapter(_Import)
_SINGLE = TypeAdapter(_Single)
_SPELLINGS = {name.lower(): name for body in (_Import, _Single, FieldValue) for name in body.__annotations__}


class Row(NamedTuple):
    """One submitted subscriber. None: not submitted, so what is stored stays. Consent is in lower case.

    A tuple, as `Subscriber` is, because a thousand are made in one call and a frozen dataclass takes thrice as long.
    """

    email_key: str
    email: str
    name: str | None
    mobile: str | None
    values: list[FieldValue]
    consent_to_track: str | None
    consent_to_send_sms: str | None


@dataclass(frozen=True)
class Batch:
    rows: list[Row]
    resubscribe: bool


def read_batch(call: Call) -> Batch:
    """Raises RefusalError (400): Code 400, 209, 212, or what a missing or bad consent gives to a whole request."""
    body = _parsed(_IMPORT, call.body)
    submitted = body.get("Subscribers") or []
    check_size(len(submitted))
    rows = [_row(item, call) for item in submitted]
    if call.options.consent_scope == "request":
        for row in rows:
            check_consent(row, call.options)
    return Batch(rows, body.get("Resubscribe") or False)


def check_size(rows: int) -> None:
    """Raises RefusalError (400): Code 209 or 212."""
    if rows > MOST_ROWS:
        raise RefusalError(400, 209, f"Maximum of {MOST_ROWS} subscribers exceeded")
    if not rows:
        raise RefusalError(400, 212, "No subscribers were submitted")


def read_single(call: Call) -> tuple[Row, bool]:
    """The row of an add or update, and whether it resubscribes. Raises RefusalError (400)."""
    body = _parsed(_SINGLE, call.body)
    row = _row(body, call)
    check_consent(row, call.options)
    return row, body.get("Resubscribe") or False


def _parsed[T](adapter: TypeAdapter[T], body: bytes) -> T:
    """Raises RefusalError (400, Code 400). Names that the service does not know are passed over."""
    try:
        return adapter.validate_json(body)
    except ValidationError:
        pass
    try:
        return adapter.validate_python(_respelt(from_json(body)), extra="ignore")
    except ValueError:
        raise deserialise_error() from None


def _respelt(value: Any) -> Any:
    """The service binds names without regard to case."""
    if isinstance(value, dict):
        known = {_SPELLINGS.get(name.lower()): item for name, item in value.items()}
        return {name: _respelt(item) for name, item in known.items() if name}
    return [_respelt(item) for item in value] if isinstance(value, list) else value


def _row(item: _Subscriber, call: Call) -> Row:
    email = item.get("EmailAddress") or ""
    if call.options.email_spaces == "trim":
        email = email.strip()
    return Row(
        email.lower(),
        email,
        item.get("Name"),
        item.get("MobileNumber") if call.has_mobile else None,
        item.get("CustomFields") or [],
        _consent(item.get("ConsentToTrack"), call.options.invalid_consent == "deserialise"),
        _consent(item.get("ConsentToSendSms"), True) if call.has_mobile else None,
    )


def _consent(value: str | None, refuse: bool) -> str | None:
    if not value:
        return None
    value = value.lower()
    if refuse and value not in CONSENT:
        raise deserialise_error()
    return value


def check_consent(row: Row, options: Options) -> None:
    """ConsentToTrack is mandatory since v3.2. Raises RefusalError (400): Code 214 or -213, or 215."""
    if row.consent_to_track is None:
        raise RefusalError(400, options.missing_consent_code, "Please provide a consent to track value")
    if row.consent_to_track not in CONSENT:
        raise RefusalError(400, 215, "Please provide a valid consent to track value")


def check_row(row: Row, options: Options) -> None:
    """Raises RefusalError (400): Code 1, 220, or 221 for both, then what consent gives to a row."""
    bad_email = not valid_email(row.email)
    bad_mobile = bool(row.mobile) and not _E164.fullmatch(row.mobile or "")
    if bad_email and bad_mobile:
        raise RefusalError(400, 221, "Invalid Email Address and Mobile Number")
    if bad_mobile:
        raise RefusalError(400, 220, "Invalid Mobile Number")
    if bad_email:
        raise RefusalError(400, 1, "Invalid Email Address")
    if options.consent_scope == "row":
        check_consent(row, options)


def valid_email(email: str) -> bool:
    return len(email) <= _LONGEST_EMAIL and _EMAIL.fullmatch(email) is not None
