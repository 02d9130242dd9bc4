"""The batches of one slice: several calls in flight, finished batches checkpointed, a batch that fails tried again."""

from collections import Counter, deque
from collections.abc import Callable

from shared.errors import ExportError, TemporaryError
from shared.ports.clock import Clock
from shared.ports.threads import Crew, Task, Threads
from shared.record.batch_results import BatchResult, Results, SliceResult
from shared.send.import_call import PartlyAnswered

# A batch that fails after all attempts of the client has its turn again when the others have had theirs.
MOST_TURNS = 3
MOST_FAILURES_IN_A_ROW = 10


class InFlight:
    """The batches of the slice ``number`` that are not done. ``call`` sends one of them, ``concurrency`` at once, and
    gets what was answered of it before, if anything was; ``stop`` is asked at each checkpoint, every
    ``checkpoint_seconds``; ``interrupt`` is called when no more is wanted of the calls in flight than their end."""

    def __init__(
        self,
        call: Callable[[int, BatchResult | None], BatchResult],
        number: int,
        batches: int,
        results: Results,
        *,
        clock: Clock,
        checkpoint_seconds: float,
        stop: Callable[[], bool],
        interrupt: Callable[[], None],
    ) -> None:
        self._call = call
        self._number = number
        self._batches = batches
        self._results = results
        self._clock = clock
        self._checkpoint_seconds = checkpoint_seconds
        self._stop = stop
        self._interrupt = interrupt
        saved = results.get(number) or SliceResult(batches=batches)
        self._waiting = deque(batch for batch in range(batches) if batch not in saved.done)
        self._calls: dict[Task[BatchResult], int] = {}
        self._answered: dict[int, BatchResult] = {}
        self._partly = dict(saved.partly)
        self._patience = _Patience()
        self._stopped = False
        self._failure: ExportError | None = None

    def work_off(self, threads: Threads, concurrency: int) -> SliceResult:
        """Until all are done or ``stop`` says so; returns what is done then.

        Raises what ``call`` raises, once too much fails or the service says no for good, and what ``stop`` raises,
        after the calls in flight have ended and their answers are saved.
        """
        checkpoint_at = self._clock.monotonic() + self._checkpoint_seconds
        with threads.crew(concurrency) as crew:
            while self._calls or (self._waiting and self._goes_on):
                self._begin_calls(crew, concurrency)
                left = max(0.0, checkpoint_at - self._clock.monotonic())
                for task in crew.wait(list(self._calls), left):
                    self._take(task)
                if self._clock.monotonic() >= checkpoint_at:
                    self._checkpoint()
                    checkpoint_at = self._clock.monotonic() + self._checkpoint_seconds
                if not self._goes_on:
                    self._interrupt()
        saved = self._save()
        if self._failure:
            raise self._failure
        if self._patience.ended and not self._stopped:
            raise self._patience.ended
        return saved

    @property
    def in_vain(self) -> BaseException | None:
        """Why nothing was done, where calls failed and none was answered."""
        return None if self._answered else self._patience.newest

    @property
    def _goes_on(self) -> bool:
        return not self._stopped and not self._patience.ended

    def _checkpoint(self) -> None:
        """What fails here stops the slice, once the answers of the calls in flight are there and saved."""
        try:
            self._save()
            self._stopped = self._is_to_stop()
        except ExportError as error:
            self._failure = self._failure or error
            self._stopped = True

    def _is_to_stop(self) -> bool:
        """It is asked also when it has stopped, so that the calls in flight are told what has happened since. Then a
        look that fails, for the storage is away, changes nothing."""
        try:
            return self._stop() or self._stopped
        except TemporaryError:
            if not self._stopped:
                raise
            return True

    def _begin_calls(self, crew: Crew, concurrency: int) -> None:
        while self._waiting and len(self._calls) < concurrency and self._goes_on:
            batch = self._waiting.popleft()
            so_far = self._partly.get(batch)
            task = crew.start(lambda batch=batch, so_far=so_far: self._call(batch, so_far))  # type: ignore[misc]
            self._calls[task] = batch

    def _take(self, task: Task[BatchResult]) -> None:
        batch = self._calls.pop(task)
        error = task.error()
        if isinstance(error, PartlyAnswered):
            self._answered[batch] = self._partly[batch] = error.result
            error = error.__cause__
        if error is None:
            self._answered[batch] = task.result()
            self._patience.renew()
        elif self._patience.allows(batch, error):
            self._waiting.append(batch)

    def _save(self) -> SliceResult:
        return self._results.save(self._number, SliceResult.of(self._batches, self._answered))


class _Patience:
    """With batches that fail. ``ended`` is the error that ended it: the service says no for good, or fails too much."""

    def __init__(self) -> None:
        self._turns: Counter[int] = Counter()
        self._in_a_row = 0
        self.ended: BaseException | None = None
        self.newest: BaseException | None = None

    def renew(self) -> None:
        self._in_a_row = 0

    def allows(self, batch: int, error: BaseException) -> bool:
        """Whether the batch may have another turn."""
        self._turns[batch] += 1
        self._in_a_row += 1
        self.newest = error
        too_often = self._turns[batch] >= MOST_TURNS or self._in_a_row >= MOST_FAILURES_IN_A_ROW
        if too_often or not isinstance(error, TemporaryError):
            self.ended = self.ended or error
        return self.ended is None
