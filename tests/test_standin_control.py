"""The control path and the command: what a test or a demo sets up, and what it is told when it asks wrongly."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from standin_calls import KEY, LIST, Caller, row

from local.standin import Options, StandIn

pytest_plugins = ["standin_fixtures"]

README = Path(__file__).parents[1] / "local" / "standin" / "README.md"


def refused(standin: Caller, method: str, path: str, body: object) -> dict[str, Any]:
    answer = standin.http.request(method, f"{standin.url}/control/{path}", json=body, timeout=10)
    assert answer.status_code == 400, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(
    ("method", "path", "body", "wrong"),
    [
        ("POST", "accounts", {"name": 5}, "name"),
        ("POST", "lists", {"client_id": "client-1"}, "title"),
        ("POST", "lists", {"client_id": "client-1", "title": "A", "colour": "red"}, "colour"),
        ("POST", "fields", {"list_id": LIST, "fields": [{"name": "A", "type": "Blob"}]}, "fields.0.type"),
        ("PUT", "subscribers", {"list_id": LIST, "subscribers": [{"email": "a@b", "state": "Gone"}]}, "state"),
        ("PUT", "options", {"latency": -1}, "latency"),
        ("PUT", "options", {"latncy": 1}, "latncy"),
        ("PUT", "faults", {"rules": [{"kind": "418", "calls": [1]}]}, "rules.0.kind"),
        ("PUT", "faults", {"rules": [{"kind": "500"}]}, "either calls or probability"),
        ("PUT", "faults", {"rules": [{"kind": "500", "calls": [1], "path": "("}]}, "regular expression"),
        ("PUT", "tokens", [], "body"),
        ("GET", "log?path=(", None, "path"),
        ("GET", f"lists/{LIST}/subscribers?most=some", None, "most"),
    ],
)
def test_malformed_call_says_what_is_wrong_and_allowed(
    standin: Caller, method: str, path: str, body: object, wrong: str
) -> None:
    told = refused(standin, method, path, body)
    assert wrong in told["error"]
    assert told["allowed"]


def test_malformed_options_change_nothing(standin: Caller) -> None:
    refused(standin, "PUT", "options", {"latency": 5, "counting": "often"})
    assert standin.control("GET", "options").json()["latency"] == 0


def test_unknown_control_call_is_told_the_others(standin: Caller) -> None:
    answer = standin.http.get(f"{standin.url}/control/nothing", timeout=10)
    assert answer.status_code == 404
    assert "PUT /control/faults" in answer.json()["allowed"]


@pytest.mark.parametrize(
    ("method", "path", "body", "hint"),
    [
        ("POST", "lists", {"client_id": "nobody", "title": "A"}, "POST /control/clients"),
        ("POST", "clients", {"account": "nobody", "name": "A"}, "POST /control/accounts"),
        ("POST", "fields", {"list_id": "nothing", "fields": []}, "POST /control/lists"),
        ("POST", "lists", {"client_id": "client-1", "title": "A", "id": LIST}, "already"),
        ("POST", "accounts", {"api_key": KEY}, "already"),
        ("POST", "fields", {"list_id": LIST, "fields": [{"name": "Website"}]}, "255"),
        ("PUT", "subscribers", {"list_id": LIST, "subscribers": [{"email": "a@b", "fields": {"x": "y"}}]}, "website"),
        ("PUT", "keys", {"old": "nobody's", "new": "another"}, "POST /control/accounts"),
    ],
)
def test_call_that_does_not_fit_says_what_would(
    standin: Caller, method: str, path: str, body: object, hint: str
) -> None:
    assert hint in refused(standin, method, path, body)["error"]


def test_a_key_that_was_changed_opens_nothing_any_more(standin: Caller) -> None:
    standin.control("PUT", "keys", {"old": KEY, "new": "another"})
    assert standin.api("GET", "clients.json").status_code == 401
    assert standin.api("GET", "clients.json", auth=("another", "x")).status_code == 200


def test_refused_account_leaves_nothing_behind(standin: Caller) -> None:
    lists = [{"title": "A", "fields": [{"name": "Same"}, {"name": "same"}]}]
    refused(standin, "POST", "accounts", {"api_key": "second", "clients": [{"name": "B", "lists": lists}]})
    assert standin.api("GET", "clients.json", auth=("second", "x")).status_code == 401


def test_everything_is_given_an_identifier(standin: Caller) -> None:
    made = standin.control("POST", "accounts", {"clients": [{"name": "B", "lists": [{"title": "A"}]}]}).json()
    (client,) = made["clients"]
    lists = standin.api("GET", f"clients/{client['id']}/lists.json", auth=(made["api_key"], "x")).json()
    assert lists == [{"ListID": client["lists"][0]["id"], "Name": "A"}]


def test_dump_has_what_an_expectation_compares(standin: Caller) -> None:
    standin.imported(row(ConsentToTrack="No", CustomFields=[{"Key": "Age", "Value": "5"}]))
    standin.put({"email": "gone@example.com", "state": "Bounced", "suppressed": True, "fields": {"[Colour]": "red"}})
    assert list(standin.stored().values()) == [
        {
            "email": "gone@example.com",
            "name": "",
            "mobile": "",
            "state": "Bounced",
            "suppressed": True,
            "fields": {"Colour": "red"},
            "consent_to_track": "",
            "consent_to_send_sms": "",
        },
        {
            "email": "jane@example.com",
            "name": "Jane Doe",
            "mobile": "",
            "state": "Active",
            "suppressed": False,
            "fields": {"Age": "5"},
            "consent_to_track": "No",
            "consent_to_send_sms": "",
        },
    ]


def test_dump_can_be_read_in_parts(standin: Caller) -> None:
    standin.put(*[{"email": f"person{each}@example.com"} for each in range(5)])
    part = standin.control("GET", f"lists/{LIST}/subscribers?most=2&after=person1@example.com").text
    assert re.findall(r"person\d", part) == ["person2", "person3"]


def test_log_tells_batches_and_headers_but_no_addresses(standin: Caller) -> None:
    standin.imported(row("jane@example.com"), row("john@example.com"), headers={"Accept": "application/json"})
    standin.api("GET", f"subscribers/{LIST}.json?email=jane@example.com")
    text = standin.control("GET", "log").text
    assert "example.com" not in text
    assert KEY not in text
    imported = standin.log()[0]
    assert (imported["method"], imported["path"]) == ("POST", f"/api/v3.3/subscribers/{LIST}/import.json")
    assert (imported["rows"], imported["status"], imported["in_flight"]) == (2, 201, 1)
    assert imported["bytes"] > 100
    assert imported["headers"]["Accept"] == "application/json"
    assert imported["headers"]["Authorization"] == "Basic"


def test_log_can_be_narrowed_summed_and_cleared(standin: Caller) -> None:
    standin.imported(row())
    standin.imported(row("bad"), row("john@example.com"))
    standin.api("GET", "clients.json")
    summary = standin.control("GET", "log?summary=true&path=/import").json()
    assert summary == {"peak_in_flight": 1, "number": 2, "rows_by_status": {"201": 1, "400": 2}}
    standin.control("DELETE", "log")
    assert standin.log() == []


def test_reset_forgets_everything(standin: Caller) -> None:
    standin.options(counting=True)
    standin.faults({"kind": "500", "probability": 1})
    standin.control("POST", "reset")
    assert standin.api("GET", "clients.json").status_code == 401
    assert standin.control("GET", "options").json()["counting"] is False
    assert standin.control("GET", "faults").json()["rules"] == []


def test_state_survives_a_restart_when_asked_to(tmp_path: Path) -> None:
    path = str(tmp_path / "standin.db")
    with StandIn(path) as first, requests.Session() as http:
        Caller(first.url, http).seed()
        Caller(first.url, http).imported(row())
    with StandIn(path) as second, requests.Session() as http:
        again = Caller(second.url, http).imported(row()).json()
        assert again["TotalExistingSubscribers"] == 1


def test_kept_connections_end_with_the_server() -> None:
    with requests.Session() as http:
        with StandIn() as standin:
            assert http.get(f"{standin.url}/api/v3.3/clients.json", timeout=10).status_code == 401
        with pytest.raises(requests.ConnectionError):
            http.get(f"{standin.url}/api/v3.3/clients.json", timeout=10)


def test_options_go_back_to_those_of_the_start(standin: Caller) -> None:
    standin.options(latency=0.001, counting=True)
    assert standin.control("DELETE", "options").json() == Options().model_dump(mode="json")


def test_options_can_be_given_at_the_start() -> None:
    with StandIn(options=Options(missing_auth_code=50)) as standin:
        assert requests.get(f"{standin.url}/api/v3.3/clients.json", timeout=10).json()["Code"] == 50


def test_body_without_a_length_is_refused(standin: Caller) -> None:
    answer = standin.api("POST", f"subscribers/{LIST}/import.json", data=iter([b"{}"]))
    assert answer.status_code == 411


def test_client_that_leaves_in_the_middle_of_a_body_stores_nothing(standin: Caller) -> None:
    host, port = standin.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST /api/v3.3/x.json HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert standin.log() == []


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_command_says_where_it_is_and_ends_cleanly(tmp_path: Path, end: signal.Signals) -> None:
    command = [sys.executable, "-m", "local.standin", "--port", "0", "--database", str(tmp_path / "standin.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        found = re.fullmatch(r"stand-in for Campaign Monitor: (http://127\.0\.0\.1:\d+)\n", line)
        try:
            assert found
            assert requests.get(f"{found[1]}/api/v3.3/clients.json", timeout=10).status_code == 401
        finally:
            process.send_signal(end)
        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == ""


def test_readme_has_a_row_for_every_option() -> None:
    section = README.read_text(encoding="utf-8").partition("\n## Options\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", section, re.MULTILINE)
    documented = {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}
    assert documented.keys() == Options.model_fields.keys()
    schema = Options.model_json_schema()["properties"]
    for name, default in Options().model_dump(mode="json").items():
        text = default if isinstance(default, str) else str(default).lower().replace("none", "null")
        assert documented[name][1] == f"`{text}`", name
        assert all(f"`{value}`" in documented[name][0] for value in schema[name].get("enum", [])), name
