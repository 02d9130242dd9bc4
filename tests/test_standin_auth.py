"""Paths, and who may call them: credentials are looked at before the path."""

from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from standin_calls import CLIENT, KEY, LIST, Caller, row

pytest_plugins = ["standin_fixtures"]

INVALID_KEY = {"Code": 100, "Message": "Invalid API Key"}


def token(standin: Caller, state: str = "valid", **changes: Any) -> dict[str, str]:
    body = {"account": KEY, "access_token": "access", "refresh_token": "refresh", "state": state}
    standin.control("PUT", "tokens", body | changes)
    return {"Authorization": "Bearer access"}


def refreshed(standin: Caller, refresh_token: str) -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return standin.http.post(f"{standin.url}/oauth/token", data=form, timeout=10)


@pytest.mark.parametrize("version", ["v3.2", "v3.3"])
def test_both_versions_answer_json(standin: Caller, version: str) -> None:
    answer = standin.api("GET", "clients.json", version=version)
    assert (answer.status_code, answer.json()) == (200, [{"ClientID": CLIENT, "Name": "Contoso"}])


@pytest.mark.parametrize("path", ["clients", "clients.xml"])
def test_without_json_in_the_path_the_answer_is_xml(standin: Caller, path: str) -> None:
    answer = standin.api("GET", path)
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert [each.text for each in ElementTree.fromstring(answer.text).iter("ClientID")] == [CLIENT]


def test_old_version_knows_no_mobile_number(standin: Caller) -> None:
    standin.imported(row(MobileNumber="+61491570006"), version="v3.2")
    assert standin.stored()["jane@example.com"]["mobile"] == ""
    old = standin.api("GET", f"subscribers/{LIST}.json?email=jane@example.com", version="v3.2").json()
    new = standin.api("GET", f"subscribers/{LIST}.json?email=jane@example.com").json()
    assert new.keys() - old.keys() == {"MobileNumber", "ListJoinedDate"}


@pytest.mark.parametrize("password", ["x", "", "anything:at all"])
def test_any_password_will_do(standin: Caller, password: str) -> None:
    assert standin.api("GET", "systemdate.json", auth=(KEY, password)).status_code == 200


@pytest.mark.parametrize("path", ["api/v3.3/clients.json", "api/v3.3/no/such.json", "api/v3.9/clients.json", "other"])
def test_wrong_or_missing_key_is_noticed_before_the_path(standin: Caller, path: str) -> None:
    for auth in (("wrong", "x"), None):
        answer = standin.http.get(f"{standin.url}/{path}", auth=auth, timeout=10)
        assert answer.status_code == 401
    assert standin.api("GET", "no/such.json", auth=("wrong", "x")).json() == INVALID_KEY


def test_missing_credential_can_be_code_50(standin: Caller) -> None:
    assert standin.api("GET", "clients.json", auth=None).json() == INVALID_KEY
    standin.options(missing_auth_code=50)
    assert standin.api("GET", "clients.json", auth=None).json()["Code"] == 50
    assert standin.api("GET", "clients.json", auth=("wrong", "x")).json()["Code"] == 100


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "campaigns.json"), ("PATCH", "clients.json"), ("GET", "lists/list-1/nothing.json")]
)
def test_unknown_path_is_404_and_the_log_says_so(standin: Caller, method: str, path: str) -> None:
    answer = standin.api(method, path)
    assert (answer.status_code, answer.json()["Code"]) == (404, 404)
    assert standin.log()[-1]["note"] == "no such endpoint in the stand-in"


def test_a_key_of_a_client_sees_that_client_alone(standin: Caller) -> None:
    other = {"id": "client-2", "name": "Fabrikam", "lists": [{"id": "list-2", "title": "Other"}]}
    standin.control("POST", "clients", {"account": KEY, **other})
    key = ("key-of-the-client", "")
    assert [each["ClientID"] for each in standin.api("GET", "clients.json", auth=key).json()] == [CLIENT]
    assert len(standin.api("GET", "clients.json").json()) == 2
    assert standin.api("GET", "clients/client-2.json", auth=key).json()["Code"] == 102
    assert standin.api("GET", "lists/list-2.json", auth=key).json()["Code"] == 101


@pytest.mark.parametrize(("state", "code"), [("expired", 121), ("revoked", 122)])
def test_tokens_that_no_longer_work(standin: Caller, state: str, code: int) -> None:
    answer = standin.api("GET", "clients.json", auth=None, headers=token(standin, state))
    assert (answer.status_code, answer.json()["Code"]) == (401, code)


def test_unknown_token_is_120(standin: Caller) -> None:
    answer = standin.api("GET", "clients.json", auth=None, headers={"Authorization": "Bearer nobody's"})
    assert (answer.status_code, answer.json()["Code"]) == (401, 120)


def test_token_needs_the_scope(standin: Caller) -> None:
    headers = token(standin, scopes=["ManageLists"])
    assert standin.imported(row(), auth=None, headers=headers).json()["Code"] == 60
    assert standin.imported(row(), auth=None, headers=token(standin, scopes=["ImportSubscribers"])).status_code == 201


def test_refresh_gives_a_new_pair_and_ends_the_old_one(standin: Caller) -> None:
    old = token(standin, "expired")
    pair = refreshed(standin, "refresh").json()
    assert pair["expires_in"] == 1_209_600
    new = {"Authorization": f"Bearer {pair['access_token']}"}
    assert standin.api("GET", "clients.json", auth=None, headers=new).status_code == 200
    assert standin.api("GET", "clients.json", auth=None, headers=old).json()["Code"] == 120
    assert pair["refresh_token"] != "refresh"
    assert refreshed(standin, "refresh").json()["error"] == "invalid_grant"


def test_refresh_token_can_stay(standin: Caller) -> None:
    standin.options(refresh_rotates=False)
    token(standin)
    assert refreshed(standin, "refresh").json()["refresh_token"] == "refresh"


@pytest.mark.parametrize("status", [200, 400])
def test_invalid_grant(standin: Caller, status: int) -> None:
    standin.options(invalid_grant_status=status)
    answer = refreshed(standin, "nobody's")
    assert (answer.status_code, answer.json().keys()) == (status, {"error", "error_description"})
