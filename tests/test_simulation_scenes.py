"""What the scenes of the simulation stand on: a service that is slow for a while, calls upon which others follow."""

import json

import pytest

from local.simulation.network import is_followed
from local.simulation.scheduler import Scheduler
from local.simulation.service import Service
from local.standin.answers import Payload


def test_a_service_is_slow_for_as_long_as_it_was_said() -> None:
    service = Service(Scheduler(1), {}, slow=4)
    service.slow_down(60, 300)
    assert service.slowest(0, 0) == 60
    assert service.slowest(301, 400) == 4
    assert service.slowest(299, 400) == 60


@pytest.mark.parametrize(
    ("kind", "status", "answer", "followed"),
    [
        ("state", 200, {"State": "Active"}, True),
        ("state", 400, {"Code": 203}, False),
        ("delete", 400, {"Code": 203}, False),
        ("import", 201, {"FailureDetails": []}, False),
        ("import", 400, {"Code": 220}, True),
        ("import", 400, {"Code": 210, "ResultData": {"FailureDetails": [{"Code": 206}]}}, False),
        ("import", 400, {"Code": 210, "ResultData": {"FailureDetails": [{"Code": 205}]}}, True),
    ],
)
def test_upon_which_answers_another_call_follows(kind: str, status: int, answer: object, followed: bool) -> None:
    assert is_followed(kind, Payload(status, {}, json.dumps(answer).encode())) is followed
