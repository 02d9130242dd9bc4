"""Which run holds an export: an export has one run at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from shared import stored_record
from shared.ports.blobs import Blob, Blobs
from shared.ports.compare_and_swap import compare_and_swap


class Claim(BaseModel):
    """The run that holds the export, and when it last showed that it is alive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    heartbeat: datetime


@dataclass(frozen=True)
class Taken:
    """The id of the run that holds the export now; and of the run that held it before this call, and lives no more, if
    there is one."""

    holder: str
    taken_from: str | None


class Claims:
    def __init__(self, state: Blobs) -> None:
        self._state = state

    def take(self, export: str, run: str, *, now: datetime, is_live: Callable[[str], bool]) -> Taken:
        """Makes ``run`` the one that holds its export, unless one does that ``is_live``."""
        mine = Claim(run=run, heartbeat=now)
        before: str | None = None

        def decide(blob: Blob | None) -> bytes:
            nonlocal before
            before = _parsed(blob, _name(export)).run if blob else None
            if blob and before and (before == run or is_live(before)):
                return blob.data
            return stored_record.written(mine)

        swapped = compare_and_swap(self._state, _name(export), decide)
        holder = stored_record.read(Claim, swapped.data or b"", _name(export)).run
        return Taken(holder, before if swapped.wrote else None)

    def held(self, export: str) -> Claim | None:
        blob = self._state.read(_name(export))
        return _parsed(blob, _name(export)) if blob else None

    def is_held_by(self, export: str, run: str) -> bool:
        claim = self.held(export)
        return claim is not None and claim.run == run

    def release(self, export: str, run: str) -> bool:
        """Lets go of the export, if ``run`` holds it; whether this call did."""

        def decide(blob: Blob | None) -> bytes | None:
            return blob.data if blob and _parsed(blob, _name(export)).run != run else None

        return compare_and_swap(self._state, _name(export), decide).wrote

    def heartbeat(self, export: str, run: str, now: datetime) -> None:
        """Says that ``run`` is alive; silent where it no longer holds the export."""

        def decide(blob: Blob | None) -> bytes | None:
            if blob is None or _parsed(blob, _name(export)).run != run:
                return blob.data if blob else None
            return stored_record.written(Claim(run=run, heartbeat=now), blob.data)

        compare_and_swap(self._state, _name(export), decide)

    def exports(self) -> Iterator[str]:
        """Every export that a run holds."""
        for info in self._state.list("exports/"):
            export, _, name = info.name.removeprefix("exports/").partition("/")
            if name == "active.json":
                yield export


def _name(export: str) -> str:
    return f"exports/{export}/active.json"


def _parsed(blob: Blob, name: str) -> Claim:
    return stored_record.read(Claim, blob.data, name)
