"""What becomes of names, numbers, dates and other values: as they are sent, or why they are turned down."""

import csv
from collections.abc import Iterable
from typing import Any

import pytest
from reading import lines, partition, plan

from shared.catalog.documents import Mapping
from shared.ports.destination import Field

EMAIL = "a@example.com"


def mapped(cells: Iterable[str], mapping: dict[str, Any], data_type: str = "Text") -> list[dict[str, Any] | str]:
    """For each cell the subscriber made of a row that has it beside an address, or what is wrong with it."""
    rows = [[str(number), f"{number}@example.com", cell] for number, cell in enumerate(cells)]
    planned = plan(
        lines(*rows, quoting=csv.QUOTE_ALL),
        mapping=Mapping.model_validate({"email": "EMail"} | mapping),
        fields={"field": Field("Field", data_type)},
        parts=[partition(columns=("CustomerId", "EMail", "Value"))],
    )
    assert planned.account.rows_read == len(rows)
    sent = {one["EmailAddress"].partition("@")[0]: one for one in planned.subscribers}
    wrong = {one.customer_id: f"{one.reason} {one.column}" for one in planned.rejects}
    return [sent[number] if number in sent else wrong[number] for number, _, _ in rows]


def custom(cells: Iterable[str], data_type: str) -> list[Any]:
    """What is sent of a custom field, or what is wrong with it."""
    found = mapped(cells, {"custom_fields": [{"key": "[Field]", "column": "Value"}]}, data_type)
    return [one if isinstance(one, str) else _sent(one) for one in found]


def _sent(subscriber: dict[str, Any]) -> Any:
    (item,) = subscriber["CustomFields"]
    assert item.pop("Key") == "Field"
    return item if "Clear" in item else item["Value"]


NAMES = {
    ("Ona", "Petrauskienė"): "Ona Petrauskienė",
    ("Ona", ""): "Ona",
    ("", "Petrauskienė"): "Petrauskienė",
    ("", ""): "",
    ("  Ona\t", " \u00a0 Petrauskienė"): "Ona Petrauskienė",
    ("Mary Ann", "O'Neill, Jr."): "Mary Ann O'Neill, Jr.",
    ('Robert "Bob"', "\\Smith"): 'Robert "Bob" \\Smith',
    ("A" * 125, "B" * 124): f"{'A' * 125} {'B' * 124}",
    ("ž" * 250, ""): "ž" * 250,
}
BAD_NAMES = {
    ("A" * 125, "B" * 125): "value_too_long First and Last",
    ("", "ž" * 251): "value_too_long First and Last",
    ("O\nna", ""): "control_character First and Last",
    ("", "Petr\x9fauskas"): "control_character First and Last",
}


def test_the_name_is_first_and_last_name() -> None:
    mapping = Mapping.model_validate({"email": "EMail", "first_name": "First", "last_name": "Last"})
    rows = [[f"{number}@example.com", *cells] for number, cells in enumerate([*NAMES, *BAD_NAMES])]

    planned = plan(
        lines(*rows, quoting=csv.QUOTE_ALL), mapping=mapping, parts=[partition(columns=("EMail", "First", "Last"))]
    )

    assert [one["Name"] for one in planned.subscribers] == list(NAMES.values())
    assert planned.faults == list(BAD_NAMES.values())


@pytest.mark.parametrize("which", ["first_name", "last_name"])
def test_one_of_the_names_may_be_all_there_is(which: str) -> None:
    (found,) = mapped(["Ona"], {which: "Value"})

    assert isinstance(found, dict)
    assert found["Name"] == "Ona"


def test_what_is_not_mapped_is_not_sent() -> None:
    assert mapped(["Ona"], {}) == [{"EmailAddress": "0@example.com", "ConsentToTrack": "Unchanged"}]


MOBILES = {
    "+37060012345": "+37060012345",
    "+44 (7700) 900-123": "+447700900123",
    "+44.7700.900.123": "+447700900123",
    "+1234567": "+1234567",
    "+123456789012345": "+123456789012345",
    "": "",
    "  ": "",
    "+123456": "mobile_invalid Value",
    "+1234567890123456": "mobile_invalid Value",
    "+0447700900123": "mobile_invalid Value",
    "07700900123": "mobile_invalid Value",
    "00447700900123": "mobile_invalid Value",
    "+44 7700 90012x": "mobile_invalid Value",
    "+44/7700900123": "mobile_invalid Value",
    "++447700900123": "mobile_invalid Value",
    "+٣٧٠٦٠٠١٢٣٤٥": "mobile_invalid Value",
    "+4477009\n00123": "mobile_invalid Value",
    "n/a": "mobile_invalid Value",
}


def test_mobile_numbers() -> None:
    found = mapped(MOBILES, {"mobile_number": "Value"})

    assert [one if isinstance(one, str) else one["MobileNumber"] for one in found] == list(MOBILES.values())


