"""How long a step lay still after a kill is read from the logs of the workers."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local.faults.programs import Kill
from local.faults.recovery import taken_up_after
from shared.record import telemetry

KILLED_AT = datetime(2026, 11, 23, 9, 0)


def a_line(ended: float, *, seconds: float = 0.0, slice_: int = 0, outcome: str = "done", export: str = "one") -> str:
    """Of a worker's log; ``ended`` in seconds after the kill."""
    moment = f"{KILLED_AT + timedelta(seconds=ended):%Y-%m-%d %H:%M:%S},000"
    values = {"event": "step", "export": export, "step": "send", "slice": slice_}
    return f"{moment} INFO {telemetry.__name__}: {json.dumps(values | {'outcome': outcome, 'seconds': seconds})}\n"


def taken_up(folder: Path, *logs: list[str]) -> float | None:
    for number, lines in enumerate(logs, 1):
        (folder / f"worker-{number}.log").write_text("".join(lines))
    return taken_up_after(folder, "one", Kill(KILLED_AT.timestamp(), (1,)))


def test_it_is_over_when_a_worker_begins_what_was_locked(tmp_path: Path):
    waiting = [a_line(5, outcome="held"), a_line(10, outcome="held")]
    assert taken_up(tmp_path, waiting, [a_line(40, seconds=15)]) == pytest.approx(25)


@pytest.mark.parametrize(
    "other",
    [a_line(8, slice_=1), a_line(-1), a_line(8, export="another")],
    ids=["another slice", "before the kill", "another export"],
)
def test_other_work_does_not_count(tmp_path: Path, other: str):
    assert taken_up(tmp_path, [a_line(5, outcome="held")], [other]) is None


def test_where_nothing_was_locked_nothing_had_to_be_taken_up(tmp_path: Path):
    assert taken_up(tmp_path, [a_line(8, seconds=2)]) is None
