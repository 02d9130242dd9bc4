"""The ground on which the app runs in Azure, at its hardest: each line of docs/host.md on real processes."""

import base64
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count

import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from local.faults.errors import FaultsError
from local.faults.kills import LATENCY
from local.faults.losses import put_back_heartbeat
from local.faults.programs import QUEUE, TIMES, WORKERS, Kill, Programs
from local.faults.trial import Expectation, Run, Trial, call, prepare, tick
from local.faults.verdict import judge
from local.host.times import Times
from local.storage_proxy import StorageProxy

_MESSAGES, _ONE_MESSAGE = rf"/{QUEUE}/messages\b", rf"/{QUEUE}/messages/"
_BACK_AFTER = "AzureFunctionsJobHost__extensions__queues__visibilityTimeout"
_REFUSED_SECONDS = 6.0
_PATIENCE = 150.0


@dataclass(frozen=True)
class Ground:
    """``line`` is that of docs/host.md; ``problems`` are sentences, none where all is right."""

    line: int
    what: str
    seconds: float
    problems: tuple[str, ...]


def campaign(programs: Programs, expectation: Expectation, lines: frozenset[int] = frozenset()) -> Iterator[Ground]:
    """Those of these ``lines``, or all."""
    names = (f"ground-{number}" for number in count(1))
    for line, what, play in _TRIALS:
        if lines and line not in lines:
            continue
        prepare(programs, latency=LATENCY)
        trial = Trial(programs, next(names), expectation)
        begun = time.monotonic()
        problems = tuple(play(trial))
        yield Ground(line, what, time.monotonic() - begun, problems)


def _refused(method: str, path: str, status: int) -> Callable[[Trial], Iterator[str]]:
    def play(trial: Trial) -> Iterator[str]:
        workers = trial.programs.workers
        with (
            StorageProxy(trial.programs.storage) as proxy,
            workers.given(Times(invisible=4, storage_patience=1), ExportStorage=proxy.connection_string),
        ):
            _start(trial)
            with proxy.refusing(method, path, status):
                _until(lambda: bool(workers.deaths), "No instance has ended")
                time.sleep(_REFUSED_SECONDS)
            run = trial.wait_for_end()
            yield from judge(trial, run, workers.deaths).problems

    return play


def _comes_back_after_the_sweep(trial: Trial) -> Iterator[str]:
    """As in Azure, where it is ten minutes: another message has done the work by then."""
    workers = trial.programs.workers
    with workers.given(Times(invisible=60)):
        _start(trial)
        kill = workers.kill(tuple(WORKERS))
        died = time.monotonic()
        put_back_heartbeat(trial)
        workers.start()
        tick(trial.programs)
        run = trial.wait_for_end()
        yield from judge(trial, run, [kill]).problems
        calls = len(trial.import_calls())
        time.sleep(max(0.0, 65 - (time.monotonic() - died)))
        _until(lambda: _length(trial.programs) == 0, "The message of the dead instance is not taken")
        trial.follow(run)  # not the one that judge has begun
        if trial.run() != run or len(trial.import_calls()) != calls:
            yield "the message that came back has changed something"


def _comes_back_before_the_sweep(trial: Trial) -> Iterator[str]:
    """The run is taken up by it, and looks silent to the tick that comes meanwhile."""
    workers = trial.programs.workers
    _start(trial)
    kill = workers.kill(tuple(WORKERS))
    workers.start()
    time.sleep(8)
    put_back_heartbeat(trial)
    tick(trial.programs)
    yield from judge(trial, trial.wait_for_end(), [kill]).problems


def _ticks_side_by_side(trial: Trial) -> Iterator[str]:
    trial.set_up(schedule="refresh")
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(tick, trial.programs)
    yield from _one_run(trial)


def _a_tick_after_a_restart(trial: Trial) -> Iterator[str]:
    if time.time() % 60 > 50:
        time.sleep(10)  # the minute must not come while the first one starts
    with trial.programs.timer("0 * * * * *") as timer:
        time.sleep(2)
        timer.kill()
    trial.set_up(schedule="refresh")
    time.sleep(60.5 - time.time() % 60)
    with trial.programs.timer("0 * * * * *"):
        yield from _one_run(trial, within=45)  # past due: before the next minute comes


def _ticks_that_overrun(trial: Trial) -> Iterator[str]:
    with StorageProxy(trial.programs.storage) as proxy, proxy.delaying("GET", r"/export-catalog\?", 3):
        trial.set_up(schedule="refresh")
        with trial.programs.timer("*/2 * * * * *", ExportStorage=proxy.connection_string):
            yield from _one_run(trial)


def _another_instance_ticks(trial: Trial) -> Iterator[str]:
    with trial.programs.timer("*/5 * * * * *") as first:
        time.sleep(6)
        with trial.programs.timer("*/5 * * * * *"):
            first.kill()
            trial.set_up(schedule="refresh")
            yield from _one_run(trial)


