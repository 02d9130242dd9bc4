"""One subscriber at a time."""

import time
from typing import Any

import pytest
import requests
from standin_calls import CLIENT, LIST, Caller, row, with_values

pytest_plugins = ["standin_fixtures"]

PATH = f"subscribers/{LIST}.json"


def add(standin: Caller, submitted: dict[str, Any]) -> requests.Response:
    return standin.api("POST", PATH, json=submitted)


def update(standin: Caller, email: str, submitted: dict[str, Any]) -> requests.Response:
    return standin.api("PUT", PATH, params={"email": email}, json=submitted)


def unsubscribe(standin: Caller, email: str = "jane@example.com") -> requests.Response:
    return standin.api("POST", f"subscribers/{LIST}/unsubscribe.json", json={"EmailAddress": email})


def delete(standin: Caller, email: str = "jane@example.com") -> requests.Response:
    return standin.api("DELETE", PATH, params={"email": email})


def suppressed(standin: Caller) -> list[str]:
    shown = standin.api("GET", f"clients/{CLIENT}/suppressionlist.json").json()
    return [each["EmailAddress"] for each in shown["Results"]]


def test_add_answers_the_address_in_quotes(standin: Caller) -> None:
    answer = add(standin, row())
    assert (answer.status_code, answer.text) == (201, '"jane@example.com"')
    assert standin.stored()["jane@example.com"]["state"] == "Active"


def test_add_updates(standin: Caller) -> None:
    add(standin, with_values(("Website", "a"), ("Age", "5")))
    add(standin, with_values(("Age", "6")))
    assert standin.stored()["jane@example.com"]["fields"] == {"Website": "a", "Age": "6"}


@pytest.mark.parametrize(
    ("submitted", "code"),
    [(row("bad"), 1), (row(MobileNumber="1"), 220), (row(ConsentToTrack=None), 214), (row(Name=5), 400)],
)
def test_add_refused(standin: Caller, submitted: dict[str, Any], code: int) -> None:
    answer = add(standin, submitted)
    assert (answer.status_code, answer.json()["Code"]) == (400, code)
    assert not standin.stored()


def test_add_of_someone_who_left(standin: Caller) -> None:
    standin.put({"email": "jane@example.com", "state": "Deleted", "name": "Before"})
    assert add(standin, row()).json()["Code"] == 205
    assert standin.stored()["jane@example.com"]["name"] == "Before"
    assert add(standin, row() | {"Resubscribe": True}).status_code == 201
    assert standin.stored()["jane@example.com"]["state"] == "Active"


def test_add_can_wait_in_a_queue(standin: Caller) -> None:
    standin.options(add_delay=0.2)
    assert add(standin, row()).status_code == 201
    assert standin.api("GET", PATH, params={"email": "jane@example.com"}).json()["Code"] == 203
    time.sleep(0.25)
    assert standin.api("GET", PATH, params={"email": "jane@example.com"}).status_code == 200


def test_address_added_too_often(standin: Caller) -> None:
    standin.options(same_address_seconds=60)
    assert add(standin, row()).status_code == 201
    again = add(standin, row("JANE@example.com"))
    assert (again.status_code, again.json()["Code"]) == (429, 429)
    assert again.json()["Message"] == "Subscriber was added too many times too quickly, try again later."
    assert not {"Retry-After", "X-RateLimit-Reset"} & again.headers.keys()
    assert add(standin, row("john@example.com")).status_code == 201


def test_plus_in_an_address_must_be_encoded(standin: Caller) -> None:
    add(standin, row("jane+news@example.com"))
    assert standin.api("GET", f"{PATH}?email=jane%2Bnews@example.com").status_code == 200
    assert standin.api("GET", f"{PATH}?email=jane+news@example.com").json()["Code"] == 203


def test_update_keeps_the_state_and_what_is_not_sent(standin: Caller) -> None:
    standin.put({"email": "jane@example.com", "state": "Unsubscribed", "fields": {"Website": "a"}})
    answer = update(standin, "jane@example.com", with_values(("Age", "5")))
    assert (answer.status_code, answer.content) == (200, b"")
    stored = standin.stored()["jane@example.com"]
    assert (stored["state"], stored["fields"]) == ("Unsubscribed", {"Website": "a", "Age": "5"})
    update(standin, "jane@example.com", row() | {"Resubscribe": True})
    assert standin.stored()["jane@example.com"]["state"] == "Active"


def test_update_replaces_select_many(standin: Caller) -> None:
    standin.imported(with_values(("Interests", "magic"), ("Interests", "walks")))
    update(standin, "jane@example.com", with_values(("Interests", "chess")))
    assert standin.stored()["jane@example.com"]["fields"] == {"Interests": ["chess"]}


def test_update_changes_the_address(standin: Caller) -> None:
    standin.put({"email": "jane@example.com", "fields": {"Age": "5"}}, {"email": "taken@example.com"})
    assert update(standin, "jane@example.com", row("taken@example.com")).json()["Code"] == 201
    assert update(standin, "jane@example.com", row("bad")).json()["Code"] == 211
    assert update(standin, "jane@example.com", row("new@example.com")).status_code == 200
    assert standin.stored().keys() == {"new@example.com", "taken@example.com"}
    assert standin.stored()["new@example.com"]["fields"] == {"Age": "5"}


def test_unsubscribe_also_suppresses_for_all_lists_of_the_client(standin: Caller) -> None:
    standin.put({"email": "jane@example.com"})
    answer = unsubscribe(standin)
    assert (answer.status_code, answer.content) == (200, b"")
    assert standin.stored()["jane@example.com"]["state"] == "Unsubscribed"
    assert suppressed(standin) == ["jane@example.com"]


def test_unsubscribe_from_only_this_list(standin: Caller) -> None:
    standin.api("PUT", f"lists/{LIST}.json", json={"Title": "Newsletter", "UnsubscribeSetting": "OnlyThisList"})
    standin.put({"email": "jane@example.com"})
    unsubscribe(standin)
    assert suppressed(standin) == []


def test_delete_does_not_suppress(standin: Caller) -> None:
    standin.put({"email": "jane@example.com"})
    answer = delete(standin)
    assert (answer.status_code, answer.content) == (200, b"")
    assert standin.stored()["jane@example.com"]["state"] == "Deleted"
    assert suppressed(standin) == []


def test_absent_subscriber_is_203(standin: Caller) -> None:
    history = standin.api("GET", f"subscribers/{LIST}/history.json?email=jane@example.com")
    read = standin.api("GET", f"{PATH}?email=jane@example.com")
    for answer in (read, history, update(standin, "jane@example.com", row()), unsubscribe(standin), delete(standin)):
        assert (answer.status_code, answer.json()["Code"]) == (400, 203)


@pytest.mark.parametrize("remove", [unsubscribe, delete])
def test_second_removal(standin: Caller, remove: Any) -> None:
    standin.put({"email": "jane@example.com"})
    remove(standin)
    assert remove(standin).json()["Code"] == 203
    standin.options(repeated_removal="200")
    assert remove(standin).status_code == 200


def test_history_of_someone_nobody_mailed(standin: Caller) -> None:
    standin.put({"email": "jane@example.com"})
    assert standin.api("GET", f"subscribers/{LIST}/history.json?email=jane@example.com").json() == []
