"""Columns and fields may have any name: they are data, in the query as in the JSON."""

import pytest
from reading import lines, partition, plan

from shared.catalog.documents import Mapping
from shared.errors import SegmentError
from shared.ports.destination import Field

HOSTILE = [
    "O'Neill",
    "'); DROP TABLE seen; --",
    '"); DROP TABLE seen; --',
    'say "hi"',
    "$1",
    "$email ? :name %s {0} {column}",
    "line",
    "email",
    "c0",
    "back\\slash",
    "new\nline",
    "nul\x00",
    "Miestas ąčę",
    "城市",
    "🍀",
    "x" * 512,
    " ",
    "-- comment",
    "/* comment",
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_column_of_any_name(name: str) -> None:
    mapping = Mapping.model_validate({"email": name, "custom_fields": [{"key": "Field", "column": name}]})

    planned = plan(
        lines(["1", "a@example.com"], ["2", "nobody"]),
        mapping=mapping,
        fields={"field": Field("Field", "Text")},
        parts=[partition(columns=("Id", name))],
    )

    assert planned.subscribers[0]["CustomFields"] == [{"Key": "Field", "Value": "a@example.com"}]
    (reject,) = planned.rejects
    assert (reject.column, reject.message) == (name, f"{name} is not an email address.")


@pytest.mark.parametrize("key", HOSTILE[:-3], ids=ascii)
def test_a_field_of_any_name(key: str) -> None:
    mapping = Mapping.model_validate({"email": "EMail", "custom_fields": [{"key": "F", "column": "City"}]})

    planned = plan("1,a@example.com,Cork\n", mapping=mapping, fields={"f": Field(key, "Text")})

    assert planned.subscribers[0]["CustomFields"] == [{"Key": key, "Value": "Cork"}]


def test_a_column_may_go_to_several_fields() -> None:
    fields = [{"key": "One", "column": "City"}, {"key": "Two", "column": "City"}]
    mapping = Mapping.model_validate({"email": "EMail", "first_name": "City", "custom_fields": fields})

    (found,) = plan(
        "1,a@example.com,2024-02-29\n",
        mapping=mapping,
        fields={"one": Field("One", "Text"), "two": Field("Two", "Date")},
    ).subscribers

    assert found["Name"] == "2024-02-29"
    assert [item["Value"] for item in found["CustomFields"]] == ["2024/02/29", "2024/02/29"]


@pytest.mark.parametrize("text", ["", "1,a@example.com,Cork\n"])
def test_a_missing_column_is_named_beside_those_there_are(text: str) -> None:
    fields = [{"key": "Field", "column": "Town"}]
    mapping = Mapping.model_validate({"email": "Mail", "custom_fields": fields})

    with pytest.raises(SegmentError) as raised:
        plan(text + "CustomerId,EMail,City\n", mapping=mapping, fields={"field": Field("Field", "Text")})

    assert raised.value.code == "columns_missing"
    assert "HighValueSegment_1.csv has no column Mail, Town," in raised.value.message
    assert "Its columns are: CustomerId, EMail, City." in raised.value.action


@pytest.mark.parametrize(
    "row",
    [
        "00000000000000000000000000000000;nobody at example.com;Jonas;Kazlauskas",
        "0f3c1d6e-6f0a-4b52-9d7c-2f1f6c0a9b11,nobody at example.com,Jonas",
        "C-1,nobody at example.com,Jonas",
        "Jonas,Kazlauskas,Kaunas",
        "Jonas|nobody at example.com|Kaunas",
    ],
)
@pytest.mark.parametrize("told", [None, ("CustomerId", "EMail", "FirstName")])
def test_a_profile_in_the_place_of_the_names_is_not_shown(row: str, told: tuple[str, ...] | None) -> None:
    """Where model.json does not tell the columns, nor the delimiter, the row may be anything; where it does, it may be
    wrong about the row of names."""
    with pytest.raises(SegmentError) as raised:
        plan(f"{row}\n", mapping=Mapping(email="EMail"), parts=[partition(columns=told, header=True)])

    assert raised.value.code in ("header_missing", "columns_missing")
    said = raised.value.message + raised.value.action
    assert not [word for word in ("Jonas", "nobody", "0000", "0f3c", "C-1") if word in said]


def test_columns_are_the_same_only_in_the_same_letters() -> None:
    with pytest.raises(SegmentError, match="has no column email,"):
        plan("1,a@example.com,Cork\n", mapping=Mapping(email="email"))


def test_two_columns_of_a_name_cannot_be_mapped() -> None:
    part = partition(columns=("Id", "EMail", "EMail", "Other", "Other"))

    with pytest.raises(SegmentError, match="has several columns EMail,") as raised:
        plan("1,a@example.com,b@example.com,x,y\n", mapping=Mapping(email="EMail"), parts=[part])

    assert raised.value.code == "columns_ambiguous"


def test_two_columns_of_a_name_that_are_not_mapped_do_no_harm() -> None:
    part = partition(columns=("Other", "EMail", "Other"))

    assert plan("x,a@example.com,y\n", mapping=Mapping(email="EMail"), parts=[part]).emails == ["a@example.com"]
