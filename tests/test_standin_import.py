"""Imports: what is stored, what is refused, and how the service says so."""

import json
from typing import Any

import pytest
from standin_calls import CLIENT, LIST, Caller, failure_codes, result_of, row, with_values

pytest_plugins = ["standin_fixtures"]

STATES = {"Deleted": 205, "Unsubscribed": 206, "Bounced": 207, "Unconfirmed": 208}


def rows(number: int) -> list[dict[str, Any]]:
    return [row(f"person{each}@example.com") for each in range(number)]


def test_full_success(standin: Caller) -> None:
    answer = standin.imported(row("jane@example.com"), row("john@example.com", Name="John"))
    assert answer.status_code == 201
    assert answer.json() == {
        "FailureDetails": [],
        "TotalUniqueEmailsSubmitted": 2,
        "TotalExistingSubscribers": 0,
        "TotalNewSubscribers": 2,
        "DuplicateEmailsInSubmission": [],
    }
    assert {email: each["name"] for email, each in standin.stored().items()} == {
        "jane@example.com": "Jane Doe",
        "john@example.com": "John",
    }


def test_success_can_be_200(standin: Caller) -> None:
    standin.options(import_status=200)
    assert standin.imported(row()).status_code == 200


def test_partial_failure_stores_the_valid_rows(standin: Caller) -> None:
    answer = standin.imported(row("jane@example.com"), row("example+1@example"))
    assert answer.status_code == 400
    assert answer.json() == {
        "ResultData": {
            "TotalUniqueEmailsSubmitted": 2,
            "TotalExistingSubscribers": 0,
            "TotalNewSubscribers": 1,
            "DuplicateEmailsInSubmission": [],
            "FailureDetails": [{"EmailAddress": "example+1@example", "Code": 1, "Message": "Invalid Email Address"}],
        },
        "Code": 210,
        "Message": "Subscriber Import had some failures",
    }
    assert list(standin.stored()) == ["jane@example.com"]


@pytest.mark.parametrize("email", ["", "jane", "@example.com", "jane@", "jane doe@example.com", " jane@example.com"])
def test_invalid_address_is_row_code_1(standin: Caller, email: str) -> None:
    assert failure_codes(standin.imported(row(), row(email))) == {email: 1}


def test_spaces_around_an_address_can_be_trimmed(standin: Caller) -> None:
    standin.options(email_spaces="trim")
    assert standin.imported(row(" jane@example.com ")).status_code == 201
    assert list(standin.stored()) == ["jane@example.com"]


@pytest.mark.parametrize(("state", "code"), STATES.items())
def test_row_code_by_stored_state(standin: Caller, state: str, code: int) -> None:
    standin.put({"email": "gone@example.com", "state": state})
    answer = standin.imported(row("jane@example.com"), row("GONE@example.com"))
    assert answer.json()["Code"] == 210
    assert failure_codes(answer) == {"GONE@example.com": code}
    assert standin.stored()["gone@example.com"]["state"] == state


def test_refused_rows_may_be_updated_all_the_same(standin: Caller) -> None:
    standin.put({"email": "gone@example.com", "state": "Unsubscribed", "name": "Before"})
    standin.imported(row("gone@example.com", Name="After"))
    assert standin.stored()["gone@example.com"]["name"] == "After"
    standin.options(refused_row_fields="kept")
    standin.imported(row("gone@example.com", Name="Later"))
    assert standin.stored()["gone@example.com"]["name"] == "After"


def test_suppressed_address_is_204(standin: Caller) -> None:
    standin.put({"email": "gone@example.com", "state": "Unsubscribed", "suppressed": True})
    assert failure_codes(standin.imported(row("gone@example.com"))) == {"gone@example.com": 204}
    standin.options(suppression_first=False)
    assert failure_codes(standin.imported(row("gone@example.com"))) == {"gone@example.com": 206}


def test_suppressed_address_that_the_list_never_had(standin: Caller) -> None:
    standin.api("POST", f"clients/{CLIENT}/suppress.json", json={"EmailAddresses": ["gone@example.com"]})
    assert failure_codes(standin.imported(row("gone@example.com"))) == {"gone@example.com": 204}
    standin.options(suppressed_newcomer="add")
    assert standin.imported(row("gone@example.com")).status_code == 201


