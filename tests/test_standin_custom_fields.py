"""Custom fields: what a list may define, and what becomes of the values that are sent for them."""

from typing import Any

import pytest
from standin_calls import LIST, Caller, failure_codes, row, with_values

pytest_plugins = ["standin_fixtures"]

PATH = f"lists/{LIST}/customfields"
LONG = "x" * 251


def after(standin: Caller, *submitted: dict[str, Any]) -> dict[str, Any]:
    """The stored fields of the one subscriber after these imports."""
    for each in submitted:
        assert standin.imported(each).status_code == 201
    fields: dict[str, Any] = standin.stored()["jane@example.com"]["fields"]
    return fields


def created(standin: Caller, **body: Any) -> Any:
    return standin.api("POST", f"{PATH}.json", json={"FieldName": "New", "DataType": "Text"} | body)


def test_unknown_key_is_dropped_without_a_word(standin: Caller) -> None:
    assert after(standin, with_values(("Nothing", "a"), ("[]", "b"), ("Website", "c"))) == {"Website": "c"}


@pytest.mark.parametrize("key", ["Website", "[Website]", "website", "[WEBSITE]"])
def test_key_with_and_without_brackets(standin: Caller, key: str) -> None:
    assert after(standin, with_values((key, "a"))) == {"Website": "a"}


def test_select_many_repeats_its_key(standin: Caller) -> None:
    assert after(standin, with_values(("Interests", "magic"), ("Interests", "walks"))) == {
        "Interests": ["magic", "walks"]
    }


@pytest.mark.parametrize(("choice", "kept"), [("merge", ["magic", "walks"]), ("replace", ["walks"])])
def test_select_many_of_a_second_import(standin: Caller, choice: str, kept: list[str]) -> None:
    standin.options(import_select_many=choice)
    assert after(standin, with_values(("Interests", "magic")), with_values(("Interests", "walks"))) == {
        "Interests": kept
    }


def test_clear_of_select_many_takes_one_option_or_all(standin: Caller) -> None:
    both = with_values(("Interests", "magic"), ("Interests", "walks"))
    assert after(standin, both, with_values(("Interests", "magic"), clear=True)) == {"Interests": ["walks"]}
    assert after(standin, with_values(("Interests", ""), clear=True)) == {}


def test_update_that_only_takes_an_option_away_keeps_the_others(standin: Caller) -> None:
    standin.imported(with_values(("Interests", "magic"), ("Interests", "walks")))
    body = with_values(("Interests", "magic"), clear=True)
    standin.api("PUT", f"subscribers/{LIST}.json?email=jane@example.com", json=body)
    assert standin.stored()["jane@example.com"]["fields"] == {"Interests": ["walks"]}


def test_clear_empties_any_other_field(standin: Caller) -> None:
    filled = with_values(("Website", "a"), ("Age", "5"), ("Birthday", "1990-01-02"))
    cleared = with_values(("Website", ""), ("Age", ""), ("Birthday", ""), clear=True)
    assert after(standin, filled, cleared) == {}


@pytest.mark.parametrize(("choice", "left"), [("ignored", {"Website": "a"}), ("clears", {})])
def test_empty_value_without_clear(standin: Caller, choice: str, left: dict[str, str]) -> None:
    standin.options(empty_value=choice)
    assert after(standin, with_values(("Website", "a")), with_values(("Website", ""))) == left


def test_zero_date_clears(standin: Caller) -> None:
    assert after(standin, with_values(("Birthday", "1990/01/02")), with_values(("Birthday", "0000-00-00"))) == {}


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("1990/01/02", "1990-01-02"),
        ("1990-01-02", "1990-01-02"),
        ("1900-01-01", "1900-01-01"),
        ("2076/06/06", "2076-06-06"),
        ("1899-12-31", None),
        ("2076-06-07", None),
        ("02/01/1990", None),
        ("1990-02-30", None),
    ],
)
def test_dates(standin: Caller, value: str, stored: str | None) -> None:
    assert after(standin, with_values(("Birthday", value))).get("Birthday") == stored


@pytest.mark.parametrize(("choice", "stored"), [("drop", "before"), ("truncate", "x" * 250)])
def test_value_of_251_characters(standin: Caller, choice: str, stored: str) -> None:
    standin.options(long_value=choice)
    assert after(standin, with_values(("Website", "before")), with_values(("Website", LONG)))["Website"] == stored


