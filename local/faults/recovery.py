"""How long a step that was at work lay still after its worker was killed, from the lines that the app logs."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from local.faults.programs import Kill
from shared.record import telemetry

_LINE = re.compile(rf"^(\S+ \S+),(\d{{3}}) \w+ {re.escape(telemetry.__name__)}: (\{{.*\}})$", re.MULTILINE)


class Step(NamedTuple):
    """``begun`` in seconds since 1970; ``held``: the worker left it alone, as the lock was not free."""

    begun: float
    what: tuple[str, int | None]
    held: bool


def taken_up_after(logs: Path, export: str, kill: Kill) -> float | None:
    """Seconds from the kill until a worker began anew what a killed one had at work; None where none had to. ``logs``
    is the folder of the workers' logs."""
    later = [step for step in steps(logs, export) if step.begun > kill.at]
    locked = {step.what for step in later if step.held}
    begun = [step.begun for step in later if step.what in locked and not step.held]
    return min(begun) - kill.at if begun else None


def steps(logs: Path, export: str) -> Iterator[Step]:
    """Those of an export that have ended, in no particular order."""
    for log in logs.glob("worker-*.log"):
        for moment, milliseconds, line in _LINE.findall(log.read_text(errors="replace")):
            event = json.loads(line)
            if event["event"] == "step" and event["export"] == export:
                ended = datetime.fromisoformat(moment).timestamp() + int(milliseconds) / 1000
                what = (event["step"], event.get("slice"))
                yield Step(ended - event["seconds"], what, event["outcome"] == "held")
