"""The API of Campaign Monitor (v3.3): the calls that this product makes, and what their answers mean.

The meaning of the codes is that of the service's documentation and of its official clients.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
import tenacity
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from shared.answers import LONGEST_WAIT, TooMuch, result_of, unavailable
from shared.errors import TemporaryError
from shared.pace import Pace

CONNECT_SECONDS = 10
READ_SECONDS = 120  # the official clients wait as long: an import answers when all its rows are stored

_HURRIED_SECONDS = 20

_ATTEMPTS = 6
_GIVE_UP_SECONDS = 300
_log = logging.getLogger(__name__)


def _without_query(record: logging.LogRecord) -> bool:
    """Debugging lines of urllib3 hold the query of each call, and so addresses."""
    if isinstance(record.args, tuple):
        record.args = tuple(one.partition("?")[0] if isinstance(one, str) else one for one in record.args)
    return True


logging.getLogger("urllib3.connectionpool").addFilter(_without_query)


@dataclass(frozen=True)
class Failure:
    """A subscriber that was not imported. ``email`` is as the service writes it."""

    email: str
    code: int


@dataclass(frozen=True)
class Imported:
    """What became of one batch; ``duplicates`` are addresses that the service took for the same as another."""

    added: int
    updated: int
    failures: tuple[Failure, ...]
    duplicates: tuple[str, ...]


@dataclass(frozen=True)
class ListDetails:
    title: str
    confirmed_opt_in: bool


@dataclass(frozen=True)
class Field:
    """``key`` without brackets; ``data_type`` in the service's words; ``options`` of a field that has some."""

    key: str
    data_type: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    body: bytes | None
    query: Mapping[str, str] | None
    answers: bool


class CampaignMonitor:
    """One account. Threads may share it. ``key`` gives the API key; called with True it reads it anew, which happens
    once, when the service turns the key down: it may have been changed.

    Every call raises DestinationError when the service says no for good, and TemporaryError when it does not answer
    as it should after several attempts; after one, and sooner, when not ``patient``: somebody waits for the answer.
    ``interrupted`` is set to end the waiting between attempts.
    """

    def __init__(
        self,
        url: str,
        key: Callable[[bool], SecretStr],
        *,
        connections: int = 1,
        sleep: Callable[[float], None] | None = None,
        patient: bool = True,
    ) -> None:
        self._url = url
        self._key = key
        self._secret = key(False)
        self._renewing = threading.Lock()
        self._has_renewed = False
        self._read_seconds = READ_SECONDS if patient else _HURRIED_SECONDS
        self._pace = Pace(connections)
        self._remaining: int | None = None
        self._session = requests.Session()
        # Nothing of the environment, such as a .netrc, may stand in for the key.
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers["Accept"] = "application/json"
        self._session.headers["Content-Type"] = "application/json; charset=utf-8"
        self.interrupted = threading.Event()
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TemporaryError),
            wait=_wait,
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(_ATTEMPTS if patient else 1),
                tenacity.stop_after_delay(_GIVE_UP_SECONDS),
                tenacity.stop_when_event_set(self.interrupted),
            ),
            sleep=sleep or self._sleep,
            reraise=True,
        )

    def close(self) -> None:
        self._session.close()

    def load(self) -> dict[str, int]:
        """How the service took the calls so far: how many there were, how many of them were too much, how many it is
        let have in flight now, and the least that it said was left of its limit, where it said so."""
        said = {"calls": self._pace.calls, "throttled": self._pace.slowed, "in_flight": self._pace.allowed}
        return said if self._remaining is None else said | {"remaining": self._remaining}

    def check_key(self) -> None:
        """The cheapest call that needs a key."""
        self.call("GET", "/systemdate.json")

    def list_details(self, list_id: str) -> ListDetails:
        answer = self.call("GET", f"/lists/{list_id}.json")
        return ListDetails(str(answer.get("Title", "")), bool(answer.get("ConfirmedOptIn")))

    def custom_fields(self, list_id: str) -> tuple[Field, ...]:
        answer = self.call("GET", f"/lists/{list_id}/customfields.json")
        return tuple(
            Field(
                str(field["Key"]).removeprefix("[").removesuffix("]"),
                str(field["DataType"]),
                tuple(map(str, field.get("FieldOptions") or ())),
            )
            for field in answer
        )

    def import_subscribers(self, list_id: str, subscribers: Sequence[bytes], *, resubscribe: bool) -> Imported:
        """``subscribers``: up to 1,000, each as JSON in UTF-8. HTTP 400 with Code 210 is a result: the good rows of
        the batch are stored."""
        flag = b"true" if resubscribe else b"false"
        body = b'{"Subscribers":[%b],"Resubscribe":%b}' % (b",".join(subscribers), flag)
        answer = self.call("POST", f"/subscribers/{list_id}/import.json", body)
        return Imported(
            added=int(answer["TotalNewSubscribers"]),
            updated=int(answer["TotalExistingSubscribers"]),
            failures=tuple(
                Failure(str(one["EmailAddress"]), int(one["Code"])) for one in answer.get("FailureDetails") or []
            ),
            duplicates=tuple(map(str, answer.get("DuplicateEmailsInSubmission") or [])),
        )

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        query: Mapping[str, str] | None = None,
        answers: bool = True,
    ) -> Any:
        """The JSON of the answer; None where the call never ``answers`` with more than its status. ``path`` begins
        below the API's root; unlike ``query`` it may be logged."""
        return self._retrying(self._attempt, _Request(method, path, body, query, answers))

    def _attempt(self, request: _Request) -> Any:
        with self._pace.call() as begun:
            used = self._secret
            response = self._send(request, used)
            if response.status_code == HTTPStatus.UNAUTHORIZED and self._renewed(used):
                response = self._send(request, self._secret)
        self._note(response)
        try:
            result = result_of(response, empty=not request.answers)
        except TooMuch as error:
            _log.warning("Campaign Monitor: %s: too many requests", request.path)
            self._pace.slow(begun, error.retry_after or 0)
            raise
        self._pace.good()
        return result

    def _send(self, request: _Request, key: SecretStr) -> requests.Response:
        try:
            return self._session.request(
                request.method,
                self._url + request.path,
                params=request.query,
                data=request.body,
                auth=(key.get_secret_value(), "x"),
                timeout=(CONNECT_SECONDS, self._read_seconds),
            )
        except requests.RequestException as error:
            # Its text can name host, path and query, nothing of a body; its type says enough.
            _log.warning("Campaign Monitor: %s: %s", request.path, type(error).__name__)
            raise unavailable("does not answer") from (None if request.query else error)

    def _note(self, response: requests.Response) -> None:
        left = response.headers.get("X-RateLimit-Remaining", "")
        if left.isdigit():
            self._remaining = min(int(left), self._remaining if self._remaining is not None else int(left))

    def _sleep(self, seconds: float) -> None:
        self.interrupted.wait(seconds)

    def _renewed(self, used: SecretStr) -> bool:
        """Whether there is another key than ``used``; the vault is asked by one thread, once: with a wrong key all
        calls are turned down."""
        with self._renewing:
            if self._secret == used and not self._has_renewed:
                self._secret = self._key(True)
                self._has_renewed = True
            return self._secret != used


_backoff = tenacity.wait_random_exponential(multiplier=1, max=LONGEST_WAIT)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TemporaryError) else None
    return asked if asked is not None else _backoff(state)
