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
    active: they may be put back. ``not_removed`` is the service's code for one who is not off. ``unanswered`` are the
    rows in its slice for which no answer has come.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    added: int = 0
    updated: int = 0
    refused: tuple[tuple[int | None, int], ...] = ()
    removed: int = 0
    deleted: int = 0
    not_removed: int | None = None
    unanswered: tuple[int, ...] = ()


class SliceResult(BaseModel):
    """``done`` by the number of the batch, from 0; in ``partly`` are those of which some rows are unanswered. A version
    that does not know ``partly`` sends the whole batch again, and leaves what was there beside ``done``, which counts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: int = 1
    batches: int
    done: dict[int, BatchResult] = {}
    partly: dict[int, BatchResult] = {}

    @classmethod
    def of(cls, batches: int, answered: Mapping[int, BatchResult]) -> "SliceResult":
        return cls(
            batches=batches,
            done={batch: one for batch, one in answered.items() if not one.unanswered},
            partly={batch: one for batch, one in answered.items() if one.unanswered},
        )

    @property
    def answered(self) -> dict[int, BatchResult]:
        return self.partly | self.done

    @property
    def complete(self) -> bool:
        return len(self.done) == self.batches

    @property
    def totals(self) -> "Totals":
        answered = self.answered.values()
        return Totals(
            batches=self.batches,
            done=len(self.done),
            added=sum(batch.added for batch in answered),
            updated=sum(batch.updated for batch in answered),
            refused=sum(len(batch.refused) for batch in answered),
            removed=sum(batch.removed for batch in answered),
            not_removed=sum(batch.not_removed is not None for batch in answered),
        )

    def joined(self, saved: "SliceResult") -> "SliceResult":
        """Both together. A batch that is saved as done stays as it is: the other worker's answer was the first, and a
        batch counts once. Of two that are partly answered the one with more answers has those of the other."""
        done = self.done | saved.done
        partly = dict(saved.partly)
        for batch, one in self.partly.items():
            if batch not in partly or len(one.unanswered) < len(partly[batch].unanswered):
                partly[batch] = one
        open_ = {batch: one for batch, one in partly.items() if batch not in done}
        return saved.model_copy(update={"batches": self.batches, "done": done, "partly": open_})


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
        """Adds to what is saved, and returns both together."""
        merged, marks = result, dict[str, str]()

        def decide(blob: Blob | None) -> bytes:
            nonlocal merged, marks
            marks = dict(blob.metadata) if blob else {}
            merged = result.joined(stored_record.read(SliceResult, blob.data, self._name(slice_))) if blob else result
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
