"""What becomes of a profile: the SQL that turns its cells into a subscriber, or says what is wrong with it."""

import json
from dataclasses import dataclass

from shared.catalog.documents import Mapping, field_key
from shared.ports.destination import Field
from shared.record.duckdb_workspace import quoted

LONGEST_VALUE = 250
SEGMENTS_HERE = "chr(1)"  # stands in no JSON, which escapes it
FIRST_DATE, LAST_DATE = "1900-01-01", "2076-06-06"
CUSTOMER_ID = "CustomerId"

# Spaces of all kinds and line breaks around a value say nothing; chr() because SQL knows no escapes.
_BLANKS = "' ' || " + " || ".join(f"chr({code})" for code in (*range(9, 14), 0xA0, 0x3000, 0xFEFF))
# Such a trim takes four times as long as the look whether there is anything to trim, which there seldom is.
_BLANK_AT_AN_END = "^{0}|{0}$".format(r"[\x09-\x0d \x{a0}\x{3000}\x{feff}]")
_CONTROL = r"[\x00-\x1f\x7f\x{80}-\x{9f}]"
_ISO_DATE = "____-__-__"  # for LIKE; whether it is one, the cast to a date and back says
# Letters of any script, as the service decides in the end; what no mail system takes is turned down here. No counted
# repetition: it makes the check a hundred times slower.
_LOCAL = r'[^\s\p{Z}\p{Cc}\p{Cf}@"(),:;<>\[\]\\.]+'
_LABEL = r"[\p{L}\p{N}]([\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?"
_EMAIL = rf"{_LOCAL}(\.{_LOCAL})*@({_LABEL}\.)+[\p{{L}}\p{{M}}][\p{{L}}\p{{N}}\p{{M}}-]*[\p{{L}}\p{{N}}\p{{M}}]"
_LONGEST_EMAIL, _LONGEST_LOCAL, _LONGEST_LABEL = 254, 64, 63  # RFC 5321, 4.5.3.1; RFC 1035, 2.3.4
_MOBILE = r"\+[1-9][0-9]{6,14}"  # E.164


@dataclass(frozen=True)
class _Value:
    """One value that is sent: the columns that it comes from, and what is wrong with it: reasons and conditions."""

    column: str
    faults: tuple[tuple[str, str], ...]


def subscribers(mapping: Mapping, columns: tuple[str, ...], fields: dict[str, Field], source: str) -> str:
    """A query on ``source`` (``line``, then the cells ``c0``, ``c1``, … of ``columns``) that gives for each row:

    ``line`` BIGINT, ``customer_id`` and ``email`` VARCHAR, ``fault`` VARCHAR (a reason of ``rejects``, a space and the
    name of the column; null when nothing is wrong), ``body`` VARCHAR (the subscriber as JSON, as the service takes it).

    ``fields`` are the custom fields of the list by their ``field_key``. Columns are referred to by position only. Where
    the mapping has a ``segments_field``, SEGMENTS_HERE stands in ``body`` in place of its items.
    """
    cell = _Cells(columns)
    customer_id = cell(CUSTOMER_ID) if CUSTOMER_ID in columns else "NULL"
    # What is made of the clean cells, by the name that it has in the query; then what is made of that.
    made = {"customer_id": customer_id, "email": cell(mapping.email)}
    sent: dict[str, str] = {}
    values = [_Value(mapping.email, _email_faults())]
    parts = [("EmailAddress", "to_json(email)")]

    names = [column for column in (mapping.first_name, mapping.last_name) if column]
    if names:
        filled = ", ".join(f"nullif({cell(column)}, '')" for column in names)
        made["name"] = f"concat_ws(' ', {filled})"
        values.append(_Value(" and ".join(names), _text_faults("name")))
        parts.append(("Name", "to_json(name)"))
    if mapping.mobile_number:
        made["mobile"] = rf"regexp_replace({cell(mapping.mobile_number)}, '[ ().\-]', '', 'g')"
        wrong = f"mobile <> '' AND NOT regexp_full_match(mobile, '{_MOBILE}')"
        values.append(_Value(mapping.mobile_number, (("mobile_invalid", wrong),)))
        # An empty number clears the old one (documented for single adds); a missing one would leave it.
        parts.append(("MobileNumber", "to_json(mobile)"))

    items = []
    for number, field in enumerate(mapping.custom_fields):
        target = fields[field_key(field.key)]
        value, date, text = f"value{number}", f"date{number}", f"sent{number}"
        made[value] = cell(field.column)
        made[date] = _date(made[value], target)
        sent[text] = f"coalesce(strftime({date}, '%Y/%m/%d'), {value})"
        values.append(_Value(field.column, _field_faults(value, date, target)))
        head = quoted(f'{{"Key":{json.dumps(target.key, ensure_ascii=False)},"Value":')
        # Without Clear an empty value leaves what the field held before.
        items.append(f"""{head}, CASE {text} WHEN '' THEN '"","Clear":true' ELSE to_json({text})::VARCHAR END, '}}'""")
    if mapping.segments_field:
        items.append(SEGMENTS_HERE)
    if items:
        parts.append(("CustomFields", "concat('[', " + ", ',', ".join(items) + ", ']')"))
    parts.append(("ConsentToTrack", quoted(json.dumps(mapping.consent_to_track))))

    body = ", ',', ".join(f"""'"{key}":', {value}""" for key, value in parts)
    faults = "\n".join(
        f"        WHEN {condition} THEN {quoted(f'{reason} {value.column}')}"
        for value in values
        for reason, condition in value.faults
    )
    # Names of columns stand in it only as literals, made by quoted().
    return f"""
    SELECT line, customer_id, email,
      CASE
{faults}
      END AS fault,
      concat('{{', {body}, '}}') AS body
    FROM (
      SELECT *{_named(sent)}
      FROM (
        SELECT line{_named(made)}
        FROM (SELECT line{_named(cell.cleaned())} FROM {source})
      )
    )"""  # noqa: S608