def _a_worker_dies_alone(trial: Trial) -> Iterator[str]:
    workers = trial.programs.workers
    with workers.given(TIMES, **{_BACK_AFTER: "00:00:02"}):
        _start(trial)
        number = (workers.at_work() or [1])[0]
        instance = workers.process(number)
        worker = instance.worker_pid
        at = time.time()
        instance.kill_worker()
        run = trial.wait_for_end()
        yield from judge(trial, run, [Kill(at, (number,))]).problems
        if workers.deaths or instance.has_ended or instance.worker_pid == worker:
            yield "the instance has ended with its worker, or has the same one"


def _stopped(trial: Trial) -> Iterator[str]:
    """It has ten seconds in Azure; here one, so that no step is done in it."""
    workers = trial.programs.workers
    with workers.given(Times(invisible=5, grace=1)):
        _start(trial)
        stopped = workers.stop()
        workers.start()
        yield from judge(trial, trial.wait_for_end(), stopped).problems


def _drained(trial: Trial) -> Iterator[str]:
    workers = trial.programs.workers
    with workers.given(Times(invisible=5, grace=1)):
        _start(trial)
        urls = [workers.process(number).url for number in WORKERS]
        for url in urls:
            call("POST", f"{url}/admin/host/drain")
        for url in urls:
            _until(partial(_is_drained, url), "The instance is not drained")
        workers.stop()
        workers.start()
        yield from judge(trial, trial.wait_for_end()).problems


def _without_a_queue(trial: Trial) -> Iterator[str]:
    workers = trial.programs.workers
    _start(trial)
    kill = workers.kill(tuple(WORKERS))
    with _queue(trial.programs) as queue:
        queue.delete_queue()
        workers.start()
        time.sleep(3)
        with suppress(FaultsError):
            tick(trial.programs)
        queue.create_queue()
    put_back_heartbeat(trial)
    time.sleep(2)
    tick(trial.programs)
    yield from judge(trial, trial.wait_for_end(), [kill]).problems


def _odd_messages(trial: Trial) -> Iterator[str]:
    odd = ["{}", "not base64!", "", "//79", base64.b64encode(b"words").decode(), "e30=\n e30="]
    with _queue(trial.programs, "-poison") as poison, suppress(ResourceNotFoundError):
        poison.clear_messages()
    with trial.programs.workers.given(TIMES, **{_BACK_AFTER: "00:00:00"}):
        with _queue(trial.programs) as queue:
            for text in odd:
                queue.send_message(text)
        _start(trial)
        yield from judge(trial, trial.wait_for_end()).problems
        _until(lambda: _length(trial.programs, "-poison") == len(odd), "Not every odd message is in poison")


_TRIALS: tuple[tuple[int, str, Callable[[Trial], Iterator[str]]], ...] = (
    (1, "storage fails a renewal", _refused("PUT", _ONE_MESSAGE, 500)),
    (1, "storage refuses a deletion", _refused("DELETE", _ONE_MESSAGE, 403)),
    (1, "storage refuses a receive", _refused("GET", _MESSAGES, 403)),
    (2, "a dead instance's message comes back before the sweep", _comes_back_before_the_sweep),
    (2, "it comes back after the sweep", _comes_back_after_the_sweep),
    (3, "three ticks by hand at once", _ticks_side_by_side),
    (4, "a tick right after a restart", _a_tick_after_a_restart),
    (5, "a worker that dies alone", _a_worker_dies_alone),
    (6, "a stop that cuts a step off", _stopped),
    (6, "instances that are drained", _drained),
    (7, "ticks that overrun", _ticks_that_overrun),
    (8, "the instance that ticks dies", _another_instance_ticks),
    (9, "the queue is gone for a while", _without_a_queue),
    (10, "odd messages", _odd_messages),
)
LINES = tuple(line for line, _, _ in _TRIALS)


def _start(trial: Trial) -> None:
    """Sending, in the middle."""
    trial.set_up()
    trial.start()
    trial.wait_for_calls(max(1, trial.expectation.batches // 3))


def _one_run(trial: Trial, *, within: float = _PATIENCE) -> Iterator[str]:
    """That the timer has begun, and no second one: it is judged, and after it nothing is due."""
    deadline = time.monotonic() + within
    while not (runs := _runs(trial)):
        if time.monotonic() > deadline:
            yield f"no tick has begun a run within {within:.0f} s"
            return
        time.sleep(0.2)
    trial.follow(runs[0])
    run = trial.wait_for_end()
    for _ in range(2):
        tick(trial.programs)
    time.sleep(2)
    if len(runs := _runs(trial)) != 1:
        yield f"there are {len(runs)} runs"
    yield from judge(trial, run).problems


def _runs(trial: Trial) -> list[Run]:
    return list(call("GET", f"{trial.programs.door}/api/exports/{trial.name}/runs").json())


def _is_drained(url: str) -> bool:
    return bool(requests.get(f"{url}/admin/host/drain/status", timeout=30).json()["state"] == "Completed")


def _length(programs: Programs, suffix: str = "") -> int:
    with _queue(programs, suffix) as queue, suppress(ResourceNotFoundError):
        return int(queue.get_queue_properties().approximate_message_count or 0)
    return 0


def _queue(programs: Programs, suffix: str = "") -> QueueClient:
    return QueueClient.from_connection_string(programs.storage, f"{QUEUE}{suffix}")


def _until(reached: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not reached():
        if time.monotonic() > deadline:
            raise FaultsError(f"{otherwise}.")
        time.sleep(0.1)
