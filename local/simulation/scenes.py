"""What a run at work may meet in rich worlds: a service that is slow while somebody cancels it, or its message comes
twice; a worker that sleeps at the worst moment while another one takes its step."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from local.memory.queue import MemoryQueue
from local.simulation.hosts import Platform
from local.simulation.operator_hands import Operator
from local.simulation.plans import Plan
from local.simulation.scheduler import Process, Scheduler
from local.simulation.service import Service
from local.simulation.weather import Weather

_LEASE = 30  # seconds


@dataclass
class Scenes:
    """``chance`` decides which of them are played; ``apart`` does of those that seldom come to anything."""

    scheduler: Scheduler
    chance: random.Random
    apart: random.Random
    weather: Weather
    plan: Plan
    service: Service
    queue: MemoryQueue
    platform: Platform
    operator: Operator

    def perhaps(self, run: dict[str, Any]) -> None:
        """Of a run that begins to plan, to send, or to finish."""
        if run["status"] == "finishing":
            if self.apart.random() < 0.2:
                self._dies_before_its_end(run)
            return
        if self.chance.random() < 0.6:
            self._sleeps_between_calls(run)  # if it comes to that: there seldom are such calls
        if self.chance.random() < self.plan.scenes:
            if run["status"] == "sending":
                self._slowly(run)
            elif self.chance.random() < 0.5:
                self._plans_in_its_sleep(run)
        if self.apart.random() < 0.7:
            self._is_cut_off_within_a_batch(run)
        if self.apart.random() < 0.3:
            self._sleeps_before_it_asks_again(run)

    def _slowly(self, run: dict[str, Any]) -> None:
        """Calls take long, and something happens meanwhile."""
        self._slow_down(self.chance.uniform(20, 100))
        acts: list[Callable[[], None]] = [
            partial(self.operator.cancel, run["export"], run["id"]),
            partial(self.operator.start, run["export"]),
            partial(self._deliver_again, run["id"]),
            partial(self.operator.choose_removals, run["export"]),
        ]
        for act in self.chance.sample(acts, self.chance.choice([1, 1, 2])):
            self.scheduler.later(self.chance.uniform(0.5, 12), act)

    def _sleeps_between_calls(self, run: dict[str, Any]) -> None:
        """Whoever has to make one call after the other sleeps between them; somebody else takes the step, or cancels
        the run, so that nobody does."""

        def fall_asleep(process: Process) -> None:
            seconds = self.chance.choice([50, 90, 400])
            if seconds == 50:
                self.platform.stall(process, seconds)
                self.operator.cancel(run["export"], run["id"])
            else:
                self._sleep(process, seconds)

        self.service.surprise(run["id"], "between calls", fall_asleep)

    def _is_cut_off_within_a_batch(self, run: dict[str, Any]) -> None:
        """The service is away when whoever has to make several calls for one batch comes to the second."""

        def cut_off(_: Process) -> None:
            seconds = self.apart.uniform(60, 300)  # the client has some patience
            self.weather.service_away_until = max(self.weather.service_away_until, self.scheduler.time + seconds)
            self.scheduler.tell(f"the service is away for {seconds:.0f} s")

        self.service.surprise(run["id"], "within a batch", cut_off)

    def _sleeps_before_it_asks_again(self, run: dict[str, Any]) -> None:
        """Whoever has been turned away sleeps, for longer than a lease, before it tries again. Nobody takes its step,
        for the run is cancelled, and ends."""

        def fall_asleep(process: Process) -> None:
            self.platform.stall(process, self.apart.uniform(40, 120))
            self.operator.cancel(run["export"], run["id"])

        self.service.surprise(run["id"], "before another attempt", fall_asleep)

    def _dies_before_its_end(self, run: dict[str, Any]) -> None:
        """Whoever finishes dies right before it writes the end down, or sleeps while somebody else does; all else that
        it wrote is there."""
        for process in self.platform.at_work(run["id"])[:1]:
            dies = self.apart.random() < 0.5
            process.drowsy = partial(self.platform.kill if dies else partial(self._sleep, seconds=90), process)
            process.awake_for = 0

    def _plans_in_its_sleep(self, run: dict[str, Any]) -> None:
        """Whoever plans sleeps right before it writes the plan down. Somebody else plans anew, by what the export is
        then, and may still send when it wakes."""
        export = run["export"]
        acts: list[Callable[[], None]] = [
            partial(self.operator.redirect, export),
            partial(self.operator.choose_segments, export),
            partial(self.operator.edit, export),
        ]

        def fall_asleep(process: Process) -> None:
            self._slow_down(self.chance.uniform(10, 40))
            self._sleep(process, self.chance.choice([self.chance.uniform(_LEASE + 5, 80), 90, 400]))
            self.scheduler.later(self.chance.uniform(0, 20), self.chance.choice(acts))

        for process in self.platform.at_work(run["id"])[:1]:
            process.drowsy, process.awake_for = partial(fall_asleep, process), self.chance.choice([1, 1, 2])

    def _slow_down(self, seconds: float) -> None:
        """For some minutes a call of the service may take so long."""
        self.service.slow_down(seconds, 300)
        self.scheduler.tell(f"calls of the service take up to {seconds:.0f} s")

    def _sleep(self, process: Process, seconds: float) -> None:
        self.platform.stall(process, seconds)
        self._put(process.job)

    def _deliver_again(self, run: str) -> None:
        for process in self.platform.at_work(run):
            self.scheduler.tell(f"somebody else sees {process.job}")
            self._put(process.job)

    def _put(self, message: str) -> None:
        self.queue.put(message)
        self.platform.arrived(0)
