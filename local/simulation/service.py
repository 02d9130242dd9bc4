"""Campaign Monitor in a simulated world: the stand-in, in this process.

What it did is kept for the oracles: each change of a subscriber, by whom, and what the list held before and after.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from local.simulation.odd_answers import NAMELESS
from local.simulation.scheduler import Process, Scheduler
from local.standin.answers import Payload
from local.standin.conduct import conduct
from local.standin.control import control
from local.standin.options import Options
from local.standin.routing import Request
from local.standin.state import State

Listing = dict[str, dict[str, Any]]  # what a list holds, by address in lower case
# An answer leaves upon which another call follows at once, for one person or for the same batch; it leaves for a part
# of a batch, so that the rest follows; or one arrives after which the same call is made again.
Moment = Literal["between calls", "within a batch", "before another attempt"]


@dataclass(frozen=True)
class Change:
    """One subscriber in one call. ``job`` is the message that the caller was at, ``before`` and ``after`` what the list
    held; ``code`` is why it was refused. ``late``: nobody waited for it any more."""

    time: float
    left: float
    job: str
    list_id: str
    kind: Literal["import", "unsubscribe", "delete", "state"]
    email: str
    sent: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    code: int | None
    resubscribe: bool
    late: bool


@dataclass
class Service:
    """``cursed`` are addresses with which a whole import answers 500; ``clinging`` are those that it does not take off
    a list; ``slow`` is how many seconds a call may take, in ``spells`` longer: from when, until when, how many. With
    ``blanks`` there are some around the addresses that an import names."""

    scheduler: Scheduler
    options: dict[str, Any]
    state: State = field(init=False)
    changes: list[Change] = field(default_factory=list)
    lists: dict[str, Listing] = field(default_factory=dict)
    cursed: frozenset[str] = frozenset()
    clinging: frozenset[str] = frozenset()
    slow: float = 0.0
    spells: list[tuple[float, float, float]] = field(default_factory=list)
    calls: int = 0
    lost_answers: list[float] = field(default_factory=list)
    # By run: how it was answered oddly, who was in a batch of which that does not tell who failed, and who may sleep.
    odd: dict[str, list[str]] = field(default_factory=dict)
    unnamed: dict[str, set[str]] = field(default_factory=dict)
    surprises: dict[tuple[str, Moment], Callable[[Process], None]] = field(default_factory=dict)
    blanks: bool = False
    sent_again: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = State(":memory:", Options(**self.options))

    def slow_down(self, most: float, seconds: float) -> None:
        """For so many seconds a call may take ``most``."""
        self.spells.append((self.scheduler.time, self.scheduler.time + seconds, most))

    def slowest(self, begin: float, end: float) -> float:
        """How long a call may have taken in that time."""
        return max([self.slow, *(most for since, until, most in self.spells if since <= end and until >= begin)])

    def surprise(self, run: str, moment: Moment, happen: Callable[[Process], None]) -> None:
        """Something happens to whoever works for the run, the first time that it comes to that moment."""
        self.surprises[run, moment] = happen

    def control(self, method: str, path: str, body: object = None) -> bytes:
        data = json.dumps(body).encode() if body is not None else b""
        self._set_clock()
        payload = control(Request(method, f"/control/{path}", {}, data), self.state)
        assert payload.status < 300, payload.content
        return payload.content

    def put(self, list_id: str, email: str, state: str, *, suppressed: bool = False) -> None:
        """What becomes of somebody past the API: by themselves, or by the service. Values stay."""
        held = self.listing(list_id).get(email.lower(), {})
        one = {"email": held.get("email", email), "state": state, "suppressed": suppressed}
        kept = {"name": held.get("name", ""), "mobile": held.get("mobile", ""), "fields": held.get("fields", {})}
        self.control("PUT", "subscribers", {"list_id": list_id, "subscribers": [one | kept]})
        self.look(list_id)

    def listing(self, list_id: str) -> Listing:
        if list_id not in self.lists:
            self.look(list_id)
        return self.lists[list_id]

    def look(self, list_id: str) -> Listing:
        lines = self.control("GET", f"lists/{list_id}/subscribers").splitlines()
        self.lists[list_id] = {one["email"].lower(): one for one in map(json.loads, lines)}
        return self.lists[list_id]

    def serve(self, request: Request, job: str, left: float, *, late: bool) -> Payload:
        """Does what a call asks for, and notes what that changed."""
        self.calls += 1
        self._set_clock()
        list_id, kind = about(request)
        before = self.listing(list_id) if kind else {}
        if kind == "import" and any(one["EmailAddress"].lower() in self.cursed for one in _rows(request)):
            return Payload(500, {}, b'{"Code":500,"Message":"An error occurred."}')
        if kind in ("unsubscribe", "delete") and _removed(request) in self.clinging:
            payload = Payload(400, {}, b'{"Code":1,"Message":"Invalid Email Address"}')
        else:
            with self.state.log.call(request) as entry:
                payload = conduct(request, self.state, entry, lambda: False)
        if kind:
            after = before if kind == "state" else self.look(list_id)
            self._note(request, payload, kind, job, left, list_id, before, after, late)
        return payload

    def _note(
        self,
        request: Request,
        payload: Payload,
        kind: Any,
        job: str,
        left: float,
        list_id: str,
        before: Listing,
        after: Listing,
        late: bool,
    ) -> None:
        answer = answer_of(payload.content)
        if kind == "import":
            rows = _rows(request)
            whole = answer.get("Code") if payload.status >= 300 and answer.get("Code") != 210 else None
            result = answer.get("ResultData", answer)
            codes = {one["EmailAddress"].lower(): one["Code"] for one in result.get("FailureDetails") or []}
            resubscribe = bool(json.loads(request.body).get("Resubscribe"))
        else:
            rows = [{"EmailAddress": _removed(request)}]
            whole, codes, resubscribe = answer.get("Code") if payload.status >= 300 else None, {}, False
        for row in rows:
            email = row["EmailAddress"].lower()
            code = whole if whole is not None else codes.get(email)
            change = Change(
                time=self.scheduler.time,
                left=left,
                job=job,
                list_id=list_id,
                kind=kind,
                email=email,
                sent=row,
                before=before.get(email),
                after=after.get(email),
                code=code,
                resubscribe=resubscribe,
                late=late,
            )
            self.changes.append(change)

    def note_again(self, caller: Process, request: Request) -> None:
        """Whom it is about to send, although it has heard that they were taken."""
        again = [row["EmailAddress"] for row in _rows(request) if row["EmailAddress"].lower() in caller.heard]
        self.sent_again += [f"{one.partition('@')[0]}: {caller.job}" for one in again]

    def note_odd(self, run: str, how: str, request: Request) -> None:
        self.odd.setdefault(run, []).append(how)
        if how in NAMELESS:
            self.unnamed.setdefault(run, set()).update(one["EmailAddress"].lower() for one in _rows(request))

    def _set_clock(self) -> None:
        self.state.options = self.state.options.model_copy(update={"now": self.scheduler.now()})


def about(request: Request) -> tuple[str, Any]:
    """Which list a call is about, and what it does to its subscribers; None for what does nothing."""
    parts = request.path.removesuffix(".json").split("/")
    if "subscribers" not in parts:
        return "", None
    at = parts.index("subscribers")
    rest = parts[at + 2 :]
    kind = rest[0] if rest else {"DELETE": "delete", "GET": "state"}.get(request.method)
    return parts[at + 1], kind


def _removed(request: Request) -> str:
    """Whom a call for one person is about."""
    email = parse_qs(urlsplit(request.target).query).get("email", [""])[0]
    return (email or str(json.loads(request.body)["EmailAddress"])).lower()


def _rows(request: Request) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(request.body)["Subscribers"]
    return rows


def answer_of(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content.decode("utf-8-sig"))
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
