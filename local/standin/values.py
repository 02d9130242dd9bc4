"""What a subscriber's custom fields hold after a submission: the rules of one value, one field, one list."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NotRequired, TypedDict

from pydantic import ConfigDict, with_config

from local.standin.answers import RefusalError
from local.standin.fields import Field, bare
from local.standin.options import Options

LONGEST_VALUE = 250
EARLIEST, LATEST = date(1900, 1, 1), date(2076, 6, 6)  # dates outside are ignored without a word
NO_DATES = ("0000-00-00", "0000/00/00")  # clear a date
BAD_VALUE = 202  # no source knows the number for such a row; this is the one row code that no source explains

Stored = dict[str, Any]  # field number to a string, or to a list of strings for select-many


@with_config(ConfigDict(strict=True, extra="forbid"))
class FieldValue(TypedDict):
    """As it stands in a request: thousands come in one call, so they are not copied into objects."""

    Key: str
    Value: NotRequired[str | None]
    Clear: NotRequired[bool | None]


class FieldRules:
    """The fields of one list, ready for many rows."""

    def __init__(self, fields: Iterable[Field], options: Options) -> None:
        self._fields = {bare(field.key): field for field in fields if bare(field.key)}
        self._options = options
        self._found: dict[str, Field | None] = {}  # by the key's spelling in the submission

    def applied(self, current: Mapping[str, Any], submitted: Iterable[FieldValue], *, merge: bool) -> Stored:
        """`current` with the submission's values; a field that is not submitted keeps what it has.

        merge: whether a select-many field keeps the options it had. Raises RefusalError (400) where the options say so.
        """
        result = dict(current)
        chosen: dict[Field, list[FieldValue]] = {}
        for item in submitted:
            key = item["Key"]
            field = self._found[key] if key in self._found else self._find(key)
            if field is None:
                continue  # an unknown key is dropped and the row still counts as a success
            if field.data_type == "MultiSelectMany":
                chosen.setdefault(field, []).append(item)
                continue
            value = item.get("Value")
            if field.data_type == "Text" and value and len(value) <= LONGEST_VALUE and "Clear" not in item:
                result[field.number] = value  # the usual case, out of the way of the rarer ones
            elif item.get("Clear") or not value or value in NO_DATES:
                if self._clears(field, item):
                    result.pop(field.number, None)
            elif (accepted := self._accepted(field, value)) is not None:
                result[field.number] = accepted
        for field, items in chosen.items():
            self._choose(result, field, items, merge=merge)
        return result

    def _find(self, key: str) -> Field | None:
        self._found[key] = self._fields.get(bare(key))
        return self._found[key]

    def _clears(self, field: Field, item: FieldValue) -> bool:
        if item.get("Clear"):
            return True
        if not item.get("Value"):
            return self._options.empty_value == "clears"
        return field.data_type == "Date"

    def _choose(self, result: Stored, field: Field, items: list[FieldValue], *, merge: bool) -> None:
        """Select-many: `Clear` with a value takes that option away, without one it takes them all."""
        cleared = any(not item.get("Value") and self._clears(field, item) for item in items)
        removed = {item.get("Value") for item in items if item.get("Clear")}
        added = [value for item in items if (value := item.get("Value")) and not item.get("Clear")]
        accepted = [value for value in added if self._accepted(field, value) is not None]
        before = result.get(field.number, []) if not cleared and (merge or not accepted) else []
        options = [each for each in dict.fromkeys([*before, *accepted]) if each not in removed]
        if options:
            result[field.number] = options
        else:
            result.pop(field.number, None)

    def _accepted(self, field: Field, value: str) -> str | None:
        """The value as stored, or None where the service ignores it."""
        if len(value) > LONGEST_VALUE:
            if self._options.long_value != "truncate":
                return self._ignored(self._options.long_value, f"{field.key} is longer than {LONGEST_VALUE}")
            value = value[:LONGEST_VALUE]
        if field.data_type == "Date":
            return self._date(field, value)
        if field.data_type == "Number" and not re.fullmatch(r"[+-]?\d+(\.\d+)?", value.strip()):
            return self._ignored(self._options.bad_value, f"{field.key} is not a number")
        if field.options and value not in field.options and self._options.undefined_option != "store":
            return self._ignored(self._options.undefined_option, f"{field.key} has no such option")
        return value

    def _date(self, field: Field, value: str) -> str | None:
        parts = re.fullmatch(r"(\d{4})([/-])(\d{1,2})\2(\d{1,2})", value.strip())
        try:
            day = date(int(parts[1]), int(parts[3]), int(parts[4])) if parts else None
        except ValueError:
            day = None
        if day is None:
            return self._ignored(self._options.bad_value, f"{field.key} is not a date")
        return day.isoformat() if EARLIEST <= day <= LATEST else None

    @staticmethod
    def _ignored(choice: str, problem: str) -> str | None:
        """Nothing is stored, or the row fails: as the option says."""
        if choice == "fail":
            raise RefusalError(400, BAD_VALUE, problem)
        return None
