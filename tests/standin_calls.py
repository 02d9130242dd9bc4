"""Builders and a small HTTP caller for the tests of the stand-in."""

import json
from dataclasses import dataclass
from typing import Any

import requests

KEY, CLIENT, LIST = "key-of-the-account", "client-1", "list-1"

FIELDS = [
    {"name": "Website"},
    {"name": "Age", "type": "Number"},
    {"name": "Birthday", "type": "Date"},
    {"name": "Colour", "type": "MultiSelectOne", "options": ["red", "green"]},
    {"name": "Interests", "type": "MultiSelectMany", "options": ["magic", "walks", "chess"]},
]


@dataclass(frozen=True)
class Caller:
    """Calls one running stand-in, over one kept connection."""

    url: str
    http: requests.Session

    def api(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """`path` below the version; with the account's key unless `auth` says otherwise."""
        arguments.setdefault("auth", (KEY, "x"))
        arguments.setdefault("timeout", 10)
        return self.http.request(method, f"{self.url}/api/{arguments.pop('version', 'v3.3')}/{path}", **arguments)

    def imported(self, *rows: dict[str, Any], **arguments: Any) -> requests.Response:
        body = {"Subscribers": list(rows), "Resubscribe": arguments.pop("resubscribe", False)}
        return self.api("POST", f"subscribers/{LIST}/import.json", json=body, **arguments)

    def control(self, method: str, path: str, body: object = None) -> requests.Response:
        answer = self.http.request(method, f"{self.url}/control/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer

    def options(self, **options: object) -> None:
        self.control("PUT", "options", options)

    def faults(self, *rules: dict[str, Any], seed: int = 0) -> None:
        self.control("PUT", "faults", {"seed": seed, "rules": list(rules)})

    def put(self, *subscribers: dict[str, Any]) -> None:
        self.control("PUT", "subscribers", {"list_id": LIST, "subscribers": list(subscribers)})

    def stored(self, list_id: str = LIST) -> dict[str, dict[str, Any]]:
        """What the list holds, by address."""
        lines = self.control("GET", f"lists/{list_id}/subscribers").text.splitlines()
        return {line["email"]: line for line in map(json.loads, lines)}

    def log(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = self.control("GET", "log").json()["calls"]
        return calls

    def seed(self) -> None:
        """Empties the stand-in and sets up an account, a client and a list with one field of each kind."""
        self.control("POST", "reset")
        lists = [{"id": LIST, "title": "Newsletter", "fields": FIELDS}]
        clients = [{"id": CLIENT, "name": "Contoso", "api_key": "key-of-the-client", "lists": lists}]
        self.control("POST", "accounts", {"api_key": KEY, "clients": clients})


def row(email: str = "jane@example.com", **changes: Any) -> dict[str, Any]:
    """A submitted subscriber; a change to None leaves the member out."""
    members = {"EmailAddress": email, "Name": "Jane Doe", "ConsentToTrack": "Unchanged"} | changes
    return {name: value for name, value in members.items() if value is not None}


def with_values(*values: tuple[str, str], email: str = "jane@example.com", clear: bool = False) -> dict[str, Any]:
    """A submitted subscriber with custom fields."""
    extra = {"Clear": True} if clear else {}
    return row(email, CustomFields=[{"Key": key, "Value": value} | extra for key, value in values])


def result_of(answer: requests.Response) -> dict[str, Any]:
    """The five fields of an import, wherever the service puts them."""
    body = answer.json()
    result: dict[str, Any] = body.get("ResultData", body)
    return result


def failure_codes(answer: requests.Response) -> dict[str, int]:
    """Row codes by address."""
    return {failure["EmailAddress"]: failure["Code"] for failure in result_of(answer)["FailureDetails"]}
