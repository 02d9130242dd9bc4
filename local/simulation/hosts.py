"""The platform: processes that take messages and tick, die and are started again."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from local.memory.queue import MemoryQueue, StaleReceipt, Taken
from local.simulation.history import slice_of
from local.simulation.scheduler import Process, Scheduler
from local.simulation.threads import SimulatedThreads
from local.simulation.weather import Weather
from shared.errors import ExportError

MOST_DELIVERIES = 5  # maxDequeueCount of host.json
BACK_AFTER = 30  # seconds, visibilityTimeout of host.json
STOP_SECONDS = 10.0  # docs/host.md, line 6
STORAGE_PATIENCE = 25.0  # seconds: docs/host.md, line 1

Work = Callable[[Any, bytes, int], None]
MakeApp = Callable[[Process], Any]


@dataclass
class Platform:
    """``hidden`` is for how many seconds a message that is taken is not seen; it is renewed while its process lives.
    ``defects`` are what no process should raise: the process, what it was at, the error. ``heard`` are, by slice, whom
    the service took, as it has told somebody who could save it. Where the ground ``is_hard`` an instance ends when
    storage fails it for longer than its host tries again, and a timer ticks right after it was started again."""

    scheduler: Scheduler
    weather: Weather
    queue: MemoryQueue
    make_app: MakeApp
    hidden: float
    skews: bool
    defects: list[tuple[str, str, Exception]] = field(default_factory=list)
    deaths: list[float] = field(default_factory=list)
    is_hard: bool = False
    heard: dict[tuple[str, str, int | None], set[str]] = field(default_factory=dict)
    _idle: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scheduler.mischief = self._mischief
        self._reboots: dict[str, Callable[[], None]] = {}
        self._processes: dict[str, Process] = {}
        self._in_work: dict[str, Callable[[], Taken]] = {}

    @property
    def stalls(self) -> list[tuple[float, float]]:
        """When somebody fell asleep, and for how many seconds."""
        return self.scheduler.stalls

    def worker(self, number: int, work: Work) -> None:
        self._boot(f"worker {number}", lambda process: self._take(process, work))

    def timer(self, number: int, tick: Callable[[Any], object], every: float) -> None:
        def loop(process: Process) -> None:
            app = self.make_app(process)
            if not (self.is_hard and process.life):
                self.scheduler.sleep(self.scheduler.random.uniform(0, every))
            while True:
                self._attempt(process, "tick", lambda: tick(app))
                self.scheduler.sleep(every)

        self._boot(f"timer {number}", loop)

    def door(self, name: str, call: Callable[[Any], object], *, patient: bool = False) -> None:
        """A call of somebody, through a door of its own. The ``patient`` live on, and try again until it succeeds."""
        process = Process(name, skew=self._skew(), mortal=not patient)

        def once() -> None:
            while not self._attempt(process, name, lambda: call(self.make_app(process))) and patient:
                self.scheduler.sleep(20)

        self.scheduler.spawn(process, once)

    def dying_door(self, name: str, call: Callable[[Any], object], seconds: float) -> None:
        """The same, of a process that dies after so many seconds."""
        process = Process(name, skew=self._skew(), mortal=True)

        def once() -> None:
            self._attempt(process, name, lambda: call(self.make_app(process)))
            process.alive = False

        self.scheduler.spawn(process, once)
        self.scheduler.later(seconds, lambda: self.kill(process))

    def at_work(self, run: str) -> list[Process]:
        return [one for one in self._processes.values() if one.alive and f'"{run}"' in one.job]

    def workers(self) -> list[Process]:
        return [one for name, one in self._processes.items() if name.startswith("worker")]

    def die_alone(self, process: Process) -> None:
        """The worker process, not its instance: what it had in work has failed, and another one is started."""
        in_work = self._in_work.pop(process.name, None)
        self.kill(process, reboot_within=5)
        if in_work:
            self._give_back(in_work())

    def stop(self, process: Process) -> None:
        """It takes no message any more, and ends ten seconds later, whatever it has in work."""
        process.is_stopping = True
        self.scheduler.later(STOP_SECONDS, lambda: self.kill(process))

    def stall(self, process: Process, seconds: float) -> None:
        self.scheduler.stall(process, seconds)

    def rouse(self) -> None:
        """Whoever was about to fall asleep does not."""
        for process in self._processes.values():
            process.drowsy = None

    def arrived(self, seconds: float) -> None:
        """There will be a message to be seen then."""
        self.scheduler.later(seconds, self._ring)

    def _boot(self, name: str, loop: Callable[[Process], None], life: int = 0) -> None:
        process = Process(f"{name}.{life}", skew=self._skew(), mortal=True, life=life)
        self._processes[name] = process
        self._reboots[process.name] = lambda: self._boot(name, loop, life + 1)
        self.scheduler.spawn(process, lambda: loop(process))

    def _take(self, process: Process, work: Work) -> None:
        app = self.make_app(process)
        while not process.is_stopping:
            self.scheduler.sleep(self.scheduler.random.uniform(0.01, 0.5))
            away = self.weather.queue_away_until - self.scheduler.time
            if away > 0:
                self.scheduler.sleep(away)
                continue
            hidden = self.hidden
            if self.scheduler.random.random() < self.weather.early:
                hidden = self.scheduler.random.uniform(0, 3)
            taken = self.queue.take(hidden)
            if taken is None:
                self._wait()
                continue
            self.arrived(hidden)
            if taken.count > MOST_DELIVERIES:
                self.queue.to_poison(taken)
            else:
                self._deliver(process, app, work, taken, renews=hidden == self.hidden)

    def _deliver(self, process: Process, app: Any, work: Work, taken: Taken, *, renews: bool) -> None:
        newest = taken

        def renew() -> bool:
            nonlocal newest
            if self._is_refused():
                self.scheduler.later(STORAGE_PATIENCE, lambda: self.kill(process))
                return False
            try:
                newest = self.queue.renew(newest, self.hidden)
            except StaleReceipt:
                return False
            self.arrived(self.hidden)
            return True

        process.job, process.let_down = taken.text, False
        process.heard = set(self.heard.get(slice_of(taken.text), ()))
        self._in_work[process.name] = lambda: newest
        threads = SimulatedThreads(self.scheduler, process)
        with threads.repeat(renew if renews else lambda: False, self.hidden / 2):
            good = self._attempt(process, taken.text, lambda: work(app, taken.text.encode(), taken.count))
        process.job = ""
        self._in_work.pop(process.name, None)
        if not process.let_down:
            self.heard.setdefault(slice_of(taken.text), set()).update(process.heard)
        if self._is_refused():
            self.scheduler.later(STORAGE_PATIENCE, lambda: self.kill(process))
            self.scheduler.park()
        if not good:
            self._give_back(newest)
            return
        with suppress(StaleReceipt):  # somebody else has it
            self.queue.done(newest)

    def _is_refused(self) -> bool:
        """Whether storage fails the host for longer than it tries again."""
        return self.is_hard and self.weather.storage_away_until - self.scheduler.time > STORAGE_PATIENCE

    def _give_back(self, taken: Taken) -> None:
        with suppress(StaleReceipt):  # somebody else has it
            if taken.count >= MOST_DELIVERIES:
                self.scheduler.tell(f"a message is given up: {taken.text}")
                self.queue.to_poison(taken)
            else:
                self.queue.back(taken, BACK_AFTER)
                self.arrived(BACK_AFTER)

    def _attempt(self, process: Process, what: str, call: Callable[[], object]) -> bool:
        try:
            call()
        except ExportError as error:
            self.scheduler.tell(f"{process.name}: {what}: {error.code}")
            return False
        except Exception as error:
            logging.getLogger(__name__).debug("%s", what, exc_info=error)
            self.scheduler.tell(f"{process.name}: {what}: a defect: {type(error).__name__}")
            self.defects.append((process.name, what, error))
            return False
        return True

    def _wait(self) -> None:
        me = self.scheduler.me()
        ticket = me.ticket
        self._idle.append(lambda: self.scheduler.wake(me, ticket))
        self.scheduler.park()

    def _ring(self) -> None:
        idle, self._idle = self._idle, []
        for wake in idle:
            wake()

    def _mischief(self, process: Process, seconds: float) -> None:
        """At any call that it makes a process may die or stall, before the answer is there."""
        random, weather = self.scheduler.random, self.weather
        if not process.mortal or not process.alive:
            return
        if weather.kill and random.random() < weather.kill:
            self.scheduler.later(random.uniform(0, seconds), lambda: self.kill(process))
        elif weather.stall and random.random() < weather.stall:
            long = random.choice([random.uniform(1, 20), random.uniform(31, 150), random.uniform(300, 1200)])
            self.scheduler.later(random.uniform(0, seconds), lambda: self.scheduler.stall(process, long))

    def kill(self, process: Process, *, reboot_within: float = 60) -> None:
        if process.alive:
            self.scheduler.kill(process)
            self.deaths.append(self.scheduler.time)
            if reboot := self._reboots.pop(process.name, None):
                self.scheduler.later(self.scheduler.random.uniform(1, reboot_within), reboot)

    def _skew(self) -> float:
        return self.scheduler.random.uniform(-30, 30) if self.skews else 0.0
