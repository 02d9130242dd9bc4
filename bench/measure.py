"""One run of the product, from the HTTP call that starts it to the record that says `succeeded`."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench import meter
from bench.scene import Scene
from local.host.process import HostProcess
from shared.record.run_record import Run

PROJECT = Path(__file__).resolve().parents[1]
_ASK_EVERY = 0.1  # seconds
_PATIENCE = 900.0  # seconds


@dataclass(frozen=True)
class Measured:
    """Times in seconds, sizes in MiB. `own_cpu`: door and workers; `elsewhere_cpu`: what is no part of the benchmark
    and had the processors meanwhile, so that a disturbed measurement can be told."""

    profiles: int
    sent: int
    seconds: float
    own_cpu: float
    azurite_cpu: float
    standin_cpu: float
    elsewhere_cpu: float
    peak_mib: float
    temporary_mib: float
    import_calls: int


@dataclass(frozen=True)
class Workers:
    """The function app as it runs: one process for HTTP, and those that take steps from the queue."""

    scene: Scene
    door: HostProcess
    workers: list[HostProcess]
    temporary: Path

    def warm_up(self) -> None:
        """Has the workers import what a step needs, where others are not charged for their imports either: whichever
        of them is idle takes the next of these steps."""
        for _ in range(2 * len(self.workers) - 1):
            self.run(self.scene.add_export(1))

    def run(self, export: str) -> Measured:
        """Raises RuntimeError when the run does not succeed."""
        scene = self.scene
        own = [pid for instance in (self.door, *self.workers) for pid in (instance.pid, instance.worker_pid)]
        groups = {"own": own, "azurite": [scene.azurite_pid], "standin": [scene.standin_pid], "bench": [os.getpid()]}
        scene.control("DELETE", "log")
        before = {name: meter.cpu_seconds(pids) for name, pids in groups.items()}
        machine = meter.machine_seconds()
        watch = meter.Watch(self.temporary)
        with watch.watching():
            begun = time.perf_counter()
            answer = requests.post(f"{self.door.url}/api/exports/{export}/runs", json={}, timeout=60)
            answer.raise_for_status()
            run = self._ended(export, answer.json()["id"])
            seconds = time.perf_counter() - begun
        machine = meter.machine_seconds() - machine
        spent = {name: meter.cpu_seconds(pids) - before[name] for name, pids in groups.items()}
        log = scene.control("GET", "log?path=/import&summary=true").json()
        if run.status != "succeeded":
            raise RuntimeError(f"The run ended as {run.status}: {run.error or run.counts}")
        return Measured(
            profiles=run.counts.rows_read,
            sent=run.counts.to_send,
            seconds=seconds,
            own_cpu=spent["own"],
            azurite_cpu=spent["azurite"],
            standin_cpu=spent["standin"],
            elsewhere_cpu=max(0.0, machine - sum(spent.values())),
            peak_mib=max(meter.peak_mib(worker.worker_pid) for worker in self.workers),
            temporary_mib=watch.most,
            import_calls=log["number"],
        )

    def _ended(self, export: str, run_id: str) -> Run:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            run = self.scene.app.runs.get(export, run_id)
            if run.ended:
                return run
            time.sleep(_ASK_EVERY)
        raise RuntimeError(f"The run is still {run.status} after {_PATIENCE:.0f} s.")


@contextmanager
def workers(scene: Scene, number: int = 1) -> Iterator[Workers]:
    """Fresh processes: what a run takes at most is not what an earlier one took."""
    with ExitStack() as stack:
        temporary = scene.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        settings = {**scene.settings, "TMPDIR": os.fspath(temporary)}

        def start(function: str) -> HostProcess:
            log = scene.folder / f"{function}.log"
            return stack.enter_context(HostProcess(PROJECT, functions=[function], settings=settings, log=log))

        yield Workers(scene, start("ExportHttp"), [start("ExportWorker") for _ in range(number)], temporary)
