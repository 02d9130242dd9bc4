"""The network between a process and Campaign Monitor: an adapter of requests, on which calls and answers get lost."""

import json
import random
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import BaseAdapter

from local.simulation.odd_answers import oddly, with_blanks
from local.simulation.scheduler import Passage, Process
from local.simulation.service import Moment, Service, about, answer_of
from local.simulation.weather import Weather
from local.standin.answers import Payload
from local.standin.routing import Request

API = "http://campaign-monitor.example/api/v3.3"
_PARTLY, _DELETED = 210, 205


class SimulatedAdapter(BaseAdapter):
    """Between the real client of one process and the service."""

    def __init__(self, service: Service, weather: Weather, process: Process) -> None:
        super().__init__()
        self._service = service
        self._weather = weather
        self._process = process

    def close(self) -> None:
        pass

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT
        timeout: Any = None,
        verify: Any = True,  # noqa: ARG002, FBT
        cert: Any = None,  # noqa: ARG002
        proxies: Any = None,  # noqa: ARG002
    ) -> requests.Response:
        asked = _asked(request)
        try:
            payload = self._exchange(asked, float(timeout[1]))
        except _Spoilt as spoilt:
            payload = spoilt.payload
            if about(asked)[1] == "import":
                self._surprise("before another attempt")
        response = requests.Response()
        response.status_code = payload.status
        response._content = payload.content
        response.headers.update(payload.headers)
        response.request, response.url = request, str(request.url)
        return response

    def _exchange(self, asked: Request, patience: float) -> Payload:
        """What comes back. Raises what requests does, or _Spoilt."""
        scheduler, weather = self._service.scheduler, self._weather
        random, job, left = scheduler.random, self._process.job, scheduler.time
        kind = about(asked)[1]
        heard: set[str] = set()
        if kind == "import":
            self._service.note_again(self._process, asked)
        passage = self._passage(writes=kind not in (None, "state"), patience=patience)

        def effect() -> Payload:
            before = len(self._service.changes)
            payload = self._service.serve(asked, job, left, late=scheduler.time > left + passage.answer)
            heard.update(one.email for one in self._service.changes[before:] if kind == "import" and one.code is None)
            if is_followed(kind, payload):
                self._surprise("between calls")
                if answer_of(payload.content).get("Code") == _PARTLY:
                    self._surprise("within a batch")
            if kind == "import" and self._service.blanks:
                payload = with_blanks(payload)
            if kind == "import" and random.random() < weather.odd:
                payload, how = oddly(payload, random)
                self._service.note_odd(str(json.loads(job or "{}").get("run")), how, asked)
                heard.clear()
                scheduler.tell(f"the service answers oddly: {how}")
            return payload

        if passage.instead and passage.arrivals:
            self._service.lost_answers.append(left)
        payload = scheduler.exchange(f"{asked.method} {asked.path}", effect, passage)
        self._process.heard |= heard
        return payload

    def _surprise(self, moment: Moment) -> None:
        if self._service.surprises and self._process.mortal and self._process.job:
            run = str(json.loads(self._process.job).get("run"))
            if happen := self._service.surprises.pop((run, moment), None):
                happen(self._process)

    def _passage(self, *, writes: bool, patience: float) -> Passage:
        scheduler, weather = self._service.scheduler, self._weather
        random, left = scheduler.random, scheduler.time
        there = random.uniform(0.02, 0.4) + random.uniform(0, weather.slow or self._service.slowest(left, left))
        back = there + random.uniform(0.01, 0.2)
        if weather.service_away_until > scheduler.time:
            return Passage((), random.uniform(0.05, 2), requests.ConnectionError("away"))
        dice = random.random()
        stored = (there,) if writes and random.random() < 0.5 else ()
        faults: tuple[tuple[float, Callable[[], Passage]], ...] = (
            (weather.busy, lambda: Passage((), back, _busy(random))),
            (weather.broken_before, lambda: Passage((), back, _broken(random))),
            # A gateway gave up; what is behind it did not.
            (weather.broken_after, lambda: Passage((_either(random, there, back),), back, _broken(random))),
            (weather.cut, lambda: Passage(stored, back, requests.ConnectionError("reset"))),
            (weather.hanging, lambda: Passage(stored, patience, requests.ReadTimeout("no answer"))),
        )
        for chance, fault in faults:
            dice -= chance
            if dice < 0:
                return fault()
        return Passage((there,), back)


class _Spoilt(Exception):
    """Stands for an answer that is none of the service's own."""

    def __init__(self, payload: Payload) -> None:
        super().__init__(payload.status)
        self.payload = payload


def _busy(chance: random.Random) -> _Spoilt:
    wait = str(chance.choice([1, 5, 30]))
    headers = chance.choice([{}, {"Retry-After": wait}, {"X-RateLimit-Reset": wait, "X-RateLimit-Remaining": "0"}])
    return _Spoilt(Payload(429, headers, b'{"Code":429,"Message":"Too many requests."}'))


def _broken(chance: random.Random) -> _Spoilt:
    page = chance.choice([b"<html>Bad Gateway</html>", b"", b'{"Code":500,"Message":"An error occurred."}'])
    return _Spoilt(Payload(chance.choice([500, 502, 503, 504]), {}, page))


def _either(chance: random.Random, there: float, back: float) -> float:
    return there if chance.random() < 0.5 else back + chance.uniform(1, 15)


def _asked(request: requests.PreparedRequest) -> Request:
    body = request.body or b""
    headers = {name.title(): str(value) for name, value in request.headers.items()}
    headers.pop("Accept-Encoding", None)
    data = body if isinstance(body, bytes) else str(body).encode()
    return Request(str(request.method), request.path_url, headers, data)


def is_followed(kind: Any, payload: Payload) -> bool:
    """Whether another call follows: the removal of one who was looked at, halves of what was turned down as a whole, or
    those again who are to be put back."""
    answer = answer_of(payload.content)
    if kind != "import" or payload.status < 400:
        return bool(kind == "state" and payload.status < 300)
    failures = (answer.get("ResultData") or {}).get("FailureDetails") or []
    return answer.get("Code") != _PARTLY or any(one["Code"] == _DELETED for one in failures)
