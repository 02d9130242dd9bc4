"""What a subscriber's custom fields hold after a submission: the rules of one value, one field, one list."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from local.standin.fields import Field, bare
from local.standin.options import Options

LONGEST_VALUE = 250
EARLIEST, LATEST = date(1900, 1, 1), date(2076, 6, 6)  # dates outside are ignored without a word
NO_DATE = "0000-00-00"  # clears a date

Stored = dict[str, Any]  # field id, as text, to a string, or to a list of strings for select-many


class FieldValue(NamedTuple):
    key: str
    value: str
    clear: bool


class BadValue(Exception):
    """A value that the options say the row must fail for."""


class FieldRules:
    """The fields of one list, ready for many rows."""

    def __init__(self, fields: Iterable[Field], options: Options) -> None:
        self._fields = {bare(field.key): field for field in fields}
        self._options = options
        self._found: dict[str, Field | None] = {}  # by the key's spelling in the submission

    def applied(self, current: Mapping[str, Any], submitted: Iterable[FieldValue], *, merge: bool) -> Stored:
        """`current` with the submission's values; a field that is not submitted keeps what it has.

        merge: whether a select-many field keeps the options it had. Raises BadValue.
        """
        result = dict(current)
        chosen: dict[str, list[FieldValue]] = {}
        for item in submitted:
            field = self._field(item.key)
            if field is None:
                continue  # an unknown key is dropped and the row still counts as a success
            number = str(field.id)
            if field.data_type == "MultiSelectMany":
                chosen.setdefault(number, []).append(item)
                continue
            if item.clear or (
                field.data_type == "Date" and item.value in (NO_DATE, NO_DATE.replace("-", "/"))
            ):
                result.pop(number, None)
            elif not item.value:
                if self._options.empty_value == "clears":
                    result.pop(number, None)
            else:
                value = self._accepted(field, item.value)
                if value is not None:
                    result[number] = value
        for number, items in chosen.items():
            self._choose(result, number, items, merge=merge)
        return result

    def _field(self, key: str) -> Field | None:
        try:
            return self._found[key]
        except KeyError:
            field = self._fields.get(bare(key)) if bare(key) else None
            self._found[key] = field
            return field

    def _choose(self, result: Stored, number: str, items: list[FieldValue], *, merge: bool) -> None:
        field = next(each for each in self._fields.values() if str(each.id) == number)
        added = [item.value for item in items if item.value and not item.clear]
        accepted = [value for value in added if self._accepted(field, value) is not None]
        removed = {item.value for item in items if item.clear and item.value}
        cleared = any(
            not item.value and (item.clear or self._options.empty_value == "clears") for item in items
        )
        keeps = not cleared and (merge or not accepted)
        before = result.get(number, []) if keeps else []
        options = [each for each in dict.fromkeys([*before, *accepted]) if each not in removed]
        if options:
            result[number] = options
        else:
            result.pop(number, None)

    def _accepted(self, field: Field, value: str) -> str | None:
        """The value as stored, or None where the service ignores it."""
        if len(value) > LONGEST_VALUE:
            match self._options.long_value:
                case "fail":
                    raise BadValue(f"{field.key} is longer than {LONGEST_VALUE} characters")
                case "drop":
                    return None
            value = value[:LONGEST_VALUE]
        match field.data_type:
            case "Date":
                return self._date(field, value)
            case "Number" if not re.fullmatch(r"[+-]?\d+(\.\d+)?", value.strip()):
                self._bad(field)
                return None
            case "MultiSelectOne" | "MultiSelectMany" if value not in field.options:
                if self._options.undefined_option == "fail":
                    raise BadValue(f"{field.key} has no such option")
                return value if self._options.undefined_option == "store" else None
        return value

    def _date(self, field: Field, value: str) -> str | None:
        parts = re.fullmatch(r"(\d{4})([/-])(\d{1,2})\2(\d{1,2})", value.strip())
        try:
            day = date(int(parts[1]), int(parts[3]), int(parts[4])) if parts else None
        except ValueError:
            day = None
        if day is None:
            self._bad(field)
            return None
        return day.isoformat() if EARLIEST <= day <= LATEST else None

    def _bad(self, field: Field) -> None:
        if self._options.bad_value == "fail":
            raise BadValue(f"{field.key} is not a {field.data_type}")
