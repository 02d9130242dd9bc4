"""The batches of one slice: several calls in flight, finished batches checkpointed, a batch that fails tried again."""

import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from shared.campaign_monitor import CampaignMonitor
from shared.errors import TemporaryError
from shared.results import BatchResult, Results, SliceResult

# A batch that fails after all attempts of the client has its turn again when the others have had theirs.
MOST_TURNS = 3
MOST_FAILURES_IN_A_ROW = 10


def work_off(
    call: Callable[[int], BatchResult],
    batches: int,
    number: int,
    results: Results,
    client: CampaignMonitor,
    *,
    concurrency: int,
    checkpoint_seconds: float,
    stop: Callable[[], bool],
) -> SliceResult:
    """Calls for each batch of the slice ``number`` that is not done, until all are or ``stop`` says so; returns what is
    done then.

    ``stop`` is asked at each checkpoint. Raises what ``call`` raises, once too much fails or the service says no for
    good, after the calls in flight have ended and their answers are saved.
    """
    saved = results.get(number) or SliceResult(batches=batches)
    waiting = deque(batch for batch in range(batches) if batch not in saved.done)
    calls: dict[Future[BatchResult], int] = {}
    answered: dict[int, BatchResult] = {}
    patience = _Patience()
    stopped = False
    checkpoint_at = time.monotonic() + checkpoint_seconds
    with ThreadPoolExecutor(concurrency, thread_name_prefix="call") as pool:
        while calls or (waiting and not stopped and not patience.ended):
            while waiting and len(calls) < concurrency and not stopped and not patience.ended:
                batch = waiting.popleft()
                calls[pool.submit(call, batch)] = batch
            ended, _ = wait(calls, timeout=max(0, checkpoint_at - time.monotonic()), return_when=FIRST_COMPLETED)
            for future in ended:
                batch = calls.pop(future)
                error = future.exception()
                if error is None:
                    answered[batch] = future.result()
                    patience.renew()
                elif patience.allows(batch, error):
                    waiting.append(batch)
            if time.monotonic() >= checkpoint_at:
                saved = results.save(number, SliceResult(batches=batches, done=answered))
                stopped = stopped or stop()
                checkpoint_at = time.monotonic() + checkpoint_seconds
            if stopped or patience.ended:
                client.interrupted.set()
    saved = results.save(number, SliceResult(batches=batches, done=answered))
    if patience.ended and not stopped:
        raise patience.ended
    return saved


class _Patience:
    """With batches that fail. ``ended`` is the error that ended it: the service says no for good, or fails too much."""

    def __init__(self) -> None:
        self._turns: Counter[int] = Counter()
        self._in_a_row = 0
        self.ended: BaseException | None = None

    def renew(self) -> None:
        self._in_a_row = 0

    def allows(self, batch: int, error: BaseException) -> bool:
        """Whether the batch may have another turn."""
        self._turns[batch] += 1
        self._in_a_row += 1
        too_often = self._turns[batch] >= MOST_TURNS or self._in_a_row >= MOST_FAILURES_IN_A_ROW
        if too_often or not isinstance(error, TemporaryError):
            self.ended = self.ended or error
        return self.ended is None
