"""The service's own client library, pointed at the stand-in: it must find all that it expects."""

from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import createsend
import createsend.createsend
import pytest
from createsend import BadRequest, Client, CreateSend, ExpiredOAuthToken, List, NotFound, Subscriber, Unauthorized
from standin_calls import CLIENT, KEY, LIST, Caller, row

pytest_plugins = ["standin_fixtures"]

AUTH = {"api_key": KEY}
STATS = [
    f"{name}{period}"
    for name in ("NewActiveSubscribers", "Unsubscribes", "Deleted", "Bounces")
    for period in ("Today", "Yesterday", "ThisWeek", "ThisMonth", "ThisYear")
]


@pytest.fixture(autouse=True)
def plain_http(standin: Caller, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library speaks only HTTPS, to one host."""
    monkeypatch.setattr(createsend.createsend, "VerifiedHTTPSConnection", HTTPConnection)
    monkeypatch.setattr(CreateSend, "base_uri", f"{standin.url}/api/v3.3")
    monkeypatch.setattr(CreateSend, "oauth_token_uri", f"{standin.url}/oauth/token")
    yield


def subscriber(email: str = "jane@example.com") -> Subscriber:
    return Subscriber(AUTH, LIST, email)


def imported(*rows: dict[str, Any], resubscribe: bool = False) -> Any:
    return Subscriber(AUTH).import_subscribers(LIST, list(rows), resubscribe)


def token(standin: Caller, state: str) -> dict[str, str]:
    body = {"account": KEY, "access_token": "access", "refresh_token": "refresh", "state": state}
    standin.control("PUT", "tokens", body)
    return {"access_token": "access", "refresh_token": "refresh"}


def test_import_that_succeeds() -> None:
    result = imported(row(), row("john@example.com"))
    assert (result.TotalUniqueEmailsSubmitted, result.TotalNewSubscribers) == (2, 2)
    assert (result.TotalExistingSubscribers, result.FailureDetails, result.DuplicateEmailsInSubmission) == (0, [], [])


def test_import_with_failures_is_a_result() -> None:
    result = imported(row(), row("bad"))
    assert (result.TotalNewSubscribers, len(result.FailureDetails)) == (1, 1)
    failure = result.FailureDetails[0]
    assert (failure.EmailAddress, failure.Code, failure.Message) == ("bad", 1, "Invalid Email Address")
    assert subscriber().get().State == "Active"


def test_import_that_fails_as_a_whole_raises() -> None:
    with pytest.raises(BadRequest) as caught:
        imported()
    assert caught.value.data.Code == 212
    with pytest.raises(BadRequest, match="Failed to deserialize"):
        imported(row(CustomFields=[{"Key": "Age", "Value": ["5"]}]))


def test_add_update_unsubscribe_delete() -> None:
    values = [{"Key": "Website", "Value": "a"}]
    assert Subscriber(AUTH).add(LIST, "jane@example.com", "Jane", values, False, "Yes") == "jane@example.com"
    jane = subscriber()
    jane.update("jane.doe@example.com", "Jane Doe", [], False, "No", mobile_number="+61491570006")
    found = subscriber("jane.doe@example.com").get(include_tracking_preference=True)
    assert (found.Name, found.MobileNumber, found.ConsentToTrack) == ("Jane Doe", "+61491570006", "No")
    assert [(each.Key, each.Value) for each in found.CustomFields] == [("Website", "a")]
    jane.unsubscribe()
    assert jane.get().State == "Unsubscribed"
    jane.delete()
    assert jane.get().State == "Deleted"
    assert jane.history() == []


def test_subscriber_that_is_not_there_raises() -> None:
    for call in (subscriber().get, subscriber().unsubscribe, subscriber().delete):
        with pytest.raises(BadRequest) as caught:
            call()
        assert caught.value.data.Code == 203


def test_account_and_lists() -> None:
    assert len(CreateSend(AUTH).systemdate()) == len("2010-10-15 09:27:00")
    assert [(each.ClientID, each.Name) for each in CreateSend(AUTH).clients()] == [(CLIENT, "Contoso")]
    client = Client(AUTH, CLIENT)
    assert client.details().BasicDetails.ClientID == CLIENT
    assert [(each.ListID, each.Name) for each in client.lists()] == [(LIST, "Newsletter")]
    imported(row())
    assert [each.ListID for each in client.lists_for_email("jane@example.com")] == [LIST]


def test_list_details_and_life() -> None:
    made = List(AUTH)
    made.create(CLIENT, "Second", "", True, "")
    made.update("Renamed", "", False, "", "OnlyThisList")
    details = made.details()
    assert (details.Title, details.ConfirmedOptIn, details.UnsubscribeSetting) == ("Renamed", False, "OnlyThisList")
    assert details.ListID == made.list_id
    made.delete()
    with pytest.raises(Unauthorized):
        made.details()


def test_stats() -> None:
    imported(row(), row("john@example.com"))
    subscriber().delete()
    stats = List(AUTH, LIST).stats()
    assert (stats.TotalActiveSubscribers, stats.TotalDeleted) == (1, 1)
    assert (stats.TotalUnsubscribes, stats.TotalBounces) == (0, 0)
    assert all(isinstance(getattr(stats, name), int) for name in STATS)


def test_custom_fields() -> None:
    fields = List(AUTH, LIST)
    assert fields.create_custom_field("Size", "MultiSelectOne", ["S", "M"]) == "[Size]"
    assert fields.update_custom_field("[Size]", "Shirt size", False) == "[Shirtsize]"
    fields.update_custom_field_options("[Shirtsize]", ["L"], True)
    last = fields.custom_fields()[-1]
    assert (last.FieldName, last.Key, last.DataType) == ("Shirt size", "[Shirtsize]", "MultiSelectOne")
    assert (last.FieldOptions, last.VisibleInPreferenceCenter) == (["S", "M", "L"], False)
    fields.delete_custom_field("[Shirtsize]")
    assert len(fields.custom_fields()) == 5
    with pytest.raises(BadRequest) as caught:
        fields.create_custom_field("Website", "Text")
    assert caught.value.data.Code == 255


@pytest.mark.parametrize("state", ["active", "unconfirmed", "unsubscribed", "bounced", "deleted"])
def test_state_lists_with_paging(standin: Caller, state: str) -> None:
    standin.put(*[{"email": f"p{each:02}@example.com", "state": state.capitalize()} for each in range(12)])
    read = getattr(List(AUTH, LIST), state)
    last = read(page=2, page_size=10, include_tracking_preference=True)
    assert [each.EmailAddress for each in last.Results] == ["p10@example.com", "p11@example.com"]
    assert (last.ResultsOrderedBy, last.OrderDirection) == ("email", "asc")
    assert (last.PageNumber, last.PageSize, last.RecordsOnThisPage) == (2, 10, 2)
    assert (last.TotalNumberOfRecords, last.NumberOfPages) == (12, 2)
    first = last.Results[0]
    assert (first.State, first.ConsentToTrack, first.ReadsEmailWith) == (state.capitalize(), "", "")
    assert first.Date == first.ListJoinedDate
    with pytest.raises(BadRequest) as caught:
        read(page_size=5)
    assert caught.value.data.Code == 801


def test_suppression() -> None:
    client = Client(AUTH, CLIENT)
    client.suppress("jane@example.com")
    client.suppress(["john@example.com"])
    shown = client.suppressionlist(page_size=10)
    assert [(each.EmailAddress, each.State) for each in shown.Results] == [
        ("jane@example.com", "Suppressed"),
        ("john@example.com", "Suppressed"),
    ]
    assert (shown.Results[0].SuppressionReason, shown.NumberOfPages) == ("Manual", 1)
    client.unsuppress("jane@example.com")
    with pytest.raises(BadRequest) as caught:
        client.unsuppress("jane@example.com")
    assert caught.value.data.Code == 176


def test_webhooks() -> None:
    fields = List(AUTH, LIST)
    webhook = fields.create_webhook(["Subscribe"], "http://127.0.0.1:1/hook", "json")
    fields.deactivate_webhook(webhook)
    (found,) = fields.webhooks()
    assert (found.WebhookID, found.Status, found.Events) == (webhook, "Deactivated", ["Subscribe"])
    fields.delete_webhook(webhook)
    assert fields.webhooks() == []


@pytest.mark.parametrize(("auth", "code"), [({"api_key": "wrong"}, 100), ({}, 100), ({"access_token": "no"}, 120)])
def test_wrong_credentials_are_unauthorized(auth: dict[str, str], code: int) -> None:
    with pytest.raises(Unauthorized) as caught:
        CreateSend(auth).clients()
    assert caught.value.data.Code == code
    assert not isinstance(caught.value, ExpiredOAuthToken)


def test_expired_token_is_refreshed_by_the_library(standin: Caller) -> None:
    account = CreateSend(token(standin, "expired"))
    with pytest.raises(ExpiredOAuthToken):
        account.clients()
    access, lifetime, refresh = account.refresh_token()
    assert (lifetime, account.auth_details) == (1_209_600, {"access_token": access, "refresh_token": refresh})
    assert len(account.clients()) == 1


def test_code_that_cannot_be_exchanged() -> None:
    with pytest.raises(Exception, match="invalid_grant - "):
        CreateSend().exchange_token("1", "secret", "https://app.example.com/", "no such code")


def test_endpoint_that_the_stand_in_lacks_is_not_found() -> None:
    with pytest.raises(NotFound):
        Client(AUTH, CLIENT).campaigns()


@pytest.mark.parametrize(("fault", "error"), [("500", createsend.ServerError), ("429", createsend.ClientError)])
def test_faults_that_the_library_can_read(standin: Caller, fault: str, error: type[Exception]) -> None:
    standin.faults({"kind": fault, "calls": [1]})
    with pytest.raises(error, match=f"Code: {fault}"):
        imported(row())


def test_compressed_answer_is_read(standin: Caller) -> None:
    standin.put(*[{"email": f"p{each:02}@example.com"} for each in range(50)])
    assert len(List(AUTH, LIST).active().Results) == 50
