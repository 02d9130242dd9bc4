"""What Azure's host does to those who work, beside delivering to them: docs/host.md.

Where the ground is hard a worker process dies alone, and its instance lives; an instance is stopped, and has ten
seconds; one to which storage refuses a renewal or a deletion ends, also in the middle of a step; ticks run side by
side, and one comes right after a restart; and for a while there is no queue.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from local.simulation.history import History
from local.simulation.hosts import Platform
from local.simulation.operator_hands import Operator
from local.simulation.scheduler import Scheduler
from local.simulation.weather import QUEUE_AWAY, Weather

_AT_A_STEP = 0.15  # of the steps that begin


@dataclass
class Ground:
    """``tick`` is that of the timer."""

    scheduler: Scheduler
    chance: random.Random
    weather: Weather
    history: History
    platform: Platform
    operator: Operator
    tick: Callable[[Any], object]

    def begin(self, end: float) -> None:
        """Plans until then what happens at whatever time."""
        self.platform.is_hard = True
        for _ in range(self.chance.choice([1, 2, 4])):
            self.scheduler.at(self.chance.uniform(0, end), self._tick_by_hand)
        for _ in range(self.chance.choice([0, 1, 3])):
            self.scheduler.at(self.chance.uniform(0, end), self._stop)
        for _ in range(self.chance.choice([0, 1, 3])):
            self.scheduler.at(self.chance.uniform(0, end), self._take_the_queue_away)

    def perhaps(self, run: str) -> None:
        """A step of the run begins."""
        if self.chance.random() >= _AT_A_STEP:
            return
        die = partial(self._die_alone, run)
        acts: list[Callable[[], None]] = [die, die, self._tick_by_hand]
        self.scheduler.later(
            self.chance.choice([0.0, self.chance.uniform(0, 3), self.chance.uniform(0, 40)]), self.chance.choice(acts)
        )

    def _die_alone(self, run: str) -> None:
        for process in self.platform.at_work(run)[:1]:
            self.scheduler.tell(f"the worker process of {process.name} dies alone")
            self.platform.die_alone(process)

    def _stop(self) -> None:
        process = self.chance.choice(self.platform.workers())
        self.scheduler.tell(f"{process.name} is stopped")
        self.platform.stop(process)

    def _take_the_queue_away(self) -> None:
        """For minutes, or as long as a call; somebody starts an export, or two do."""
        now, seconds = self.scheduler.time, self.chance.choice([0.1, 60, 1200])
        self.weather.queue_away_until = max(self.weather.queue_away_until, now + seconds)
        self.history.storms.append((now, now + seconds, QUEUE_AWAY))
        self.scheduler.tell(f"the queue is away for {seconds:g} s")
        for _ in range(self.chance.choice([1, 2])):
            self.scheduler.later(self.chance.uniform(0, 0.1), self.operator.start_any)

    def _tick_by_hand(self) -> None:
        for _ in range(self.chance.choice([1, 3])):
            self.platform.door("tick by hand", self.tick)