def test_mobile_numbers(standin: Caller) -> None:
    answer = standin.imported(
        row("good@example.com", MobileNumber="+61491570006"),
        row("local@example.com", MobileNumber="0491 570 006"),
        row("both", MobileNumber="0491 570 006"),
    )
    assert failure_codes(answer) == {"local@example.com": 220, "both": 221}
    assert standin.stored()["good@example.com"]["mobile"] == "+61491570006"


def test_bad_mobile_number_can_fail_the_request(standin: Caller) -> None:
    standin.options(bad_mobile="request")
    answer = standin.imported(row(), row("local@example.com", MobileNumber="0491"))
    assert (answer.status_code, answer.json()["Code"]) == (400, 220)
    assert not standin.stored()


@pytest.mark.parametrize("state", STATES)
def test_resubscribe_brings_everyone_back(standin: Caller, state: str) -> None:
    standin.put({"email": "gone@example.com", "state": state, "suppressed": True})
    answer = standin.imported(row("gone@example.com"), resubscribe=True)
    assert (answer.status_code, answer.json()["TotalExistingSubscribers"]) == (201, 1)
    stored = standin.stored()["gone@example.com"]
    assert (stored["state"], stored["suppressed"]) == ("Active", False)


def test_1001_rows_are_209_and_nothing_is_stored(standin: Caller) -> None:
    answer = standin.imported(*rows(1001))
    assert (answer.status_code, answer.json()["Code"]) == (400, 209)
    assert not standin.stored()
    assert standin.imported(*rows(1000)).status_code == 201


@pytest.mark.parametrize("body", [{"Subscribers": []}, {"Subscribers": None}, {}])
def test_no_rows_are_212(standin: Caller, body: object) -> None:
    answer = standin.api("POST", f"subscribers/{LIST}/import.json", json=body)
    assert (answer.status_code, answer.json()["Code"]) == (400, 212)


@pytest.mark.parametrize(
    "bad",
    [
        row("bad@example.com", Name=5),
        row("bad@example.com", EmailAddress=["bad@example.com"]),
        row("bad@example.com", ConsentToTrack="maybe"),
        row("bad@example.com", ConsentToSendSms="maybe"),
        row("bad@example.com", ConsentToTrack=True),
        row("bad@example.com", CustomFields=[{"Key": "Website", "Value": ["a", "b"]}]),
        row("bad@example.com", CustomFields=[{"Key": "Age", "Value": 5}]),
        row("bad@example.com", CustomFields=[{"Key": "Age", "Value": "5", "Clear": "yes"}]),
        row("bad@example.com", CustomFields={"Age": "5"}),
        "bad@example.com",
    ],
)
def test_unreadable_row_fails_the_request_and_names_no_row(standin: Caller, bad: object) -> None:
    answer = standin.api("POST", f"subscribers/{LIST}/import.json", json={"Subscribers": [row(), bad]})
    assert (answer.status_code, answer.json()["Code"]) == (400, 400)
    assert answer.json()["Message"].startswith("Failed to deserialize your request.")
    assert "bad@" not in answer.text
    assert not standin.stored()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"Subscribers": 5}', b'{"Resubscribe": "no"}'])
def test_unreadable_body(standin: Caller, body: bytes) -> None:
    answer = standin.api("POST", f"subscribers/{LIST}/import.json", data=body)
    assert (answer.status_code, answer.json()["Code"]) == (400, 400)


def test_names_of_members_do_not_mind_case(standin: Caller) -> None:
    fields = [{"key": "website", "VALUE": "https://example.com"}]
    members = {"emailaddress": "a@example.com", "CONSENTTOTRACK": "yes", "customFields": fields, "Resubscribe": 5}
    body = {"subscribers": [members]}
    answer = standin.api("POST", f"subscribers/{LIST}/import.json", json=body | {"Unheard": 1})
    assert answer.status_code == 201, answer.text
    assert standin.stored()["a@example.com"]["fields"] == {"Website": "https://example.com"}


