"""Time, and who runs when: the heart of the simulated world.

Strands are threads of simulated processes: greenlets, of which one runs at a time, until it waits for something. A
killed process is never resumed, so that none of its ``finally`` runs: that is what ``kill -9`` is. A stalled one is
resumed later, while the clocks go on. Everything that happens is decided by one generator of random numbers.
"""

import hashlib
import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from greenlet import greenlet  # type: ignore[import-untyped]

EPOCH = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
MOST_EVENTS = 200_000  # most worlds take 3,000 to 25,000; one that takes more than this runs in circles


class Closed(BaseException):
    """The world is over: raised in whatever still waits, so that it lets go of what it holds."""


class Endless(Exception):
    """The world does not come to rest."""


@dataclass
class Process:
    """``skew`` is how far its clock is ahead, in seconds; ``job`` is what it is at, for attributing its calls. Of
    that it has ``heard`` whom the service took, now or in what was saved before; ``let_down``: storage has failed it
    since. ``life`` is how often it was started before. With ``drowsy`` it falls asleep right before it writes a run's
    record, the first times ``awake_for`` not."""

    name: str
    skew: float = 0.0
    alive: bool = True
    stalled_until: float = 0.0
    job: str = ""
    heard: set[str] = field(default_factory=set)
    let_down: bool = False
    mortal: bool = False
    life: int = 0
    is_stopping: bool = False
    drowsy: Callable[[], None] | None = None
    awake_for: int = 0


class Strand:
    """A thread of a process. Only the newest ticket wakes it: whoever waits for two things is woken by the first."""

    def __init__(self, scheduler: "Scheduler", process: Process, call: Callable[[], object]) -> None:
        self.process = process
        self.ticket = 0
        self.dead = False
        self.greenlet = greenlet(self._run, parent=scheduler.hub)
        self._scheduler = scheduler
        self._call = call

    def _run(self) -> None:
        try:
            self._call()
        except Closed:
            pass
        except Exception as error:
            self._scheduler.crashes.append((self.process.name, error))
        finally:
            self.dead = True


@dataclass
class Answer[T]:
    """What came back from the far end."""

    value: T | None = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Passage:
    """When a request arrives, in seconds from now, each time that it does; when its answer is there; and what is told
    in its place, where it is lost."""

    arrivals: Sequence[float]
    answer: float
    instead: BaseException | None = None


@dataclass(order=True)
class _Event:
    when: float
    number: int
    call: Callable[[], None] = field(compare=False)
    process: Process | None = field(compare=False, default=None)


