"""One account of Campaign Monitor as the product sees it: the calls that it makes."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pydantic import SecretStr
from requests.adapters import BaseAdapter, HTTPAdapter

from shared.campaign_monitor.answers import unavailable
from shared.campaign_monitor.client import Client
from shared.ports.clock import Clock
from shared.ports.destination import (
    NOT_IN_LIST,
    UNKNOWN_CODE,
    Failure,
    Field,
    FoundClient,
    FoundList,
    Imported,
    ListDetails,
    ListState,
    Page,
    TurnedDown,
)
from shared.ports.threads import Threads, each

PAGE_ROWS = 1000  # the most that the service gives
_STATES = {state.lower(): state for state in ("Active", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted")}


class Account:
    """Keeps ``ports.destination.Destination``."""

    def __init__(self, client: Client, threads: Threads, at_once: int) -> None:
        self._client = client
        self._call = client.call
        self._threads = threads
        self._at_once = at_once
        self.close = client.close
        self.interrupt = client.interrupt
        self.load = client.load

    def check_key(self) -> None:
        """The cheapest call that needs a key."""
        self._call("GET", "/systemdate.json")

    def clients(self) -> tuple[FoundClient, ...]:
        def lists(client: tuple[str, str]) -> FoundClient:
            id_, name = client
            found = self._call("GET", f"/clients/{id_}/lists.json")
            return FoundClient(id_, name, tuple(FoundList(str(one["ListID"]), str(one["Name"])) for one in found))

        clients = [(str(one["ClientID"]), str(one["Name"])) for one in self._call("GET", "/clients.json")]
        return tuple(each(self._threads, lists, clients, at_once=self._at_once))

    def list_details(self, list_id: str) -> ListDetails:
        answer = self._call("GET", f"/lists/{list_id}.json")
        return ListDetails(str(answer.get("Title", "")), bool(answer.get("ConfirmedOptIn")))

    def custom_fields(self, list_id: str) -> tuple[Field, ...]:
        return tuple(
            Field(
                str(field["Key"]).removeprefix("[").removesuffix("]"),
                str(field["DataType"]),
                tuple(map(str, field.get("FieldOptions") or ())),
            )
            for field in self._call("GET", f"/lists/{list_id}/customfields.json")
        )

    def create_field(self, list_id: str, key: str) -> None:
        field = {"FieldName": key.strip().removeprefix("[").removesuffix("]"), "DataType": "Text", "Options": []}
        self._call("POST", f"/lists/{list_id}/customfields.json", json.dumps(field).encode())

    def import_subscribers(self, list_id: str, subscribers: Sequence[bytes], *, resubscribe: bool) -> Imported:
        """HTTP 400 with Code 210 is a result: the good rows of the batch are stored."""
        flag = b"true" if resubscribe else b"false"
        body = b'{"Subscribers":[%b],"Resubscribe":%b}' % (b",".join(subscribers), flag)
        answer = self._call("POST", f"/subscribers/{list_id}/import.json", body)
        with _understood():
            return Imported(
                added=int(answer["TotalNewSubscribers"]),
                updated=int(answer["TotalExistingSubscribers"]),
                failures=tuple(
                    Failure(str(one["EmailAddress"]), _code_of(one["Code"]))
                    for one in answer.get("FailureDetails") or []
                ),
                duplicates=tuple(map(str, answer.get("DuplicateEmailsInSubmission") or [])),
            )

    def state_of(self, list_id: str, email: str) -> str | None:
        try:
            answer = self._call("GET", f"/subscribers/{list_id}.json", query={"email": email})
        except TurnedDown as error:
            if error.service_code == NOT_IN_LIST:
                return None
            raise
        with _understood():
            return _STATES[str(answer["State"]).lower()]

    def unsubscribe(self, list_id: str, email: str) -> int | None:
        body = json.dumps({"EmailAddress": email}).encode()
        return self._code("POST", f"/subscribers/{list_id}/unsubscribe.json", body=body)

    def delete(self, list_id: str, email: str) -> int | None:
        return self._code("DELETE", f"/subscribers/{list_id}.json", query={"email": email})

    def page(self, list_id: str, state: ListState, number: int) -> Page:
        query = {
            "date": "1900-01-01",  # some callers found that one is required
            "page": str(number),
            "pagesize": str(PAGE_ROWS),
            "orderfield": "email",
            "orderdirection": "asc",
        }
        answer = self._call("GET", f"/lists/{list_id}/{state}.json", query=query)
        with _understood():
            return Page(tuple(answer["Results"]), int(answer["NumberOfPages"]), int(answer["TotalNumberOfRecords"]))

    def _code(
        self, method: str, path: str, *, body: bytes | None = None, query: dict[str, str] | None = None
    ) -> int | None:
        try:
            self._call(method, path, body, query=query, answers=False)
        except TurnedDown as error:
            if error.service_code is None:
                raise
            return _code_of(error.service_code)
        return None


@contextmanager
def _understood() -> Iterator[None]:
    """Raises TemporaryError where an answer has not the shape that it should have: asked again, it may."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unavailable("gives an answer that cannot be understood") from error


def _code_of(said: object) -> int:
    """Codes are numbers below 1,000; what is none of these is UNKNOWN_CODE."""
    return said if isinstance(said, int) and 0 < said < UNKNOWN_CODE else UNKNOWN_CODE


class Accounts:
    """Keeps ``ports.destination.Destinations``. ``adapter`` makes what carries the requests, for so many at once."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        threads: Threads,
        adapter: Callable[[int], BaseAdapter] = lambda at_once: HTTPAdapter(
            pool_connections=1, pool_maxsize=at_once, max_retries=0
        ),
    ) -> None:
        self._url = url
        self._clock = clock
        self._threads = threads
        self._adapter = adapter

    def open(
        self,
        key: Callable[[bool], SecretStr],
        *,
        at_once: int = 1,
        patient: bool = True,
        may_call: Callable[[], None] | None = None,
    ) -> Account:
        client = Client(
            self._url,
            key,
            self._clock,
            self._threads,
            adapter=self._adapter(at_once),
            at_once=at_once,
            patient=patient,
            may_call=may_call,
        )
        return Account(client, self._threads, at_once)