@pytest.mark.parametrize(
    ("option", "key", "value"),
    [("long_value", "Website", LONG), ("bad_value", "Age", "old"), ("undefined_option", "Colour", "blue")],
)
def test_value_can_fail_the_row(standin: Caller, option: str, key: str, value: str) -> None:
    assert after(standin, with_values((key, value))) == {}
    standin.options(**{option: "fail"})
    answer = standin.imported(with_values((key, value)), row("john@example.com"))
    assert failure_codes(answer) == {"jane@example.com": 202}
    assert "john@example.com" in standin.stored()


def test_250_characters_are_taken(standin: Caller) -> None:
    assert after(standin, with_values(("Website", LONG[1:]))) == {"Website": LONG[1:]}


@pytest.mark.parametrize("value", ["5", "-5", "5.25", "+5"])
def test_numbers(standin: Caller, value: str) -> None:
    assert after(standin, with_values(("Age", value))) == {"Age": value}


def test_undefined_option_can_be_stored(standin: Caller) -> None:
    standin.options(undefined_option="store")
    assert after(standin, with_values(("Colour", "blue"), ("Interests", "chess"), ("Interests", "golf"))) == {
        "Colour": "blue",
        "Interests": ["chess", "golf"],
    }


def test_fields_of_a_list(standin: Caller) -> None:
    fields = standin.api("GET", f"{PATH}.json").json()
    assert [each["Key"] for each in fields] == ["[Website]", "[Age]", "[Birthday]", "[Colour]", "[Interests]"]
    assert fields[3] == {
        "FieldName": "Colour",
        "Key": "[Colour]",
        "DataType": "MultiSelectOne",
        "FieldOptions": ["red", "green"],
        "VisibleInPreferenceCenter": True,
    }


def test_create_answers_the_key_alone(standin: Caller) -> None:
    answer = created(standin, FieldName="New date field", DataType="Date", VisibleInPreferenceCenter=False)
    assert (answer.status_code, answer.text) == (201, '"[Newdatefield]"')
    assert standin.api("GET", f"{PATH}.json").json()[-1]["VisibleInPreferenceCenter"] is False


def test_name_without_latin_letters_gives_an_unusable_key(standin: Caller) -> None:
    assert created(standin, FieldName="Город").json() == "[]"
    assert after(standin, with_values(("[]", "a"), ("Город", "b"))) == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"FieldName": "website"}, 255),
        ({"FieldName": ""}, 254),
        ({"FieldName": "x" * 101}, 254),
        ({"Options": ["a"]}, 256),
        ({"DataType": "MultiSelectOne"}, 257),
        ({"DataType": "Blob"}, 259),
        ({"DataType": 5}, 400),
        ({"Options": [1]}, 400),
    ],
)
def test_create_refused(standin: Caller, body: dict[str, Any], code: int) -> None:
    answer = created(standin, **body)
    assert (answer.status_code, answer.json()["Code"]) == (400, code)
    assert len(standin.api("GET", f"{PATH}.json").json()) == 5


def test_rename_changes_the_key_and_keeps_the_values(standin: Caller) -> None:
    standin.imported(with_values(("Website", "a")))
    answer = standin.api("PUT", f"{PATH}/%5BWebsite%5D.json", json={"FieldName": "Home page"})
    assert answer.json() == "[Homepage]"
    assert after(standin, with_values(("Website", "b"))) == {"Homepage": "a"}


def test_options_are_replaced_or_added_to(standin: Caller) -> None:
    for keep, options in ((True, ["red", "green", "blue"]), (False, ["blue"])):
        body = {"Options": ["blue"], "KeepExistingOptions": keep}
        answer = standin.api("PUT", f"{PATH}/%5BColour%5D/options.json", json=body)
        assert (answer.status_code, answer.content) == (200, b"")
        assert standin.api("GET", f"{PATH}.json").json()[3]["FieldOptions"] == options


def test_deleted_field_is_gone_with_its_values(standin: Caller) -> None:
    standin.imported(with_values(("Website", "a")))
    assert standin.api("DELETE", f"{PATH}/%5BWebsite%5D.json").content == b""
    assert standin.stored()["jane@example.com"]["fields"] == {}


@pytest.mark.parametrize("key", ["Website", "%5BNothing%5D"])
def test_field_endpoints_want_an_existing_key_in_brackets(standin: Caller, key: str) -> None:
    answer = standin.api("DELETE", f"{PATH}/{key}.json")
    assert (answer.status_code, answer.json()["Code"]) == (400, 253)
