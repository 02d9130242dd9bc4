"""What can be read about the account: the date, clients, lists and their counters."""

import re

import pytest
from standin_calls import CLIENT, KEY, LIST, Caller, row

pytest_plugins = ["standin_fixtures"]


def test_system_date_has_no_zone(standin: Caller) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", standin.api("GET", "systemdate.json").json()["SystemDate"])


def test_dates_are_those_of_the_client(standin: Caller) -> None:
    standin.options(now="2026-11-23T20:30:00Z")
    sydney = {"id": "client-2", "name": "A", "timezone": "(GMT+10:00) Canberra, Melbourne, Sydney"}
    standin.control("POST", "clients", {"account": KEY, **sydney, "lists": [{"id": "list-2", "title": "Other"}]})
    standin.api("POST", "subscribers/list-2/import.json", json={"Subscribers": [row()]})
    record = standin.api("GET", "subscribers/list-2.json?email=jane@example.com").json()
    assert (record["Date"], record["ListJoinedDate"]) == ("2026-11-24 06:30:00", "2026-11-24 06:30:00")


def test_client_shows_its_key_and_time_zone(standin: Caller) -> None:
    client = standin.api("GET", f"clients/{CLIENT}.json").json()
    assert client["ApiKey"] == "key-of-the-client"
    assert client["BasicDetails"]["ClientID"] == CLIENT
    assert client["BasicDetails"]["TimeZone"].startswith("(GMT")


def test_lists_of_a_client(standin: Caller) -> None:
    assert standin.api("GET", f"clients/{CLIENT}/lists.json").json() == [{"ListID": LIST, "Name": "Newsletter"}]


def test_unknown_client_is_102(standin: Caller) -> None:
    answer = standin.api("GET", "clients/nobody/lists.json")
    assert (answer.status_code, answer.json()["Code"]) == (401, 102)


def test_lists_for_an_address(standin: Caller) -> None:
    standin.put({"email": "jane+news@example.com", "state": "Bounced"})
    shown = standin.api("GET", f"clients/{CLIENT}/listsforemail.json", params={"email": "jane+news@example.com"}).json()
    assert [(each["ListID"], each["ListName"], each["SubscriberState"]) for each in shown] == [
        (LIST, "Newsletter", "Bounced")
    ]
    assert shown[0]["DateSubscriberAdded"]


def test_details_of_a_list(standin: Caller) -> None:
    assert standin.api("GET", f"lists/{LIST}.json").json() == {
        "ConfirmedOptIn": False,
        "Title": "Newsletter",
        "UnsubscribePage": "",
        "ListID": LIST,
        "ConfirmationSuccessPage": "",
        "UnsubscribeSetting": "AllClientLists",
    }


def test_lists_are_made_changed_and_removed(standin: Caller) -> None:
    created = standin.api("POST", f"lists/{CLIENT}.json", json={"Title": "Second", "ConfirmedOptIn": True})
    path = f"lists/{created.json()}.json"
    assert (created.status_code, standin.api("GET", path).json()["ConfirmedOptIn"]) == (201, True)
    standin.api("PUT", path, json={"Title": "Renamed", "UnsubscribeSetting": "OnlyThisList"})
    assert standin.api("GET", path).json()["UnsubscribeSetting"] == "OnlyThisList"
    assert standin.api("DELETE", path).content == b""
    assert standin.api("GET", path).status_code == 401


@pytest.mark.parametrize(
    ("body", "code"),
    [({"Title": "Newsletter"}, 250), ({"Title": " "}, 251), ({"Title": "A", "UnsubscribeSetting": "None"}, 261)],
)
def test_list_refused(standin: Caller, body: dict[str, str], code: int) -> None:
    answer = standin.api("POST", f"lists/{CLIENT}.json", json=body)
    assert (answer.status_code, answer.json()["Code"]) == (400, code)


def test_stats_have_24_counters(standin: Caller) -> None:
    # A Wednesday, so that yesterday is in the week, and the second of a month, so that two days ago is not in it.
    for day, state in [
        ("2025-12-01", "Active"),
        ("2026-11-29", "Unsubscribed"),
        ("2026-11-30", "Unsubscribed"),
        ("2026-12-01", "Deleted"),
        ("2026-12-02", "Bounced"),
        ("2026-12-02", "Active"),
        ("2026-12-02", "Unconfirmed"),
    ]:
        standin.options(now=f"{day}T12:00:00Z")
        standin.put({"email": f"{state}-{day}@example.com", "state": state})
    counters = standin.api("GET", f"lists/{LIST}/stats.json").json()
    assert len(counters) == 24
    assert (counters["TotalActiveSubscribers"], counters["NewActiveSubscribersToday"]) == (2, 1)
    assert (counters["NewActiveSubscribersThisYear"], counters["NewActiveSubscribersYesterday"]) == (1, 0)
    assert (counters["UnsubscribesThisWeek"], counters["UnsubscribesThisMonth"]) == (1, 0)
    assert (counters["DeletedYesterday"], counters["DeletedToday"]) == (1, 0)
    assert (counters["TotalBounces"], counters["BouncesToday"]) == (1, 1)
