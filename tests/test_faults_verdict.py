"""What a killed worker may send twice, and what a campaign is made of: the same for the same seed."""

from itertools import islice

import pytest

from local.faults.kills import moments
from local.faults.programs import CALLS_IN_FLIGHT, Kill
from local.faults.storm import rules
from local.faults.trial import ImportCall
from local.faults.verdict import unsaved

KILL = Kill(at=100.0, workers=(1,))


def a_call(worker: int = 1, *, begun: float = 99.5, ended: float = 100.5) -> ImportCall:
    return ImportCall(worker, begun, ended, rows=1000, fault="")


@pytest.mark.parametrize(
    ("call", "may_be_sent_again"),
    [
        (a_call(), True),
        (a_call(worker=2), False),
        (a_call(begun=98, ended=99), True),
        (a_call(worker=2, begun=98, ended=99), False),
        (a_call(begun=94, ended=95), False),
        (a_call(begun=100.1, ended=101), True),
        (a_call(begun=101, ended=102), False),
    ],
    ids=[
        "in flight",
        "in flight of the other worker",
        "answered since the checkpoint",
        "answered to the other worker",
        "answered before the checkpoint",
        "on its way when the worker died",
        "of the worker in its place",
    ],
)
def test_only_what_a_killed_worker_had_not_saved_may_be_sent_again(call: ImportCall, may_be_sent_again: bool):
    assert unsaved([call], KILL) == ([call] if may_be_sent_again else [])


def test_no_more_calls_in_flight_are_allowed_than_a_worker_may_have():
    calls = [a_call() for _ in range(CALLS_IN_FLIGHT + 1)]
    assert len(unsaved(calls, KILL)) == CALLS_IN_FLIGHT


def test_both_workers_may_send_again_when_both_were_killed():
    calls = [a_call(worker=1), a_call(worker=2)]
    assert unsaved(calls, Kill(at=100.0, workers=(1, 2))) == calls


def test_a_seed_gives_the_same_moments_again_and_another_seed_others():
    first, again, other = (list(islice(moments(seed), 25)) for seed in (1, 1, 2))
    assert first == again != other
    assert {moment.state for moment in first} == {"planning", "sending", "last batch", "finishing"}
    assert {moment.both for moment in first} == {True, False}


@pytest.mark.parametrize("rarely", [8, 100])
def test_what_is_rare_hits_one_call_in_so_many_and_no_two_at_once(rarely: int):
    hit = [number for rule in rules(rarely) for number in rule.get("calls", ()) if number <= 10 * rarely]
    assert len(hit) == len(set(hit))
    assert len(hit) == pytest.approx(4 * 10, abs=1)