CLEARED = {"Value": "", "Clear": True}
TEXTS = {
    "Kaunas": "Kaunas",
    " Kaunas \r\n": "Kaunas",
    "": CLEARED,
    " \t ": CLEARED,
    "x" * 250: "x" * 250,
    "𠮷" * 250: "𠮷" * 250,
    "x" * 251: "value_too_long Value",
    "𠮷" * 251: "value_too_long Value",
    f" {'x' * 250} ": "x" * 250,
    "2024-02-29": "2024/02/29",
    "1900-01-01": "1900/01/01",
    "2076-06-06": "2076/06/06",
    "1899-12-31": "date_out_of_range Value",
    "2076-06-07": "date_out_of_range Value",
    "0001-01-01": "date_out_of_range Value",
    "9999-12-31": "date_out_of_range Value",
    "2023-02-29": "2023-02-29",  # is no date, so it is text
    "2024-13-01": "2024-13-01",
    "2024/02/29": "2024/02/29",
    "1812/06/24": "1812/06/24",
    "2024-2-29": "2024-2-29",
    "20240229": "20240229",
    "-999-01-01": "-999-01-01",
    "infinity": "infinity",
    "epoch": "epoch",
    "12345-01-01": "12345-01-01",
    "2024-02-29T10:00:00Z": "2024-02-29T10:00:00Z",
    "1812-06-24T10:00:00Z": "1812-06-24T10:00:00Z",
    "null": "null",
    "NULL": "NULL",
    "=1+2": "=1+2",
    '"': '"',
    "\\": "\\",
    '\\"},{"Key":"x': '\\"},{"Key":"x',
    "🍀👨‍👩‍👧": "🍀👨‍👩‍👧",
    "a\u2028b\u2029c": "a\u2028b\u2029c",
    "Ru\u0304ta": "Ru\u0304ta",
    "a\x00b": "control_character Value",
    "a\x01b": "control_character Value",
    "a\tb": "control_character Value",
    "a\nb": "control_character Value",
    "a\rb": "control_character Value",
    "a\x1fb": "control_character Value",
    "a\x7fb": "control_character Value",
    "a\x80b": "control_character Value",
    "a\x85b": "control_character Value",
    "a\x9fb": "control_character Value",
}


@pytest.mark.parametrize("data_type", ["Text", "Number", "MultiSelectOne", "Country"])
def test_custom_fields(data_type: str) -> None:
    assert dict(zip(TEXTS, custom(TEXTS, data_type), strict=True)) == TEXTS


DATES = {
    "2024-02-29": "2024/02/29",
    "2024/02/29": "2024/02/29",
    " 2024-02-29 ": "2024/02/29",
    "2024-02-29T10:00:00Z": "2024/02/29",
    "2024-02-29 10:00:00Z": "2024/02/29",
    "2024-02-29T23:30:00-08:00": "2024/02/29",
    "1900-01-01": "1900/01/01",
    "2076-06-06T23:59:59Z": "2076/06/06",
    "": CLEARED,
    "1899-12-31": "date_out_of_range Value",
    "2076-06-07T00:00:00Z": "date_out_of_range Value",
    "2023-02-29": "date_invalid Value",
    "2024-2-29": "date_invalid Value",
    "29.02.2024": "date_invalid Value",
    "2/29/2024": "date_invalid Value",
    "2024-02-29x": "date_invalid Value",
    "2024-02-291": "date_invalid Value",
    "-999-01-01": "date_invalid Value",
    "0000-00-00": "date_invalid Value",
    "infinity": "date_invalid Value",
    "epoch": "date_invalid Value",
    "today": "date_invalid Value",
    "x" * 251: "value_too_long Value",
    "2024-02-29T\x00": "control_character Value",
}


def test_date_fields_take_dates_alone() -> None:
    assert dict(zip(DATES, custom(DATES, "Date"), strict=True)) == DATES


@pytest.mark.parametrize("consent", ["Yes", "No", "Unchanged"])
def test_consent_to_track(consent: str) -> None:
    (found,) = mapped([""], {"consent_to_track": consent})

    assert found == {"EmailAddress": "0@example.com", "ConsentToTrack": consent}


def test_the_first_fault_of_a_row_is_told() -> None:
    mapping = Mapping.model_validate(
        {"email": "EMail", "first_name": "First", "custom_fields": [{"key": "Field", "column": "Value"}]}
    )
    columns = ("EMail", "First", "Value")

    planned = plan(
        lines(["bad", "a\tb", "x" * 251], [EMAIL, "a\tb", "x" * 251], [EMAIL, "a", "x" * 251]),
        mapping=mapping,
        fields={"field": Field("Field", "Text")},
        parts=[partition(columns=columns)],
    )

    assert planned.faults == ["email_invalid EMail", "control_character First", "value_too_long Value"]
