"""The API of Campaign Monitor (v3.3): the calls that this product makes, and what their answers mean.

The meaning of the codes is that of the service's documentation and of its official clients.
"""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
import tenacity
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from shared.errors import DestinationError, ExportError, TemporaryError
from shared.pace import Pace

CONNECT_SECONDS = 10
READ_SECONDS = 120  # the official clients wait as long: an import answers when all its rows are stored

PARTLY_IMPORTED = 210
UNREADABLE = 400
_INVALID_LIST = 101
_ROW_CODES = (1, 204, 205, 206, 207, 208, 220, 221, UNREADABLE)
_KEY_CODES = (50, 60, 100, 120, 121, 122)

_HURRIED_SECONDS = 20

_ATTEMPTS = 6
_GIVE_UP_SECONDS = 300
_LONGEST_WAIT = 60

_log = logging.getLogger(__name__)


class NotImported(DestinationError):
    """The whole request was turned down for something in one of its rows, and the service does not say which.

    ``service_code`` is 400 (it cannot be read), or one that stands with a single row elsewhere: nobody has verified
    what the service answers when it refuses each row of a batch.
    """

    def __init__(self, message: str, action: str, service_code: int) -> None:
        super().__init__("request_refused", message, action)
        self.service_code = service_code


class _TooMuch(TemporaryError):
    """HTTP 429."""


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
    """``key`` without brackets; ``data_type`` in the service's words."""

    key: str
    data_type: str


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
            Field(str(field["Key"]).removeprefix("[").removesuffix("]"), str(field["DataType"])) for field in answer
        )

    def import_subscribers(self, list_id: str, subscribers: Sequence[bytes], *, resubscribe: bool) -> Imported:
        """``subscribers``: up to 1,000, each as JSON in UTF-8. HTTP 400 with Code 210 is a result: the good rows of
        the batch are stored."""
        flag = b"true" if resubscribe else b"false"
        body = b'{"Subscribers":[' + b",".join(subscribers) + b'],"Resubscribe":' + flag + b"}"
        answer = self.call("POST", f"/subscribers/{list_id}/import.json", body)
        return Imported(
            added=int(answer["TotalNewSubscribers"]),
            updated=int(answer["TotalExistingSubscribers"]),
            failures=tuple(
                Failure(str(one["EmailAddress"]), int(one["Code"])) for one in answer.get("FailureDetails") or []
            ),
            duplicates=tuple(map(str, answer.get("DuplicateEmailsInSubmission") or [])),
        )

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        """The JSON of the answer. ``path`` begins below the API's root."""
        return self._retrying(self._attempt, method, path, body)

    def _attempt(self, method: str, path: str, body: bytes | None) -> Any:
        with self._pace.call() as begun:
            used = self._secret
            response = self._send(method, path, body, used)
            if response.status_code == HTTPStatus.UNAUTHORIZED and self._renewed(used):
                response = self._send(method, path, body, self._secret)
        self._note(response)
        try:
            result = _result(response)
        except _TooMuch as error:
            _log.warning("Campaign Monitor: %s: too many requests", path)
            self._pace.slow(begun, error.retry_after or 0)
            raise
        self._pace.good()
        return result

    def _send(self, method: str, path: str, body: bytes | None, key: SecretStr) -> requests.Response:
        try:
            return self._session.request(
                method,
                self._url + path,
                data=body,
                auth=(key.get_secret_value(), "x"),
                timeout=(CONNECT_SECONDS, self._read_seconds),
            )
        except requests.RequestException as error:
            # Its text can name host and path, nothing of a body; its type says enough.
            _log.warning("Campaign Monitor: %s: %s", path, type(error).__name__)
            raise _unavailable("does not answer") from error

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


def _result(response: requests.Response) -> Any:
    """The JSON of a good answer, or of Code 210. Raises what the answer means otherwise."""
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _unavailable("says that it is asked too often", _TooMuch, retry_after=_asked_to_wait(response))
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= 500:
        raise _unavailable(f"answers with HTTP {status}", retry_after=_asked_to_wait(response))
    try:
        # Some answers begin with a byte order mark.
        document = json.loads(response.content.decode("utf-8-sig"))
    except ValueError as error:
        raise _unavailable("gives an answer that is not JSON") from error
    if response.ok:
        return document
    code = document.get("Code") if isinstance(document, dict) else None
    if code == PARTLY_IMPORTED:
        return document["ResultData"]
    raise refusal(status, code if isinstance(code, int) else None)


def refusal(status: int, code: int | None) -> ExportError:
    """Classified by Code, never by text: the texts of one code vary."""
    said = f"HTTP {status}" if code is None else f"HTTP {status}, code {code}"
    if code in _KEY_CODES:
        return DestinationError(
            "key_rejected",
            f"Campaign Monitor does not accept the API key of the connection ({said}).",
            "Store a valid key in Key Vault under the secret name of the connection, then run the export again.",
        )
    if code == _INVALID_LIST or status == HTTPStatus.NOT_FOUND or (code is None and status == HTTPStatus.UNAUTHORIZED):
        return DestinationError(
            "list_not_found",
            f"Campaign Monitor does not know the list of the export for this account ({said}).",
            "Check list_id (in the list's settings, as API list ID) and that the connection is to the list's account.",
        )
    message = f"Campaign Monitor turned a request down ({said})."
    action = "This is a defect of the product, or a change of the service: report it with the run's id."
    if code in _ROW_CODES:
        return NotImported(message, action, code)
    return DestinationError("request_refused", message, action)


def _unavailable(
    how: str, kind: type[TemporaryError] = TemporaryError, *, retry_after: float | None = None
) -> TemporaryError:
    return kind(
        "campaign_monitor_unavailable",
        f"Campaign Monitor {how}.",
        "Nothing is lost: what was confirmed is kept. Run the export again when the service works.",
        retry_after=retry_after,
    )


def _asked_to_wait(response: requests.Response) -> float | None:
    """Seconds: Retry-After, then X-RateLimit-Reset, which the service documents as seconds until it resets. Not longer
    than _LONGEST_WAIT: asking again does no harm, and the limit may be that of another kind of calls."""
    for name in ("Retry-After", "X-RateLimit-Reset"):
        value = response.headers.get(name, "")
        if value.isdigit():
            return min(float(value), _LONGEST_WAIT)
    return None


_backoff = tenacity.wait_random_exponential(multiplier=1, max=_LONGEST_WAIT)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TemporaryError) else None
    return asked if asked is not None else _backoff(state)
