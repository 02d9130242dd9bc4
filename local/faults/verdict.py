"""Whether a run came out as the sample must give, and how much it sent twice."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from local.demo.comparison import (
    counts_that_differ,
    rejects_in,
    rejects_that_differ,
    subscribers_at,
    subscribers_that_differ,
)
from local.faults.programs import CALLS_IN_FLIGHT, Kill
from local.faults.trial import Expectation, ImportCall, Run, Trial

# Finished batches are saved 2 seconds after the last were; what is answered while those are saved waits for both.
UNSAVED_SECONDS = 2.0 + 2 * 1.0
# A call that has left the worker is met by the stand-in when it has come completely.
ON_ITS_WAY_SECONDS = 1.0


@dataclass(frozen=True)
class Verdict:
    """``sent_twice`` and ``allowed`` in profiles; ``problems`` are sentences, none where all is right."""

    problems: tuple[str, ...]
    sent_twice: int
    allowed: int


def judge(trial: Trial, run: Run, kills: Iterable[Kill] = ()) -> Verdict:
    """The run has ended. The export must be free then: the next run, started here, finds nothing left to send."""
    calls = trial.import_calls()
    to_send = trial.expectation.account["to_send"]
    sent_twice = sum(call.rows for call in calls) - to_send
    allowed = sum(call.rows for kill in kills for call in unsaved(calls, kill))
    problems = [*differences(trial, run, sent_twice)]
    if not 0 <= sent_twice <= allowed:
        problems.append(f"{sent_twice} profiles were sent twice, and at most {allowed} may be")
    return Verdict((*problems, *_next_run(trial)), sent_twice, allowed)


def differences(trial: Trial, run: Run, sent_twice: int) -> Iterator[str]:
    """Between the run and what the sample must give, in its status, its account, its rejects and its list."""
    if run["status"] != "completed_with_rejects":
        yield f"its status is {run['status']}: {run['error']}"
    expected = trial.expectation
    yield from _account(run["counts"], expected, sent_twice)
    yield from rejects_that_differ(rejects_in(trial.rejects()), expected.rejects)
    page = f"{trial.programs.standin}/control/lists/{trial.list_id}/subscribers"
    yield from subscribers_that_differ(subscribers_at(page), expected.afterwards)


def _account(found: Mapping[str, int], expected: Expectation, sent_twice: int) -> Iterator[str]:
    # Whoever was new when sent for the first time is known when sent again.
    known_meanwhile = expected.account["added"] - found["added"]
    if not 0 <= known_meanwhile <= sent_twice:
        yield f"added is {found['added']} after {sent_twice} were sent twice"
        known_meanwhile = 0
    shifted = {
        "added": expected.account["added"] - known_meanwhile,
        "updated": expected.account["updated"] + known_meanwhile,
    }
    yield from counts_that_differ(found, expected.account | shifted)


def unsaved(calls: list[ImportCall], kill: Kill) -> list[ImportCall]:
    """What may be sent again after the kill: what the killed workers had in flight, and what was answered to them since
    their last checkpoint."""
    theirs = [call for call in calls if call.worker in kill.workers]
    in_flight = [call for call in theirs if call.begun < kill.at + ON_ITS_WAY_SECONDS and call.ended > kill.at]
    answered = [call for call in theirs if kill.at - UNSAVED_SECONDS < call.ended <= kill.at]
    return answered + in_flight[: CALLS_IN_FLIGHT * len(kill.workers)]


def _next_run(trial: Trial) -> Iterator[str]:
    trial.start()
    counts = trial.wait_for_end()["counts"]
    if counts["to_send"] or counts["unchanged"] != trial.expectation.account["to_send"]:
        yield f"the next run finds {counts['to_send']} to send and {counts['unchanged']} unchanged"
