"""Planted where only hard ground shows it: worlds from 1,000 on."""

from local.simulation.planted.faults import Fault, fault

FAULTS: tuple[Fault, ...] = (
    fault(
        "a start that is not taken back",
        "whoever asked got an error, and the run begins when the queue is back",
        ("shared/runs/start.py", "            if app.runs.take_back(run, etag):\n", "            if not run.id:\n"),
    ),
)
