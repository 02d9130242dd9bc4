"""The custom fields that a list defines, and the endpoints that read and change them."""

import json
import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from local.standin.accounts import require
from local.standin.answers import Answer, RefusalError
from local.standin.call import Call, deserialise_error, json_object, typed
from local.standin.lists import SubscriberList, find_list

WITH_OPTIONS = ("MultiSelectOne", "MultiSelectMany")
DATA_TYPES = ("Text", "Number", "Date", *WITH_OPTIONS, "Country", "USState")
LONGEST_NAME = 100


@dataclass(frozen=True)
class Field:
    number: str  # what stored values are filed under; a rename keeps it
    name: str
    key: str  # with its brackets: `[website]`
    data_type: str
    options: tuple[str, ...]
    visible: bool


def tag(name: str) -> str:
    """`Favourite colour` → `[Favouritecolour]`; a name without an ASCII letter or digit gives the key `[]`."""
    return f"[{re.sub(r'[^A-Za-z0-9]', '', name)}]"


def bare(key: str) -> str:
    """How keys are compared: without brackets, spaces and case."""
    return key.strip().removeprefix("[").removesuffix("]").replace(" ", "").lower()


def fields_of(sql: sqlite3.Connection, subscriber_list: SubscriberList) -> list[Field]:
    rows = sql.execute(
        "SELECT id, name, key, data_type, options, visible FROM field WHERE list = ? ORDER BY id",
        (subscriber_list.seq,),
    )
    return [
        Field(str(number), name, key, data_type, tuple(json.loads(options)), bool(visible))
        for number, name, key, data_type, options, visible in rows
    ]


def list_fields(call: Call) -> Answer:
    return Answer(
        [
            {
                "FieldName": field.name,
                "Key": field.key,
                "DataType": field.data_type,
                "FieldOptions": list(field.options),
                "VisibleInPreferenceCenter": field.visible,
            }
            for field in fields_of(call.sql, find_list(call))
        ]
    )


def create_field(call: Call) -> Answer:
    """Answers 201 and the new key as a bare JSON string."""
    require(call, "ManageLists")
    found = find_list(call)
    body = json_object(call.body, "customfield")
    key = insert_field(
        call.sql,
        found,
        name=typed(body, "fieldname", str, "customfield") or "",
        data_type=typed(body, "datatype", str, "customfield") or "",
        options=_texts(body),
        visible=_visible(body, True),
    )
    return Answer(key, 201)


def insert_field(
    sql: sqlite3.Connection,
    subscriber_list: SubscriberList,
    *,
    name: str,
    data_type: str,
    options: list[str],
    visible: bool,
) -> str:
    """Returns the key. Raises RefusalError (400): Code 254, 255, 256, 257 or 259."""
    _check_name(name, fields_of(sql, subscriber_list))
    known = {each.lower(): each for each in DATA_TYPES}
    if data_type.lower() not in known:
        raise RefusalError(400, 259, "Invalid DataType")
    data_type = known[data_type.lower()]
    if options and data_type not in WITH_OPTIONS:
        raise RefusalError(400, 256, "Options are only allowed for multi-option field types")
    if not options and data_type in WITH_OPTIONS:
        raise RefusalError(400, 257, "Options are required for multi-option field types")
    sql.execute(
        "INSERT INTO field (list, name, key, data_type, options, visible) VALUES (?, ?, ?, ?, ?, ?)",
        (subscriber_list.seq, name, tag(name), data_type, json.dumps(options), visible),
    )
    return tag(name)


def update_field(call: Call) -> Answer:
    """A new name makes a new key; what subscribers hold stays with the field."""
    require(call, "ManageLists")
    found = find_list(call)
    field = _find_field(call, found)
    body = json_object(call.body, "customfield")
    name = typed(body, "fieldname", str, "customfield") or ""
    _check_name(name, [each for each in fields_of(call.sql, found) if each.number != field.number])
    call.sql.execute(
        "UPDATE field SET name = ?, key = ?, visible = ? WHERE id = ?",
        (name, tag(name), _visible(body, field.visible), field.number),
    )
    return Answer(tag(name))


def update_options(call: Call) -> Answer:
    require(call, "ManageLists")
    field = _find_field(call, find_list(call))
    if field.data_type not in WITH_OPTIONS:
        raise RefusalError(400, 256, "Options are only allowed for multi-option field types")
    body = json_object(call.body, "customfield")
    kept = field.options if typed(body, "keepexistingoptions", bool, "customfield") else ()
    options = list(dict.fromkeys([*kept, *_texts(body)]))
    if not options:
        raise RefusalError(400, 257, "Options are required for multi-option field types")
    call.sql.execute("UPDATE field SET options = ? WHERE id = ?", (json.dumps(options), field.number))
    return Answer()


def delete_field(call: Call) -> Answer:
    require(call, "ManageLists")
    field = _find_field(call, find_list(call))
    call.sql.execute("DELETE FROM field WHERE id = ?", (field.number,))
    return Answer()


def _find_field(call: Call, subscriber_list: SubscriberList) -> Field:
    key = call.arguments["key"]
    if key.startswith("[") and key.endswith("]"):
        for field in fields_of(call.sql, subscriber_list):
            if bare(field.key) == bare(key):
                return field
    raise RefusalError(400, 253, "Invalid custom field key. Keys must be surrounded with [ ]")


def _check_name(name: str, others: list[Field]) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        raise RefusalError(400, 254, "Invalid custom field name")
    if any(each.name.lower() == name.lower() or bare(each.key) == bare(tag(name)) for each in others):
        raise RefusalError(400, 255, "Custom field name already exists")


def _texts(body: dict[str, Any]) -> list[str]:
    options = typed(body, "options", list, "customfield") or []
    if not all(isinstance(option, str) for option in options):
        raise deserialise_error("customfield")
    return options


def _visible(body: dict[str, Any], default: bool) -> bool:
    visible = typed(body, "visibleinpreferencecenter", bool, "customfield")
    return default if visible is None else visible
