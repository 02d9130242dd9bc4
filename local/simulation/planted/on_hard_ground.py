"""Planted where only hard ground shows it: worlds from 1,000 on."""

from local.simulation.planted.faults import Fault, fault

FAULTS: tuple[Fault, ...] = (
    fault(
        "a first message after the claim",
        "whoever asked gets an error, and the run begins when the queue is back",
        ("shared/runs/start.py", '        app.enqueue(run, Next("plan"))\n        taken', "        taken"),
        (
            "shared/runs/start.py",
            "            return _held(app, run, taken)\n",
            "            held = _held(app, run, taken)\n            _go_on(app, held[0])\n            return held\n",
        ),
    ),
)
