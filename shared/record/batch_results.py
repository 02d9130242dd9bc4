"""What became of each batch of a slice: the checkpoint of the sending step, and the source of every later count."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from shared import stored_record
from shared.ports.blobs import Blob, Blobs
from shared.ports.compare_and_swap import compare_and_swap


class BatchResult(BaseModel):
    """Of a batch of subscribers, or of one leaver. ``refused`` holds pairs of the row in its slice (null when the
    service named an address that the batch does not hold) and the service's code.

    ``removed`` counts leavers who are off the list, ``deleted`` those of them whom this call took off while they were
    active: they may be put back. ``not_removed`` is the service's code for one who is not off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    added: int = 0
    updated: int = 0
    refused: tuple[tuple[int | None, int], ...] = ()
    removed: int = 0
    deleted: int = 0
    not_removed: int | None = None


class SliceResult(BaseModel):
    """``done`` by the number of the batch, from 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: int = 1
    batches: int
    done: dict[int, BatchResult] = {}

    @property
    def complete(self) -> bool:
        return len(self.done) == self.batches

    @property
    def totals(self) -> "Totals":
        done = self.done.values()
        return Totals(
            batches=self.batches,
            done=len(done),
            added=sum(batch.added for batch in done),
            updated=sum(batch.updated for batch in done),
            refused=sum(len(batch.refused) for batch in done),
            removed=sum(batch.removed for batch in done),
            not_removed=sum(batch.not_removed is not None for batch in done),
        )


@dataclass(frozen=True)
class Totals:
    """Of one slice, or of all slices of a run."""

    batches: int = 0
    done: int = 0
    added: int = 0
    updated: int = 0
    refused: int = 0
    removed: int = 0
    not_removed: int = 0

    @property
    def complete(self) -> bool:
        """Of one slice: whether it is through."""
        return self.done == self.batches > 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(**{name: count + getattr(other, name) for name, count in self.__dict__.items()})


class Results:
    """The results of one attempt of a run, in its ``folder``. Each blob carries its totals as metadata, so that one
    listing tells how far a run is."""

    def __init__(self, state: Blobs, folder: str) -> None:
        self._state = state
        self._folder = f"{folder}/results/"

    def get(self, slice_: int) -> SliceResult | None:
        blob = self._state.read(self._name(slice_))
        return stored_record.read(SliceResult, blob.data, self._name(slice_)) if blob else None

    def save(self, slice_: int, result: SliceResult) -> SliceResult:
        """Adds to what is saved, and returns both together. A batch that is saved already stays as it is: the other
        worker's answer was the first, and a batch counts once."""
        merged, marks = result, dict[str, str]()

        def decide(blob: Blob | None) -> bytes:
            nonlocal merged, marks
            marks = dict(blob.metadata) if blob else {}
            saved = stored_record.read(SliceResult, blob.data, self._name(slice_)).done if blob else {}
            merged = SliceResult(batches=result.batches, done=result.done | saved)
            return stored_record.written(merged, blob.data if blob else None, exclude_defaults=True)

        def totals(_: bytes) -> dict[str, str]:
            return marks | {name: str(value) for name, value in merged.totals.__dict__.items()}

        compare_and_swap(self._state, self._name(slice_), decide, metadata=totals)
        return merged

    def totals(self) -> Iterator[tuple[int, Totals]]:
        """Number and totals of each slice that has begun."""
        for info in self._state.list(self._folder, metadata=True):
            yield int(info.name.removeprefix(self._folder).removesuffix(".json")), _totals(info.metadata)

    def totals_of(self, slice_: int) -> Totals:
        """Of one slice; of one that has not begun, none."""
        blob = self._state.read(self._name(slice_))
        return _totals(blob.metadata) if blob else Totals()

    def _name(self, slice_: int) -> str:
        return f"{self._folder}{slice_:05}.json"


def _totals(metadata: Mapping[str, str]) -> Totals:
    return Totals(**{key: int(metadata.get(key, 0)) for key in Totals.__dataclass_fields__})
