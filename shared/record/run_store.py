"""The records of runs in the container ``export-state``."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from shared import stored_record
from shared.errors import Changed, NotFound, Unreadable
from shared.ports.blobs import Blob, Blobs
from shared.ports.compare_and_swap import compare_and_swap
from shared.record.run_record import RUN_ID, Run


class Runs:
    def __init__(self, state: Blobs) -> None:
        self._state = state

    def create(self, run: Run) -> None:
        """Raises Changed where there is another one with its id."""

        def decide(blob: Blob | None) -> bytes:
            if blob:
                raise Changed(_name(run.export, run.id))
            return data

        data = stored_record.written(run)
        compare_and_swap(self._state, _name(run.export, run.id), decide)

    def get(self, export: str, run: str) -> Run:
        """As it was last written. Raises NotFound."""
        return _parsed(self._state.read(_name(export, run)) if RUN_ID.fullmatch(run) else None, export, run)

    def change(self, export: str, run: str, how: Callable[[Run], Run]) -> Run:
        """Writes what ``how`` makes of the newest record; ``how`` may be called again when somebody else wrote first,
        and leaves the record as it is by giving back what it got. It may raise. Raises NotFound."""
        changed: list[Run] = []

        def decide(blob: Blob | None) -> bytes:
            old = _parsed(blob, export, run)
            new = how(old)
            changed[:] = [new]
            return blob.data if blob and new == old else stored_record.written(new, blob.data if blob else None)

        compare_and_swap(self._state, _name(export, run), decide)
        return changed[0]

    def remove_unclaimed(self, run: Run) -> bool:
        """Takes the record away, unless the run has come to hold its export, or has begun; whether it is gone."""

        def decide(blob: Blob | None) -> bytes | None:
            if blob is None:
                return None
            newest = _parsed(blob, run.export, run.id)
            return blob.data if newest.begun else None

        return compare_and_swap(self._state, _name(run.export, run.id), decide).data is None

    def ids(self, export: str) -> list[str]:
        """Newest first."""
        names = self._state.folders(f"runs/{export}/")
        return sorted((name for name in names if RUN_ID.fullmatch(name)), reverse=True)

    def newest(self, export: str) -> Iterator[Run]:
        """Newest first; a run without a record, or with one that cannot be read, is passed over."""
        for id_ in self.ids(export):
            with suppress(NotFound, Unreadable):
                yield self.get(export, id_)


def _name(export: str, run: str) -> str:
    return f"runs/{export}/{run}/run.json"


def _parsed(blob: Blob | None, export: str, run: str) -> Run:
    if blob is None:
        raise NotFound(
            "run_not_found",
            f"The export {export} has no run {run}.",
            f"GET /api/exports/{export}/runs lists those that there are.",
        )
    return stored_record.read(Run, blob.data, _name(export, run))