def test_upsert_leaves_what_is_not_sent(standin: Caller) -> None:
    standin.imported(with_values(("Website", "a"), ("Age", "5")) | {"MobileNumber": "+61491570006"})
    answer = standin.imported(with_values(("Age", "6")) | {"Name": None}, row("john@example.com"))
    result = result_of(answer)
    assert (result["TotalExistingSubscribers"], result["TotalNewSubscribers"]) == (1, 1)
    stored = standin.stored()["jane@example.com"]
    assert stored["fields"] == {"Website": "a", "Age": "6"}
    assert (stored["name"], stored["mobile"]) == ("Jane Doe", "+61491570006")


def test_empty_mobile_number_clears_it(standin: Caller) -> None:
    standin.imported(row(MobileNumber="+61491570006"))
    standin.imported(row(MobileNumber=""))
    assert standin.stored()["jane@example.com"]["mobile"] == ""


def test_counts_add_up(standin: Caller) -> None:
    standin.put({"email": "old@example.com"}, {"email": "gone@example.com", "state": "Bounced"})
    emails = ["old@example.com", "new@example.com", "gone@example.com", "bad", "NEW@example.com", "bad"]
    result = result_of(standin.imported(*map(row, emails)))
    assert result["TotalUniqueEmailsSubmitted"] == 4
    assert result["TotalNewSubscribers"] + result["TotalExistingSubscribers"] + len(result["FailureDetails"]) == 4


@pytest.mark.parametrize(("winner", "name"), [("first", "One"), ("last", "Three")])
def test_duplicates_are_listed_once_and_one_wins(standin: Caller, winner: str, name: str) -> None:
    standin.options(duplicate_winner=winner)
    names = {"jane@example.com": "One", "Jane@example.com": "Two", "JANE@example.com": "Three"}
    answer = standin.imported(*[row(email, Name=each) for email, each in names.items()])
    result = answer.json()
    assert answer.status_code == 201
    assert [each.lower() for each in result["DuplicateEmailsInSubmission"]] == ["jane@example.com"]
    assert result["TotalUniqueEmailsSubmitted"] == result["TotalNewSubscribers"] == 1
    assert [each["name"] for each in standin.stored().values()] == [name]


def test_list_with_confirmed_opt_in_takes_newcomers_as_unconfirmed(standin: Caller) -> None:
    standin.control("POST", "lists", {"client_id": CLIENT, "id": "opt-in", "title": "O", "confirmed_opt_in": True})
    body = {"Subscribers": [row()]}
    first = standin.api("POST", "subscribers/opt-in/import.json", json=body)
    assert (first.status_code, first.json()["TotalNewSubscribers"]) == (201, 1)
    assert standin.stored("opt-in")["jane@example.com"]["state"] == "Unconfirmed"
    again = standin.api("POST", "subscribers/opt-in/import.json", json=body)
    assert failure_codes(again) == {"jane@example.com": 208}


def test_same_batch_twice_finds_everyone_there(standin: Caller) -> None:
    batch = rows(50)
    standin.imported(*batch)
    before = standin.stored()
    again = standin.imported(*batch).json()
    assert (again["TotalNewSubscribers"], again["TotalExistingSubscribers"]) == (0, 50)
    assert standin.stored() == before


def test_batch_in_which_all_rows_fail(standin: Caller) -> None:
    assert standin.imported(row("bad")).json()["Code"] == 210
    standin.options(all_refused="first-code")
    assert standin.imported(row("bad")).json() == {"Code": 1, "Message": "Invalid Email Address"}


@pytest.mark.parametrize(("choice", "answer"), [("401", (401, 101)), ("400", (400, 101)), ("404", (404, 404))])
def test_unknown_list(standin: Caller, choice: str, answer: tuple[int, int]) -> None:
    standin.options(unknown_list=choice)
    got = standin.api("POST", "subscribers/nobodys/import.json", json={"Subscribers": [row()]})
    assert (got.status_code, got.json()["Code"]) == answer


def test_counting_checks_the_envelope_and_stores_nothing(standin: Caller) -> None:
    standin.options(counting=True)
    assert standin.imported(*rows(7)).json()["TotalNewSubscribers"] == 7
    assert standin.imported(*rows(1001)).json()["Code"] == 209
    assert standin.imported().json()["Code"] == 212
    cut = json.dumps({"Subscribers": rows(2)}).encode()[:-1]
    assert standin.api("POST", f"subscribers/{LIST}/import.json", data=cut).json()["Code"] == 400
    assert standin.imported(*rows(1), auth=("wrong", "x")).status_code == 401
    assert not standin.stored()
