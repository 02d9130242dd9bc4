"""The API of Campaign Monitor (v3.3): how one call is made, tried again, and paced."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
import tenacity
from pydantic import SecretStr
from requests.adapters import BaseAdapter

from shared.campaign_monitor.answers import LONGEST_WAIT, TooMuch, result_of, unavailable
from shared.campaign_monitor.pace import Pace
from shared.errors import TemporaryError
from shared.ports.clock import Clock
from shared.ports.threads import Threads

CONNECT_SECONDS = 10
READ_SECONDS = 120  # the official clients wait as long: an import answers when all its rows are stored

_HURRIED_SECONDS = 20
_GLANCE_SECONDS = 2

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
class _Request:
    method: str
    path: str
    body: bytes | None
    query: Mapping[str, str] | None
    answers: bool
    begun: float


class Client:
    """Calls one account. Threads may share it. ``key`` gives the API key; called with True it reads it anew, which
    happens once, when the service turns the key down: it may have been changed.

    Every call raises DestinationError when the service says no for good, and TemporaryError when it does not answer
    as it should after several attempts; after one, and sooner, when not ``patient``: somebody waits for the answer.
    ``may_call`` is called before each attempt, to raise where nothing may be sent any more.
    """

    def __init__(
        self,
        url: str,
        key: Callable[[bool], SecretStr],
        clock: Clock,
        threads: Threads,
        *,
        adapter: BaseAdapter,
        at_once: int = 1,
        patient: bool = True,
        may_call: Callable[[], None] | None = None,
    ) -> None:
        self._url = url
        self._key = key
        self._secret = key(False)
        self._clock = clock
        self._renewing = threads.condition()
        self._has_renewed = False
        self._read_seconds = READ_SECONDS if patient else _HURRIED_SECONDS
        self._may_call = may_call or (lambda: None)
        self._pace = Pace(at_once, clock, threads)
        self._remaining: int | None = None
        self._session = requests.Session()
        # Nothing of the environment, such as a .netrc, may stand in for the key.
        self._session.trust_env = False
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers["Accept"] = "application/json"
        self._session.headers["Content-Type"] = "application/json; charset=utf-8"
        self._interrupted = False
        attempts = _ATTEMPTS if patient else 1
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TemporaryError),
            wait=_wait,
            stop=lambda state: state.attempt_number >= attempts or self._interrupted or self._is_late(state),
            sleep=self._sleep,
            reraise=True,
        )

    def close(self) -> None:
        self._session.close()

    def interrupt(self) -> None:
        self._interrupted = True

    def load(self) -> dict[str, int]:
        said = {"calls": self._pace.calls, "throttled": self._pace.slowed, "in_flight": self._pace.allowed}
        return said if self._remaining is None else said | {"remaining": self._remaining}

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
        return self._retrying(self._attempt, _Request(method, path, body, query, answers, self._clock.monotonic()))

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
        if self._interrupted:
            raise unavailable("was not asked any more, since the step stops")
        self._may_call()
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
        """In short pieces, so that an interruption is not waited for."""
        left = seconds
        while left > 0 and not self._interrupted:
            self._clock.sleep(min(left, _GLANCE_SECONDS))
            left -= _GLANCE_SECONDS

    def _is_late(self, state: tenacity.RetryCallState) -> bool:
        request: _Request = state.args[0]
        return self._clock.monotonic() - request.begun > _GIVE_UP_SECONDS

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
