"""Workers are killed at seeded moments, and started again; every run must come to its end as if nothing had been."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice

from local.demo.client import ENDED
from local.faults.programs import WORKERS, Kill, Programs
from local.faults.recovery import taken_up_after
from local.faults.trial import Expectation, Run, Trial, prepare
from local.faults.verdict import Verdict, judge

# Of every import call, so that sending lasts long enough to be hit.
LATENCY = 1.0

_STATES = ("planning", "sending", "last batch", "sending", "finishing", "sending", "planning", "finishing")
_BOTH = 0.25  # of the kills are of both workers


@dataclass(frozen=True)
class Moment:
    """``share`` of the time that the state takes, or of the batches that are sent in it."""

    state: str
    share: float
    both: bool


@dataclass(frozen=True)
class Undisturbed:
    """How long each state of a run takes when nothing happens, in seconds."""

    planning: float
    sending: float
    finishing: float
    total: float


@dataclass(frozen=True)
class Disturbed:
    """A run whose workers were killed: ``met`` tells where it was, in words; ``missed`` is True where it had ended."""

    trial: Trial
    met: str
    missed: bool
    kill: Kill


@dataclass(frozen=True)
class Outcome:
    """Both times in seconds from the kill; ``taken_up_after`` is None where no step had to be taken up."""

    disturbed: Disturbed
    taken_up_after: float | None
    ended_after: float
    verdict: Verdict


def moments(seed: int) -> Iterator[Moment]:
    dice = random.Random(seed)
    for number in count():
        yield Moment(_STATES[number % len(_STATES)], dice.random(), dice.random() < _BOTH)


def undisturbed(programs: Programs, expectation: Expectation) -> tuple[Undisturbed, Verdict]:
    """One run without a kill, to know how long it takes."""
    prepare(programs, latency=LATENCY)
    trial = Trial(programs, "undisturbed", expectation)
    trial.set_up()
    trial.start()
    begun = {}
    for state in ("planning", "sending", "finishing", "ended"):
        trial.wait_for(state)
        begun[state] = time.monotonic()
    run = trial.run()
    times = Undisturbed(
        begun["sending"] - begun["planning"],
        begun["finishing"] - begun["sending"],
        begun["ended"] - begun["finishing"],
        _seconds(run["ended_at"]) - _seconds(run["created_at"]),
    )
    return times, judge(trial, run)


def campaign(
    programs: Programs, expectation: Expectation, usual: Undisturbed, *, kills: int, seed: int, together: int
) -> Iterator[Outcome]:
    """Until ``kills`` moments are met; a moment that comes too late for its run is tried and told, and does not count.
    ``together``: so many runs are disturbed one after the other before the end of the first is waited for."""
    dice = random.Random(seed)
    upcoming = moments(seed)
    met, names = 0, count(1)
    while met < kills:
        prepare(programs, latency=LATENCY)
        disturbed = [
            _disturb(Trial(programs, f"kill-{next(names):03}", expectation), moment, usual, dice)
            for moment in islice(upcoming, min(together, kills - met))
        ]
        for each in disturbed:
            run = each.trial.wait_for_end()
            # Where several are in work at once, every kill may hit each of them.
            taken_up = taken_up_after(programs.workers.logs, each.trial.name, each.kill)
            verdict = judge(each.trial, run, [other.kill for other in disturbed])
            met += not each.missed
            yield Outcome(each, taken_up, _seconds(run["ended_at"]) - each.kill.at, verdict)


def _disturb(trial: Trial, moment: Moment, usual: Undisturbed, dice: random.Random) -> Disturbed:
    trial.set_up()
    trial.start()
    _reach(trial, moment, usual)
    workers = trial.programs.workers
    chosen = list(WORKERS) if moment.both else [dice.choice(workers.at_work() or list(WORKERS))]
    kill = workers.kill(chosen)
    run = trial.run()
    workers.start()
    return Disturbed(trial, _where(run), run["status"] in ENDED, kill)


def _reach(trial: Trial, moment: Moment, usual: Undisturbed) -> None:
    batches = trial.expectation.batches
    match moment.state:
        case "planning":
            trial.wait_for("planning")
            time.sleep(moment.share * usual.planning)
        case "sending":
            trial.wait_for_calls(1 + int(moment.share * (batches - 1)))
        case "last batch":
            trial.wait_for_calls(batches)
            time.sleep(moment.share * LATENCY)
        case "finishing":
            trial.wait_for("finishing")
            time.sleep(moment.share * usual.finishing)


def _where(run: Run) -> str:
    progress = run["progress"]
    known = f", {progress['done']} of {progress['batches']} batches saved" if run["status"] == "sending" else ""
    return f"{run['status']}{known}"


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