class Scheduler:
    """``story``, where there is one, is given a line for everything that is worth telling."""

    def __init__(self, seed: int, *, story: Callable[[str], None] | None = None) -> None:
        self.random = random.Random(seed)
        self.time = 0.0
        self.hub = greenlet.getcurrent()
        self.events = 0
        self.crashes: list[tuple[str, Exception]] = []
        self.stalls: list[tuple[float, float]] = []
        # Told of every request before it leaves, with the seconds until its answer: may kill or stall the process.
        self.mischief: Callable[[Process, float], None] = lambda *_: None
        self._story = story
        self._heap: list[_Event] = []
        self._number = 0
        self._strands: list[Strand] = []
        self._current: Strand | None = None
        self._closed = False
        self._trace = hashlib.sha256()

    @property
    def process(self) -> Process | None:
        """Whose code is running; None is the world itself."""
        return self._current.process if self._current else None

    @property
    def trace(self) -> str:
        """A digest of everything that has happened."""
        return self._trace.hexdigest()[:16]

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.time)

    def note(self, what: str) -> None:
        """Into the digest."""
        who = self._current.process.name if self._current else "world"
        self._trace.update(f"{self.time:.6f} {who} {what}\n".encode())

    def tell(self, what: str) -> None:
        """Into the digest and the story."""
        self.note(what)
        if self._story:
            self._story(f"{self.now():%a %d %H:%M:%S}  {what}")

    def at(self, when: float, call: Callable[[], None], process: Process | None = None) -> None:
        """``process``: whose event it is; it waits while that one is stalled, and never comes when it is dead."""
        self._number += 1
        heapq.heappush(self._heap, _Event(max(when, self.time), self._number, call, process))

    def later(self, seconds: float, call: Callable[[], None], process: Process | None = None) -> None:
        self.at(self.time + seconds, call, process)

    def spawn(self, process: Process, call: Callable[[], object], *, delay: float = 0.0) -> Strand:
        strand = Strand(self, process, call)
        self._strands.append(strand)
        self.wake(strand, strand.ticket, delay=delay)
        return strand

    def kill(self, process: Process) -> None:
        self.tell(f"{process.name} dies" + (f" at work on {process.job}" if process.job else ""))
        process.alive = False

    def stall(self, process: Process, seconds: float) -> None:
        self.tell(f"{process.name} stalls for {seconds:.0f} s" + (f" at {process.job}" if process.job else ""))
        process.stalled_until = max(process.stalled_until, self.time + seconds)
        self.stalls.append((self.time, seconds))

    def me(self) -> Strand:
        """The strand that is running."""
        if self._closed:
            raise Closed
        assert self._current is not None, "only a strand can wait"
        return self._current

    def wake(self, strand: Strand, ticket: int, *, delay: float = 0.0) -> None:
        """Resumes a strand that waits with this ticket; one that has gone on since is left alone."""

        def resume() -> None:
            if strand.ticket == ticket and not strand.dead:
                self._switch(strand)

        self.later(delay, resume, strand.process)

    def park(self) -> None:
        """Waits until somebody wakes the strand with the ticket that it has now."""
        self.me()
        self.hub.switch()
        if self._closed:
            raise Closed

    def sleep(self, seconds: float) -> None:
        strand = self.me()
        self.wake(strand, strand.ticket, delay=max(0.0, seconds))
        self.park()

    def exchange[T](self, what: str, effect: Callable[[], T], passage: Passage) -> T:
        """A request to the far end, and its answer. The request has left by now: whatever becomes of this process, it
        arrives. The world's own requests are answered at once."""
        if self._current is None and not self._closed:
            return effect()
        strand = self.me()
        ticket = strand.ticket
        answer: Answer[T] = Answer()
        who = strand.process.name

        def arrive() -> None:
            try:
                answer.value, answer.error = effect(), None
            except Exception as error:  # it is the caller's
                answer.error = error
            said = type(answer.error).__name__ if answer.error else "done"
            self._trace.update(f"{self.time:.6f} {who} {what}: {said}\n".encode())

        for seconds in passage.arrivals:
            self.later(seconds, arrive)
        self.wake(strand, ticket, delay=passage.answer)
        self.mischief(strand.process, passage.answer)
        self.park()
        error = passage.instead or answer.error
        self.note(f"{what} -> {type(error).__name__ if error else 'ok'}")
        if error is not None:
            raise error
        return answer.value  # type: ignore[return-value]

    def run(self, until: float, done: Callable[[], bool] = lambda: False) -> None:
        """Lets happen what happens until then, or until it is ``done``. Raises Endless."""
        while not done():
            if not self._heap or self._heap[0].when > until:
                self.time = max(self.time, until)
                return
            event = heapq.heappop(self._heap)
            process = event.process
            if process and not process.alive:
                continue
            if process and process.stalled_until > event.when:
                self.at(process.stalled_until, event.call, process)
                continue
            self.time = event.when
            self.events += 1
            if self.events > MOST_EVENTS:
                raise Endless(f"more than {MOST_EVENTS:,} events until {self.now():%d %H:%M}")
            event.call()

    def close(self) -> None:
        """Ends every strand, dead processes' too: files and databases are let go. Nothing of the world is left."""
        self._closed = True
        self._heap.clear()
        for strand in self._strands:
            if strand.greenlet and not strand.greenlet.dead:
                strand.greenlet.throw(Closed)
        self._strands.clear()

    def _switch(self, strand: Strand) -> None:
        strand.ticket += 1
        self._current = strand
        strand.greenlet.switch()
        self._current = None
