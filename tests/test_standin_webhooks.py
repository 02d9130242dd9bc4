"""Webhooks: made by the API, and told of everyone who comes, changes or leaves."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Empty, Queue
from typing import Any
from xml.etree import ElementTree

import pytest
from standin_calls import LIST, Caller, row

pytest_plugins = ["standin_fixtures"]

PATH = f"lists/{LIST}/webhooks"


class Receiver:
    """A server that keeps the bodies posted to it."""

    def __init__(self) -> None:
        bodies: Queue[bytes] = Queue()

        class Keep(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.put(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
                """Quiet."""

        self.bodies = bodies
        self.server = HTTPServer(("127.0.0.1", 0), Keep)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def events(self) -> list[dict[str, Any]]:
        body = json.loads(self.bodies.get(timeout=5))
        assert body["ListID"] == LIST
        found: list[dict[str, Any]] = body["Events"]
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def listening(standin: Caller, url: str, *events: str, payload_format: str = "json") -> str:
    body = {"Events": list(events), "Url": url, "PayloadFormat": payload_format}
    answer = standin.api("POST", f"{PATH}.json", json=body)
    assert answer.status_code == 201, answer.text
    webhook: str = answer.json()
    return webhook


def test_subscribe_update_and_deactivate(standin: Caller, receiver: Receiver) -> None:
    listening(standin, receiver.url, "Subscribe", "Update", "Deactivate")
    standin.imported(row())
    (event,) = receiver.events()
    assert (event["Type"], event["EmailAddress"], event["State"]) == ("Subscribe", "jane@example.com", "Active")
    standin.imported(row(), row("john@example.com"))
    assert [each["Type"] for each in receiver.events()] == ["Update", "Subscribe"]
    standin.api("DELETE", f"subscribers/{LIST}.json?email=jane@example.com")
    assert [(each["Type"], each["State"]) for each in receiver.events()] == [("Deactivate", "Deleted")]
    standin.imported(row(), resubscribe=True)
    assert [each["Type"] for each in receiver.events()] == ["Subscribe"]


def test_one_post_holds_a_whole_import(standin: Caller, receiver: Receiver) -> None:
    listening(standin, receiver.url, "Subscribe")
    standin.imported(*[row(f"person{each}@example.com") for each in range(1000)])
    assert len(receiver.events()) == 1000


def test_renamed_address_tells_the_old_one(standin: Caller, receiver: Receiver) -> None:
    standin.put({"email": "jane@example.com"})
    listening(standin, receiver.url, "Update")
    standin.api("PUT", f"subscribers/{LIST}.json?email=jane@example.com", json=row("new@example.com"))
    (event,) = receiver.events()
    assert (event["OldEmailAddress"], event["EmailAddress"]) == ("jane@example.com", "new@example.com")


def test_only_events_asked_for_and_only_while_active(standin: Caller, receiver: Receiver) -> None:
    webhook = listening(standin, receiver.url, "Update")
    standin.imported(row())
    standin.api("PUT", f"{PATH}/{webhook}/deactivate.json")
    standin.imported(row())
    assert standin.api("GET", f"{PATH}.json").json()[0]["Status"] == "Deactivated"
    with pytest.raises(Empty):
        receiver.bodies.get(timeout=0.2)
    standin.api("PUT", f"{PATH}/{webhook}/activate.json")
    standin.imported(row())
    assert [each["Type"] for each in receiver.events()] == ["Update"]


def test_xml(standin: Caller, receiver: Receiver) -> None:
    listening(standin, receiver.url, "Subscribe", payload_format="xml")
    standin.imported(row())
    parsed = ElementTree.fromstring(receiver.bodies.get(timeout=5))
    assert [each.text for each in parsed.iter("EmailAddress")] == ["jane@example.com"]


def test_test_posts_at_once_or_is_610(standin: Caller, receiver: Receiver) -> None:
    webhook = listening(standin, receiver.url, "Update")
    assert standin.api("GET", f"{PATH}/{webhook}/test.json").status_code == 200
    assert receiver.events() == []
    nobody = listening(standin, "http://127.0.0.1:1/hook", "Update")
    assert standin.api("GET", f"{PATH}/{nobody}/test.json").json()["Code"] == 610


def test_webhooks_are_listed_and_removed(standin: Caller) -> None:
    webhook = listening(standin, "http://127.0.0.1:1/hook", "Subscribe")
    assert standin.api("GET", f"{PATH}.json").json() == [
        {
            "WebhookID": webhook,
            "Events": ["Subscribe"],
            "Url": "http://127.0.0.1:1/hook",
            "Status": "Active",
            "PayloadFormat": "json",
        }
    ]
    standin.api("DELETE", f"{PATH}/{webhook}.json")
    assert standin.api("GET", f"{PATH}.json").json() == []
    assert standin.api("DELETE", f"{PATH}/{webhook}.json").status_code == 404


@pytest.mark.parametrize(
    ("change", "code"), [({"Url": "nowhere"}, 601), ({"PayloadFormat": "csv"}, 602), ({"Events": ["Open"]}, 603)]
)
def test_webhook_refused(standin: Caller, change: dict[str, Any], code: int) -> None:
    body = {"Events": ["Update"], "Url": "http://127.0.0.1:1/", "PayloadFormat": "json"} | change
    answer = standin.api("POST", f"{PATH}.json", json=body)
    assert (answer.status_code, answer.json()["Code"]) == (400, code)
