"""What happened in a world, as the world itself saw it: what the oracles judge by."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from local.simulation.plans import Plan
from local.simulation.records import ENDED, Records
from local.simulation.refreshes import Insights
from local.simulation.scheduler import EPOCH, Scheduler
from local.simulation.service import Change, Listing, Service

# What of a run's record never changes once it has ended.
_CLOSED = ("status", "counts", "error", "ended_at", "snapshots", "partitions", "list_id")


@dataclass(frozen=True)
class Ended:
    """A run when it ended, what its list held then, and since when somebody had locked which of its steps."""

    time: float
    run: dict[str, Any]
    listing: Listing
    locked: dict[str, float]


@dataclass(frozen=True)
class OwnDoing:
    """What became of somebody on a list past the product: they unsubscribed, bounced, came back by themselves."""

    time: float
    list_id: str
    email: str
    state: str
    suppressed: bool


@dataclass
class History:
    """``configurations`` of each export by the time at which they were saved, None where it was deleted. ``on_step`` is
    told of each run that begins to plan, to send, and to finish, ``on_end`` of each that ends. ``forgotten`` is what
    was written down and then undone: answers of a checkpoint, a cancellation, a failure; ``reopened`` are runs whose
    record was changed after their end."""

    scheduler: Scheduler
    plan: Plan
    records: Records
    service: Service
    insights: Insights
    configurations: dict[str, list[tuple[float, dict[str, Any] | None]]] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)
    own_doings: list[OwnDoing] = field(default_factory=list)
    storms: list[tuple[float, float, str]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    cancelled: dict[str, float] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _failed: set[str] = field(default_factory=set)
    _locked_at: dict[tuple[str, str], float] = field(default_factory=dict)
    acknowledged: dict[tuple[str, str], list[tuple[float, bytes]]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    on_step: Callable[[dict[str, Any]], None] = lambda _: None
    on_end: Callable[[dict[str, Any]], None] = lambda _: None
    calm_from: float = 0.0
    last_refresh_at: float = 0.0
    second_round_at: float = 0.0

    def watch(self, container: str, name: str, content: bytes | None) -> None:
        """Each write of the product, when it is stored, and each lock that it takes."""
        if container.endswith("catalog") and name.startswith("exports/"):
            id_ = name.removeprefix("exports/").removesuffix(".json")
            document = json.loads(content) if content is not None else None
            self.configurations.setdefault(id_, []).append((self.scheduler.time, document))
        elif name.endswith("/run.json") and content is not None:
            self._look_at(json.loads(content))
        elif "/locks/" in name:
            _, _, run, _, step = name.split("/")
            self._locked_at[run, step] = self.scheduler.time
        elif "/results/" in name and content is not None:
            self._look_at_answers(name, json.loads(content))
        elif name.startswith("exports/") and name.endswith(".parquet") and content is not None:
            _, export, file = name.split("/")
            list_id = file.removeprefix("acknowledged-").removesuffix(".parquet")
            self.acknowledged.setdefault((export, list_id), []).append((self.scheduler.time, content))

    def _look_at(self, run: dict[str, Any]) -> None:
        id_, now = run["id"], self.scheduler.time
        if run["status"] in ("planning", "sending", "finishing") and (id_, run["status"]) not in self._seen:
            self._seen.add((id_, run["status"]))
            self.on_step(run)
        if run.get("cancel_requested"):
            self.cancelled.setdefault(id_, now)
        elif id_ in self.cancelled:
            self.forgotten.append(f"{id_} was cancelled, and is not any more")
        if run.get("failure"):
            self._failed.add(id_)
        elif id_ in self._failed:
            self.forgotten.append(f"{id_} had failed, and has not any more")
        if id_ in self.ended:
            self._look_at_what_is_closed(run)
        if run["status"] not in ENDED or id_ in self.ended:
            return
        list_id = run.get("list_id")
        listing = dict(self.service.listing(list_id)) if list_id else {}
        locked = {step: self._locked_at.get((id_, step), 0.0) for step in self.records.locked(run)}
        self.ended[id_] = Ended(now, run, listing, locked)
        counts = ", ".join(f"{name} {count}" for name, count in run["counts"].items() if count)
        why = f", {run['error']['code']}" if run.get("error") else ""
        self.scheduler.tell(f"the run {id_} of {run['export']} ends: {run['status']}{why} ({counts})")
        self.on_end(run)

    def _look_at_what_is_closed(self, run: dict[str, Any]) -> None:
        """Of a run that has ended before."""
        closed = self.ended[run["id"]].run
        changed = [name for name in _CLOSED if run.get(name) != closed.get(name)]
        if changed:
            self.reopened.append(f"{run['id']} was {closed['status']}, is {run['status']}: {', '.join(changed)}")

    def _look_at_answers(self, name: str, checkpoint: dict[str, Any]) -> None:
        """By batch. One that is partly answered may get more answers."""
        answers = checkpoint.get("partly", {}) | checkpoint.get("done", {})
        for batch, answer in self.answers.get(name, {}).items():
            now = answers.get(batch)
            has_more = now and len(now.get("unanswered", ())) < len(answer.get("unanswered", ()))
            if now != answer and not has_more:
                self.forgotten.append(f"{name}: batch {batch} was {answer}, and is {now}")
        self.answers[name] = answers

    def configuration(self, export: str, moment: float) -> dict[str, Any] | None:
        """As it was saved then."""
        found = None
        for time, document in self.configurations.get(export, []):
            if time <= moment:
                found = document
        return found

    def created_at(self, run: str) -> float:
        """When the run was asked for at the earliest, as its id says; a clock may be half a minute ahead."""
        moment = datetime.strptime(run[:18] + "000", "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        return (moment - EPOCH).total_seconds() - 30

    def acknowledged_at(self, export: str, list_id: str, moment: float) -> bytes | None:
        """The Parquet file as it was then."""
        found = None
        for time, content in self.acknowledged.get((export, list_id), []):
            if time <= moment:
                found = content
        return found

    def saved(self, export: str, begin: float, end: float) -> list[dict[str, Any] | None]:
        """All that it was in that time, None where it was not there."""
        later = [document for time, document in self.configurations.get(export, []) if begin < time <= end]
        return [self.configuration(export, begin), *later]

    def configured(self, export: str, begin: float, end: float) -> list[dict[str, Any]]:
        """All that it was in that time, when it was there."""
        return [document for document in self.saved(export, begin, end) if document]

    def changes(self, list_id: str, email: str, *, until: float = float("inf")) -> list[Change]:
        """What calls did to somebody on a list, in their order."""
        return [
            change
            for change in self.by_person.get((list_id, email), [])
            if change.time <= until and change.kind != "state"
        ]

    @cached_property
    def by_person(self) -> dict[tuple[str, str], list[Change]]:
        """By list and address; to be asked for in the end."""
        found: dict[tuple[str, str], list[Change]] = {}
        for change in self.service.changes:
            found.setdefault((change.list_id, change.email), []).append(change)
        return found


def by_run(change: Change) -> str:
    """Whose message the caller was at; empty for a door."""
    return str(_job(change.job).get("run", ""))


def by_export(change: Change) -> str:
    return str(_job(change.job).get("export", ""))


def by_slice(change: Change) -> tuple[str, str, int | None]:
    """The run, the step, and the number of the slice that the caller was at."""
    return slice_of(change.job)


def slice_of(message: str) -> tuple[str, str, int | None]:
    job = _job(message)
    return str(job.get("run", "")), str(job.get("step", "")), job.get("slice")


@lru_cache(maxsize=4096)
def _job(message: str) -> dict[str, Any]:
    try:
        job = json.loads(message)
    except ValueError:
        return {}
    return job if isinstance(job, dict) else {}
