"""Campaign Monitor at its worst: a run in which a fifth of the import calls fail in one way or another."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.faults.programs import Programs
from local.faults.trial import Expectation, Trial, control, prepare
from local.faults.verdict import differences

OFTEN = 0.05
RARELY = 100  # one call in so many
MOST_CALLS = 5_000
# Then the connection is closed: nobody wants to wait for the client's own patience, 120 seconds, in every storm.
HANG_SECONDS = 5.0


@dataclass(frozen=True)
class Weather:
    """How a run came through the storm: ``faults`` by what the stand-in did, ``sent_twice`` in profiles, ``seconds``
    from start to end; ``problems`` are sentences, none where all is right."""

    problems: tuple[str, ...]
    faults: Counter[str]
    calls: int
    sent_twice: int
    seconds: float


def storm(programs: Programs, expectation: Expectation, *, seed: int, rarely: int = RARELY) -> Weather:
    prepare(programs)
    trial = Trial(programs, "storm", expectation)
    trial.set_up()
    control(programs, "PUT", "faults", {"seed": seed, "rules": rules(rarely)})
    trial.start()
    run = trial.wait_for_end()
    control(programs, "DELETE", "faults")
    calls = trial.import_calls()
    faults = Counter(call.fault for call in calls if call.fault)
    sent_twice = sum(call.rows for call in calls) - expectation.account["to_send"]
    problems = [*differences(trial, run, sent_twice)]
    meant = dict.fromkeys(f"{rule['kind']} {rule['when']}" for rule in rules(rarely))
    problems += [f"the storm had no {fault}" for fault in meant if fault not in faults]
    begun, ended = (datetime.fromisoformat(run[when]) for when in ("created_at", "ended_at"))
    return Weather(tuple(problems), faults, len(calls), sent_twice, (ended - begun).total_seconds())


def rules(rarely: int) -> list[dict[str, Any]]:
    """For the stand-in. What is rare happens to calls with fixed numbers, so that no storm is without it; it comes
    first, since the first rule that hits a call has it."""
    rare: tuple[dict[str, Any], ...] = (
        {"kind": "hang", "when": "before", "seconds": HANG_SECONDS},
        {"kind": "reset", "when": "before"},
        {"kind": "reset", "when": "after"},
        {"kind": "bom", "when": "before"},
    )
    often: tuple[dict[str, Any], ...] = (
        {"kind": "500", "when": "before", "probability": OFTEN / 2},
        {"kind": "504", "when": "after", "probability": OFTEN / 2},
        {"kind": "429", "when": "before", "probability": OFTEN, "headers": "reset"},
        {"kind": "429", "when": "before", "probability": OFTEN, "headers": "retry-after"},
        {"kind": "429", "when": "before", "probability": OFTEN, "headers": "none"},
    )
    apart = rarely // len(rare)
    numbers = (list(range(first * apart, MOST_CALLS, rarely)) for first in range(1, len(rare) + 1))
    return [*({**rule, "calls": calls} for rule, calls in zip(rare, numbers, strict=True)), *often]
