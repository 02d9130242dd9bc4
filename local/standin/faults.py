"""What can go wrong between a client and the service, on order: rules, and which call each of them hits."""

import random
import re
import threading
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from local.standin.answers import Answer, Payload, render
from local.standin.options import Seconds

IMPORT_PATH = r"/subscribers/[^/]+/import"
GATEWAY_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
GATEWAY_REASONS = {"502": "502 Bad Gateway", "503": "503 Service Unavailable", "504": "504 Gateway Time-out"}
RATE_LIMIT = 60  # calls, as in the service's own example of the headers


class Fault(BaseModel):
    """One rule. It hits the calls with the numbers in `calls`, or each call with `probability`.

    Calls are counted from 1, from the moment the rules are set, among those whose path has a match of `path`.
    `when`: before anything is stored, or after it, so that the client cannot know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["500", "502", "503", "504", "429", "hang", "reset", "bom", "gzip", "slow"]
    path: str = IMPORT_PATH
    method: str | None = None
    calls: list[Annotated[int, Field(ge=1)]] | None = None
    probability: Annotated[float, Field(ge=0, le=1)] | None = None
    when: Literal["before", "after"] = "before"
    seconds: Seconds = Field(default=0, description="how long a hang or a slow call takes; a hang of 0 never ends")
    seconds_per_1000: Seconds = Field(default=0, description="more for every 1,000 rows of a slow call")
    body: Literal["html", "empty"] = Field(default="html", description="of 502, 503 and 504")
    headers: Literal["reset", "retry-after", "none"] = Field(default="none", description="of 429")
    wait: int = Field(default=1, ge=0, description="seconds that the headers of 429 tell")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.calls is None) == (self.probability is None):
            raise ValueError("give either calls or probability")
        try:
            re.compile(self.path)
        except re.error as problem:
            raise ValueError(f"path is no regular expression: {problem}") from None
        return self

    @property
    def answers(self) -> bool:
        """Whether the client gets this fault's answer in place of the service's."""
        return self.kind in ("500", "429", *GATEWAY_REASONS)

    def payload(self) -> Payload:
        """The answer of a fault that `answers`."""
        if self.kind in GATEWAY_REASONS:
            page = "" if self.body == "empty" else GATEWAY_PAGE.format(GATEWAY_REASONS[self.kind])
            return Payload(int(self.kind), {"Content-Type": "text/html"} if page else {}, page.encode())
        if self.kind == "429":
            return too_many(self.headers, self.wait)
        return _error(500, "Sorry, we've run into a problem.")


def too_many(headers: str, wait: int) -> Payload:
    """The 429 of the documentation (`reset`), of HTTP (`retry-after`), and the one seen live (`none`)."""
    match headers:
        case "reset":
            told = {"X-RateLimit-Limit": RATE_LIMIT, "X-RateLimit-Remaining": 0, "X-RateLimit-Reset": wait}
        case "retry-after":
            told = {"Retry-After": wait}
        case _:
            return _error(429, "Subscriber was added too many times too quickly, try again later.")
    return _error(429, "Rate limit exceeded", {name: str(value) for name, value in told.items()})


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Payload:
    return render(Answer({"Code": status, "Message": message}, status, headers or {}))


class FaultPlan(BaseModel):
    """The same seed and the same numbers of calls give the same faults, whatever the threads do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    rules: list[Fault] = []


class Faults:
    """A plan at work."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self._lock = threading.Lock()
        self._seen = [0] * len(plan.rules)

    def strike(self, method: str, path: str) -> Fault | None:
        """The first rule that hits this call; every rule that the path concerns counts it."""
        hit = None
        with self._lock:
            for index, rule in enumerate(self.plan.rules):
                if rule.method not in (None, method) or not re.search(rule.path, path):
                    continue
                self._seen[index] += 1
                if hit is None and self._hits(index, rule, self._seen[index]):
                    hit = rule
        return hit

    def _hits(self, index: int, rule: Fault, number: int) -> bool:
        if rule.calls is not None:
            return number in rule.calls
        return random.Random(f"{self.plan.seed}/{index}/{number}").random() < (rule.probability or 0)
