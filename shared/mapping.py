"""What becomes of a profile: the SQL that turns its cells into a subscriber, or says what is wrong with it."""

import json
from dataclasses import dataclass

from shared.catalog import Mapping, field_key
from shared.database import quoted

LONGEST_VALUE = 250
FIRST_DATE, LAST_DATE = "1900-01-01", "2076-06-06"
CUSTOMER_ID = "CustomerId"

# Spaces of all kinds and line breaks around a value say nothing.
_BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"
_CONTROL = r"[\x00-\x1f\x7f\x{80}-\x{9f}]"
_DATE = r"\d{4}[-/]\d{2}[-/]\d{2}"
_ISO_DATE = r"\d{4}-\d{2}-\d{2}"
# Letters of any script, as the service decides in the end; what no mail system takes is turned down here.
_LOCAL = r'[^\s@"(),:;<>\[\]\\.\x00-\x1f\x7f]+'
_LABEL = r"[\p{L}\p{N}]([\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?"
_EMAIL = rf"{_LOCAL}(\.{_LOCAL})*@({_LABEL}\.)+[\p{{L}}\p{{M}}][\p{{L}}\p{{N}}\p{{M}}-]*[\p{{L}}\p{{N}}\p{{M}}]"
_LONGEST_EMAIL, _LONGEST_LOCAL = 254, 64
_MOBILE = r"\+[1-9][0-9]{6,14}"  # E.164


@dataclass(frozen=True)
class ListField:
    """A custom field of the list: its key without brackets, and its type in the service's words (``Date``, …)."""

    key: str
    data_type: str


@dataclass(frozen=True)
class _Value:
    """One mapped value: where it comes from, what is sent, and what is wrong with it when ``faults`` say so."""

    column: str
    sent: str
    faults: tuple[tuple[str, str], ...]


def subscribers(mapping: Mapping, columns: tuple[str, ...], fields: dict[str, ListField], source: str) -> str:
    """A query on ``source`` (``line``, then the cells ``c0``, ``c1``, … of ``columns``) that gives for each row:

    ``line`` BIGINT, ``customer_id`` and ``email`` VARCHAR, ``fault`` VARCHAR (a reason of ``rejects``, a space and the
    name of the column; null when nothing is wrong), ``body`` VARCHAR (the subscriber as JSON, as the service takes it).

    ``fields`` are the custom fields of the list by their ``field_key``. Columns are referred to by position only.
    """
    cell = _Cells(columns)
    email = _Value(mapping.email, "email", _email_faults())
    values = [email]
    parts = [("EmailAddress", "to_json(email)")]

    names = [column for column in (mapping.first_name, mapping.last_name) if column]
    if names:
        filled = ", ".join(f"nullif({cell(column)}, '')" for column in names)
        name = f"coalesce(concat_ws(' ', {filled}), '')"
        values.append(_Value(" and ".join(names), name, _text_faults(name)))
        parts.append(("Name", f"to_json({name})"))
    if mapping.mobile_number:
        mobile = rf"regexp_replace({cell(mapping.mobile_number)}, '[ ().\-]', '', 'g')"
        wrong = f"{mobile} <> '' AND NOT regexp_full_match({mobile}, '{_MOBILE}')"
        values.append(_Value(mapping.mobile_number, mobile, (("mobile_invalid", wrong),)))
        # An empty number clears the old one (documented for single adds); a missing one would leave it.
        parts.append(("MobileNumber", f"to_json({mobile})"))

    items = []
    for field in mapping.custom_fields:
        target = fields[field_key(field.key)]
        value = _custom_value(field.column, cell(field.column), target)
        values.append(value)
        head = quoted(f'{{"Key":{json.dumps(target.key, ensure_ascii=False)},"Value":')
        # Without Clear an empty value leaves what the field held before.
        items.append(
            f"concat({head}, CASE {value.sent} WHEN '' THEN '\"\",\"Clear\":true}}'"
            f" ELSE concat(to_json({value.sent}), '}}') END)"
        )
    if items:
        parts.append(("CustomFields", "concat('[', " + ", ',', ".join(items) + ", ']')"))
    parts.append(("ConsentToTrack", quoted(json.dumps(mapping.consent_to_track))))

    body = ", ',', ".join(f"""'"{key}":', {value}""" for key, value in parts)
    faults = "\n".join(
        f"        WHEN {condition} THEN {quoted(f'{reason} {value.column}')}"
        for value in values
        for reason, condition in value.faults
    )
    customer_id = cell(CUSTOMER_ID) if CUSTOMER_ID in columns else "NULL"
    # Names of columns stand in it only as literals, made by quoted().
    return f"""
    SELECT line, customer_id, email,
      CASE
{faults}
      END AS fault,
      concat('{{', {body}, '}}') AS body
    FROM (
      SELECT {customer_id} AS customer_id, {cell(mapping.email)} AS email, *
      FROM (SELECT {cell.cleaned()} FROM {source})
    )"""  # noqa: S608


class _Cells:
    """Cells by the name of their column; a clean one has no blanks around it and is never null."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._used: dict[int, None] = {}

    def __call__(self, column: str) -> str:
        position = self._columns.index(column)
        self._used[position] = None
        return f"c{position}"

    def cleaned(self) -> str:
        used = [f"trim(coalesce(c{position}, ''), {_BLANKS}) AS c{position}" for position in self._used]
        return ", ".join(["line", *used])


def _email_faults() -> tuple[tuple[str, str], ...]:
    too_long = f"length(email) > {_LONGEST_EMAIL} OR position('@' IN email) > {_LONGEST_LOCAL + 1}"
    wrong = f"NOT regexp_full_match(email, {quoted(_EMAIL)}) OR {too_long}"
    return (("email_missing", "email = ''"), _control_fault("email"), ("email_invalid", wrong))


def _text_faults(value: str) -> tuple[tuple[str, str], ...]:
    return (_control_fault(value), ("value_too_long", f"length({value}) > {LONGEST_VALUE}"))


def _control_fault(value: str) -> tuple[str, str]:
    return ("control_character", f"regexp_matches({value}, '{_CONTROL}')")


def _custom_value(column: str, value: str, field: ListField) -> _Value:
    """A field of type Date takes dates alone, with or without a time, which it drops; in any other field an ISO date
    is a date too. The service ignores a date out of its range without a word, so it is turned down here."""
    is_date = f"regexp_full_match({value}, '{_ISO_DATE}')"
    date = f"try_cast({value} AS DATE)"
    wrong: tuple[tuple[str, str], ...] = ()
    if field.data_type == "Date":
        is_date = f"regexp_full_match({value}, '{_DATE}([T ].*)?')"
        date = f"try_cast(replace(left({value}, 10), '/', '-') AS DATE)"
        wrong = (("date_invalid", f"{value} <> '' AND (NOT {is_date} OR {date} IS NULL)"),)
    outside = f"{is_date} AND {date} NOT BETWEEN DATE '{FIRST_DATE}' AND DATE '{LAST_DATE}'"
    sent = f"CASE WHEN {is_date} AND {date} IS NOT NULL THEN strftime({date}, '%Y/%m/%d') ELSE {value} END"
    return _Value(column, sent, (*_text_faults(value), *wrong, ("date_out_of_range", outside)))
