"""Blobs as a process meets them over a network: what MemoryBlobs keeps, and everything that can go wrong on the way.

The dials of the weather say how often. A write can be stored and not be answered, in three ways: the caller is told
that nobody answers; its SDK asks again, and may meet itself; or it is told so first, and the write is stored later.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from local.simulation.scheduler import Passage, Process, Scheduler
from local.simulation.weather import Weather
from shared.errors import Changed, TemporaryError
from shared.ports.blobs import CHUNK_BYTES, Blob, BlobInfo, Blobs, Lease

Watcher = Callable[[str, str, bytes | None], None]


class SimulatedBlobs:
    """Keeps ``shared.ports.blobs.Blobs``. ``watch`` is told of each write that is stored, and of each deletion:
    container, name, content."""

    def __init__(
        self,
        name: str,
        far: Blobs,
        scheduler: Scheduler,
        weather: Weather,
        watch: Watcher = lambda *_: None,
    ) -> None:
        self.name = name
        self._far = far
        self._scheduler = scheduler
        self._weather = weather
        self._watch = watch

    def probe(self) -> None:
        self._read("probe", "", self._far.probe)

    def read(self, name: str) -> Blob | None:
        return self._read("read", name, lambda: self._far.read(name))

    def download(self, name: str, file: Path) -> str | None:
        blob = self.read(name)
        if blob is None:
            return None
        file.write_bytes(blob.data)
        return blob.etag

    def chunks(self, name: str, etag: str | None = None) -> Iterator[bytes]:
        blob = self.read(name)
        data = blob.data if blob else b""
        for begin in range(0, max(len(data), 1), CHUNK_BYTES):
            if begin:
                blob = self.read(name)
            if etag is not None and (blob is None or blob.etag.strip('"') != etag.strip('"')):
                raise Changed(name)
            if data:
                yield data[begin : begin + CHUNK_BYTES]

    def write(
        self,
        name: str,
        data: bytes | BinaryIO,
        *,
        replaces: str | None = None,
        new: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> str:
        content = data if isinstance(data, bytes) else data.read()

        def store() -> str:
            etag = self._far.write(name, content, replaces=replaces, new=new, metadata=metadata)
            self._watch(self.name, name, content)
            return etag

        return self._write("write", name, store)

    def stage(self, name: str, block: str, data: bytes) -> None:
        self._write("stage", name, lambda: self._far.stage(name, block, data))

    def commit(self, name: str, blocks: list[str], *, replaces: str | None = None) -> None:
        self._write("commit", name, lambda: self._far.commit(name, blocks, replaces=replaces))

    def blocks(self, name: str) -> list[str]:
        return self._read("blocks", name, lambda: self._far.blocks(name))

    def delete(self, name: str, *, etag: str | None = None) -> None:
        def delete() -> None:
            self._far.delete(name, etag=etag)
            self._watch(self.name, name, None)

        self._write("delete", name, delete)

    def list(self, prefix: str, *, metadata: bool = False) -> Iterator[BlobInfo]:
        yield from self._read("list", prefix, lambda: [*self._far.list(prefix, metadata=metadata)])

    def folders(self, prefix: str) -> Iterator[str]:
        yield from self._read("folders", prefix, lambda: [*self._far.folders(prefix)])

    def lease(self, name: str, seconds: int) -> Lease:
        def take() -> Lease:
            lease = self._far.lease(name, seconds)
            self._watch(self.name, name, None)
            return lease

        # The SDK asks again with the same id, so it never meets itself.
        far = self._ask("lease", name, take, doubles=False, stored=True)
        return _SimulatedLease(self, name, far)

    def is_leased(self, name: str) -> bool:
        return self._read("is_leased", name, lambda: self._far.is_leased(name))

    def renewed(self, name: str, far: Lease) -> None:
        if self._happens(self._weather.lease_broken):
            self._scheduler.tell(f"the lease of {name} is broken")
            far.release()
        self._ask("renew", name, far.renew, doubles=False, stored=False)

    def released(self, name: str, far: Lease) -> None:
        with suppress(TemporaryError):  # it runs out by itself
            self._ask("release", name, far.release, doubles=False, stored=True)

    def _read[T](self, what: str, name: str, effect: Callable[[], T]) -> T:
        return self._ask(what, name, effect, doubles=False, stored=False)

    def _write[T](self, what: str, name: str, effect: Callable[[], T]) -> T:
        process = self._scheduler.process
        if process and process.mortal and self._happens(self._weather.hesitation):
            self._hesitate(process, [3, 20, 40, 100, 400])
        elif process and process.drowsy and name.endswith("/run.json"):
            self._nod_off(process)
        elif process and process.mortal and _is_shared(name) and self._happens(self._weather.second_thoughts):
            self._hesitate(process, [40, 100, 200, 700])
        return self._ask(what, name, effect, doubles=True, stored=True)

    def _nod_off(self, process: Process) -> None:
        if process.awake_for:
            process.awake_for -= 1
        elif process.drowsy:
            fall_asleep, process.drowsy = process.drowsy, None
            fall_asleep()
            self._scheduler.sleep(0)

    def _hesitate(self, process: Process, seconds: Sequence[float]) -> None:
        self._scheduler.stall(process, self._scheduler.random.choice(seconds))
        self._scheduler.sleep(0)

    def _ask[T](self, what: str, name: str, effect: Callable[[], T], *, doubles: bool, stored: bool) -> T:
        passage = self._passage(name, doubles=doubles, stored=stored)
        try:
            return self._scheduler.exchange(f"{what} {self.name}/{name}", effect, passage)
        except TemporaryError:
            if process := self._scheduler.process:
                process.let_down = True
            raise

    def _passage(self, name: str, *, doubles: bool, stored: bool) -> Passage:
        uniform, weather = self._scheduler.random.uniform, self._weather
        there = uniform(0.001, 0.01)
        back = there + uniform(0.001, 0.01)
        nobody = partial(_nobody_answers, self.name, name)
        away = weather.storage_away_until - self._scheduler.time
        if away > 0:
            # The SDK asks again for a while; perhaps long enough.
            patience = uniform(10, 80)
            return Passage((), patience, nobody()) if patience < away else Passage((away + there,), away + back)
        if self._happens(weather.tail):
            there, back = uniform(1, 45), uniform(46, 90)
        if self._happens(weather.unavailable):
            return Passage((), uniform(1, 30), nobody())
        if stored and self._happens(weather.given_up):
            return Passage((there,), there + uniform(1, 30), nobody())
        if stored and self._happens(weather.late_write):
            late = uniform(1, 30)
            return Passage((late + uniform(0.1, 20),), late, nobody())
        if doubles and self._happens(weather.asked_again):
            again = there + uniform(0.5, 20)
            return Passage((there, again), again + uniform(0.001, 0.01))
        return Passage((there,), back)

    def _happens(self, probability: float) -> bool:
        return (
            bool(probability) and self._scheduler.process is not None and self._scheduler.random.random() < probability
        )


class _SimulatedLease:
    def __init__(self, blobs: SimulatedBlobs, name: str, far: Lease) -> None:
        self._blobs = blobs
        self._name = name
        self._far = far

    def renew(self) -> None:
        self._blobs.renewed(self._name, self._far)

    def release(self) -> None:
        self._blobs.released(self._name, self._far)


def _is_shared(name: str) -> bool:
    return name.endswith(("/run.json", "/active.json")) or "/results/" in name


def _nobody_answers(container: str, name: str) -> TemporaryError:
    return TemporaryError("storage_unavailable", f"The storage does not answer for {container}/{name}.", "Wait.")