class _Cells:
    """Cells by the name of their column; a clean one has no blanks around it and is never null."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._used: dict[str, None] = {}

    def __call__(self, column: str) -> str:
        name = f"c{self._columns.index(column)}"
        self._used[name] = None
        return name

    def cleaned(self) -> dict[str, str]:
        return {
            name: f"CASE WHEN regexp_matches({name}, '{_BLANK_AT_AN_END}') THEN trim({name}, {_BLANKS})"
            f" ELSE coalesce({name}, '') END"
            for name in self._used
        }


def _named(expressions: dict[str, str]) -> str:
    return "".join(f",\n          {expression} AS {name}" for name, expression in expressions.items())


def _email_faults() -> tuple[tuple[str, str], ...]:
    too_long = (
        f"length(email) > {_LONGEST_EMAIL} OR position('@' IN email) > {_LONGEST_LOCAL + 1}"
        f" OR length(email) > {_LONGEST_LABEL} AND regexp_matches(email, '@.*[^.]{{{_LONGEST_LABEL + 1}}}')"
    )
    wrong = f"NOT regexp_full_match(email, {quoted(_EMAIL)}) OR {too_long}"
    return (("email_missing", "email = ''"), _control_fault("email"), ("email_invalid", wrong))


def _text_faults(value: str) -> tuple[tuple[str, str], ...]:
    return (_control_fault(value), ("value_too_long", f"length({value}) > {LONGEST_VALUE}"))


def _control_fault(value: str) -> tuple[str, str]:
    return ("control_character", f"regexp_matches({value}, '{_CONTROL}')")


def _date(value: str, field: Field) -> str:
    """The value as a date, or null. A field of type Date takes dates alone, with or without a time, which it drops; in
    any other field an ISO date is a date too."""
    if field.data_type == "Date":
        day = f"replace(left({value}, 10), '/', '-')"
        form = f"{day} LIKE '{_ISO_DATE}' AND substr({value}, 11, 1) IN ('', ' ', 'T')"
    else:
        day, form = value, f"{value} LIKE '{_ISO_DATE}'"
    return f"CASE WHEN {form} THEN CASE WHEN try_cast({day} AS DATE)::VARCHAR = {day} THEN {day}::DATE END END"


def _field_faults(value: str, date: str, field: Field) -> tuple[tuple[str, str], ...]:
    """The service ignores a date out of its range without a word, so it is turned down here."""
    wrong = (("date_invalid", f"{value} <> '' AND {date} IS NULL"),) if field.data_type == "Date" else ()
    outside = f"{date} NOT BETWEEN DATE '{FIRST_DATE}' AND DATE '{LAST_DATE}'"
    return (*_text_faults(value), *wrong, ("date_out_of_range", outside))
