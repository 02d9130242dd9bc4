"""The five state lists and the suppression list, page by page."""

from typing import Any

import pytest
from standin_calls import CLIENT, LIST, Caller, row, with_values

pytest_plugins = ["standin_fixtures"]

SUPPRESSION = f"clients/{CLIENT}/suppressionlist.json"


def page(standin: Caller, state: str = "active", **query: object) -> dict[str, Any]:
    answer = standin.api("GET", f"lists/{LIST}/{state}.json", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def emails(shown: dict[str, Any]) -> list[str]:
    return [each["EmailAddress"] for each in shown["Results"]]


def people(number: int) -> list[dict[str, str]]:
    return [{"email": f"person{each:03}@example.com", "name": f"N{number - each:03}"} for each in range(number)]


@pytest.mark.parametrize("state", ["Active", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted"])
def test_each_state_has_its_list(standin: Caller, state: str) -> None:
    every = ("Active", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted")
    standin.put(*[{"email": f"{each.lower()}@example.com", "state": each} for each in every])
    shown = page(standin, state.lower())
    assert [(each["EmailAddress"], each["State"]) for each in shown["Results"]] == [
        (f"{state.lower()}@example.com", state)
    ]


def test_envelope_and_pages(standin: Caller) -> None:
    standin.put(*people(25))
    last = page(standin, page=3, pagesize=10)
    assert emails(last) == [f"person{each:03}@example.com" for each in range(20, 25)]
    assert {name: value for name, value in last.items() if name != "Results"} == {
        "ResultsOrderedBy": "email",
        "OrderDirection": "asc",
        "PageNumber": 3,
        "PageSize": 10,
        "RecordsOnThisPage": 5,
        "TotalNumberOfRecords": 25,
        "NumberOfPages": 3,
    }
    assert page(standin, page=4, pagesize=10)["Results"] == []


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("order", ["email", "name", "date"])
def test_walk_meets_everyone_once_in_order(standin: Caller, order: str, direction: str) -> None:
    standin.put(*people(25))
    walked = []
    for number in (1, 2, 3):
        walked += page(standin, page=number, pagesize=10, orderfield=order, orderdirection=direction)["Results"]
    keys = [each["Name"] if order == "name" else each["EmailAddress"] for each in walked]
    assert len(set(keys)) == 25
    assert keys == sorted(keys, reverse=direction == "desc")


def test_walk_over_a_moving_list_skips(standin: Caller) -> None:
    """Plain offsets: who leaves an early page moves the others up."""
    standin.put(*people(25))
    first = emails(page(standin, pagesize=10))
    standin.put({"email": first[0], "state": "Deleted"})
    second = emails(page(standin, page=2, pagesize=10))
    assert second[0] == "person011@example.com"
    assert page(standin, page=2, pagesize=10)["TotalNumberOfRecords"] == 24


def test_default_page_is_a_thousand(standin: Caller) -> None:
    standin.put(*people(1001))
    shown = page(standin)
    assert (shown["PageSize"], shown["RecordsOnThisPage"], shown["NumberOfPages"]) == (1000, 1000, 2)


@pytest.mark.parametrize("path", [f"lists/{LIST}/active.json", SUPPRESSION])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"page": 0}, 800),
        ({"page": "x"}, 800),
        ({"pagesize": 9}, 801),
        ({"pagesize": 1001}, 801),
        ({"orderfield": "age"}, 802),
        ({"orderdirection": "up"}, 803),
        ({"date": "yesterday"}, 5),
    ],
)
def test_page_refused(standin: Caller, path: str, query: dict[str, Any], code: int) -> None:
    answer = standin.api("GET", path, params=query)
    assert (answer.status_code, answer.json()["Code"]) == (400, code)


def test_date_asks_for_changes_of_state_since(standin: Caller) -> None:
    standin.options(now="2026-11-01T12:00:00Z")
    standin.put({"email": "old@example.com"}, {"email": "left@example.com"})
    standin.options(now="2026-11-20T12:00:00Z")
    standin.api("POST", f"subscribers/{LIST}/unsubscribe.json", json={"EmailAddress": "left@example.com"})
    standin.imported(row("old@example.com", Name="Updated"))
    assert emails(page(standin, "unsubscribed", date="2026-11-20")) == ["left@example.com"]
    assert emails(page(standin, "unsubscribed", date="2026-11-21")) == []
    assert emails(page(standin, date="2026-11-02")) == []
    left = page(standin, "unsubscribed")["Results"][0]
    assert (left["ListJoinedDate"], left["Date"]) == ("2026-11-01 12:00:00", "2026-11-20 12:00:00")


def test_record_has_all_that_a_client_expects(standin: Caller) -> None:
    standin.control("POST", "fields", {"list_id": LIST, "fields": [{"name": "Home town"}]})
    standin.imported(
        with_values(("Interests", "magic"), ("Interests", "chess"), ("[Hometown]", "Bern"))
        | {"ConsentToTrack": "No", "MobileNumber": "+61491570006"}
    )
    record = page(standin)["Results"][0]
    assert record.keys() == {
        "EmailAddress",
        "Name",
        "MobileNumber",
        "Date",
        "ListJoinedDate",
        "State",
        "CustomFields",
        "ReadsEmailWith",
    }
    assert record["CustomFields"] == [
        {"Key": "Interests", "Value": "magic"},
        {"Key": "Interests", "Value": "chess"},
        {"Key": "Home town", "Value": "Bern"},
    ]
    asked = page(standin, includetrackingpreference="True", includesmspreference="true")["Results"][0]
    assert (asked["ConsentToTrack"], asked["ConsentToSendSms"]) == ("No", "")
    standin.options(record_key="tag")
    assert page(standin)["Results"][0]["CustomFields"][-1]["Key"] == "[Hometown]"


def test_suppression_list(standin: Caller) -> None:
    body = {"EmailAddresses": ["b@example.com", "A@example.com"]}
    assert standin.api("POST", f"clients/{CLIENT}/suppress.json", json=body).content == b""
    shown = standin.api("GET", SUPPRESSION, params={"pagesize": 10}).json()
    assert emails(shown) == ["A@example.com", "b@example.com"]
    assert shown["Results"][0].keys() == {"SuppressionReason", "EmailAddress", "Date", "State"}
    assert shown["Results"][0]["State"] == "Suppressed"
    unsuppress = f"clients/{CLIENT}/unsuppress.json?email=a@example.com"
    assert standin.api("PUT", unsuppress).status_code == 200
    assert standin.api("PUT", unsuppress).json()["Code"] == 176
    assert emails(standin.api("GET", SUPPRESSION).json()) == ["b@example.com"]


def test_unreadable_suppression(standin: Caller) -> None:
    answer = standin.api("POST", f"clients/{CLIENT}/suppress.json", json={"EmailAddresses": [5]})
    assert answer.json()["Code"] == 400
