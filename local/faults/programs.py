"""The programs of a campaign: storage, the stand-in, one instance as the door, and workers that can be killed."""

import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.azurite import Azurite
from local.demo.processes import PROJECT, Place, running_standin
from local.demo.scene import API_KEY, SECRET_SETTING, fill_container
from local.host.process import HostProcess
from local.host.times import ASKED_OFTEN, Times
from local.provision import provide
from local.sample import Sample

# By number: the name under which each worker knows the stand-in, whose log then tells whose call it was.
WORKERS = {1: "127.0.0.1", 2: "localhost"}
CALLS_IN_FLIGHT = 8  # UPLOAD_CONCURRENCY
QUEUE = "export-work"
# In Azure a message is back ten minutes after it was taken or renewed last; here nobody waits for that.
TIMES = Times(invisible=5)

_BEGUN_OR_ENDED = re.compile(r"ExportWorker \S+ (started|succeeded|failed)")


@dataclass(frozen=True)
class Kill:
    """``at`` in seconds since 1970; ``workers`` by number."""

    at: float
    workers: tuple[int, ...]


class Workers:
    """Instances that run ExportWorker only, by number. One that ends by itself is started again, as Azure does; when it
    did is kept in ``deaths``."""

    def __init__(self, settings: dict[str, str], standin: str, folder: Path) -> None:
        self._settings = settings
        self._port = standin.rpartition(":")[2]
        self._times = TIMES
        self._lock = threading.RLock()
        self._begun = 0
        self._running: dict[int, tuple[HostProcess, Path]] = {}
        self._left = threading.Event()
        self.logs = folder
        self.deaths: list[Kill] = []
        threading.Thread(target=self._look_after, daemon=True).start()

    def start(self) -> None:
        """Starts those that are not there."""
        with self._lock:
            for number, name in WORKERS.items():
                if number not in self._running:
                    self._begun += 1
                    log = self.logs / f"worker-{number}-{self._begun:03}.log"
                    settings = self._settings | {"CAMPAIGN_MONITOR_URL": f"http://{name}:{self._port}/api/v3.3"}
                    self._running[number] = (_instance(settings, log, "ExportWorker", times=self._times), log)

    def at_work(self) -> list[int]:
        """Those that have begun an invocation and not ended it."""
        return [number for number, (_, log) in self._running.items() if _is_at_work(log)]

    def process(self, number: int) -> HostProcess:
        return self._running[number][0]

    def kill(self, numbers: Iterable[int]) -> Kill:
        """As a machine dies: without a word to the process."""
        with self._lock:
            killed = tuple(numbers)
            at = time.time()
            for number in killed:
                process, _ = self._running.pop(number)
                process.kill()
            return Kill(at, killed)

    def stop(self) -> list[Kill]:
        """All, one after the other: what each had in work is cut off when its time is up."""
        stopped = []
        with self._lock:
            for number in list(self._running):
                process, _ = self._running.pop(number)
                process.stop()
                stopped.append(Kill(time.time(), (number,)))
        return stopped

    def end(self) -> None:
        self._left.set()
        self.stop()

    @contextmanager
    def given(self, times: Times = TIMES, **settings: str) -> Iterator[None]:
        """Other times and settings for this block: all are started anew for it, and after it."""
        before = self._settings
        self.stop()
        self._times, self._settings = times, before | settings
        self.deaths.clear()
        self.start()
        try:
            yield
        finally:
            self.stop()
            self._times, self._settings = TIMES, before
            self.start()

    def _look_after(self) -> None:
        while not self._left.wait(0.2):
            with self._lock:
                ended = [number for number, (process, _) in self._running.items() if process.has_ended]
                for number in ended:
                    self._running.pop(number)[0].wait(10)
                    self.deaths.append(Kill(time.time(), (number,)))
                if ended:
                    self.start()


@dataclass(frozen=True)
class Programs:
    """``storage`` is a connection string; addresses have no slash at the end. ``settings`` are those of the door."""

    storage: str
    standin: str
    door: str
    workers: Workers
    settings: Mapping[str, str]

    def timer(self, schedule: str, **settings: str) -> HostProcess:
        """An instance that ticks, or would if another did not."""
        # The door has the timer, too: without an id of its own this one would wait until that is gone.
        chosen = {**self.settings, "EXPORT_SCHEDULE": schedule, "AzureFunctionsWebHost__hostid": "timers", **settings}
        log = self.workers.logs / "timer.log"
        return _instance(chosen, log, "ExportTimer", times=Times(tick_lease=15))


@contextmanager
def running(folder: Path, sample: Sample) -> Iterator[Programs]:
    """With the sample in the container. ``folder`` takes the logs."""
    with ExitStack() as stack:
        azurite = stack.enter_context(Azurite())
        _, standin = stack.enter_context(running_standin(Place(folder)))
        settings = {
            SECRET_SETTING: API_KEY,
            "ExportStorage": azurite.connection_string,
            "AzureWebJobsStorage": azurite.connection_string,
            "CAMPAIGN_MONITOR_URL": f"{standin}/api/v3.3",
            "SEGMENT_CONTAINER": sample.container,
            "QUIET_MINUTES": "0",
            "FUNCTION_KEY_ROLE": "admin",
            "EXPORT_QUEUE": QUEUE,
            "EXPORT_SCHEDULE": "0 0 0 1 1 *",  # by hand, where a campaign wants a tick
            "UPLOAD_CONCURRENCY": str(CALLS_IN_FLIGHT),
            "PARALLEL_SLICES": str(len(WORKERS)),
            # Nothing of what the developer works with otherwise.
            "SegmentStorage": "",
            "KEY_VAULT_URL": "",
        } | ASKED_OFTEN
        provide(azurite.connection_string, QUEUE)
        door = stack.enter_context(_instance(settings, folder / "door.log", "ExportHttp", "ExportTimer"))
        workers = Workers(settings, standin, folder)
        stack.callback(workers.end)
        workers.start()
        fill_container(azurite.connection_string, sample)
        yield Programs(azurite.connection_string, standin, door.url, workers, settings)


def _instance(settings: Mapping[str, str], log: Path, *functions: str, times: Times = TIMES) -> HostProcess:
    return HostProcess(PROJECT, functions=functions, settings=settings, times=times, log=log)


def _is_at_work(log: Path) -> bool:
    said = _BEGUN_OR_ENDED.findall(log.read_text(errors="replace"))
    return bool(said) and said[-1] == "started"
