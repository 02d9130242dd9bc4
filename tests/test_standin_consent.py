"""Consent to track and to send texts: mandatory, strict about values, held per client and address."""

import pytest
from standin_calls import CLIENT, LIST, Caller, failure_codes, row

pytest_plugins = ["standin_fixtures"]


def shown(standin: Caller, email: str = "jane@example.com", list_id: str = LIST) -> tuple[str, str]:
    query = f"email={email}&includetrackingpreference=true&includesmspreference=true"
    record = standin.api("GET", f"subscribers/{list_id}.json?{query}").json()
    return record["ConsentToTrack"], record["ConsentToSendSms"]


@pytest.mark.parametrize("code", [214, -213])
@pytest.mark.parametrize("consent", [None, ""])
def test_missing_consent_fails_the_request(standin: Caller, code: int, consent: str | None) -> None:
    standin.options(missing_consent_code=code)
    answer = standin.imported(row("john@example.com"), row(ConsentToTrack=consent))
    assert answer.json() == {"Code": code, "Message": "Please provide a consent to track value"}
    assert answer.status_code == 400
    assert not standin.stored()


def test_bad_consent_can_be_215(standin: Caller) -> None:
    standin.options(invalid_consent="215")
    assert standin.imported(row(ConsentToTrack="maybe")).json()["Code"] == 215


def test_consent_can_be_judged_by_row(standin: Caller) -> None:
    standin.options(consent_scope="row")
    answer = standin.imported(row("john@example.com"), row(ConsentToTrack=None))
    assert failure_codes(answer) == {"jane@example.com": 214}
    assert list(standin.stored()) == ["john@example.com"]


@pytest.mark.parametrize("spelling", ["yes", "Yes", "YES"])
def test_case_does_not_matter(standin: Caller, spelling: str) -> None:
    standin.imported(row(ConsentToTrack=spelling, ConsentToSendSms=spelling))
    assert shown(standin) == ("Yes", "Yes")


def test_consent_holds_for_all_lists_of_the_client(standin: Caller) -> None:
    standin.control("POST", "lists", {"client_id": CLIENT, "id": "second", "title": "Second"})
    standin.imported(row(ConsentToTrack="No"))
    standin.api("POST", "subscribers/second/import.json", json={"Subscribers": [row()]})
    assert shown(standin, list_id="second") == ("No", "")


@pytest.mark.parametrize(("choice", "consent"), [("yes", "Yes"), ("unknown", "")])
def test_unchanged_for_a_newcomer(standin: Caller, choice: str, consent: str) -> None:
    standin.options(unchanged_consent_of_newcomer=choice)
    standin.imported(row())
    assert shown(standin) == (consent, "")


def test_consent_is_shown_only_on_request(standin: Caller) -> None:
    standin.imported(row())
    record = standin.api("GET", f"subscribers/{LIST}.json?email=jane@example.com").json()
    assert not {"ConsentToTrack", "ConsentToSendSms"} & record.keys()
