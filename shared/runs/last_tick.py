"""When the timer last ticked, for those who want to know whether it does."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared import stored_record
from shared.ports.blobs import Blob, Blobs
from shared.ports.compare_and_swap import compare_and_swap

_NAME = "tick.json"


class _Tick(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    at: AwareDatetime


def note_tick(state: Blobs, now: datetime) -> None:
    def decide(blob: Blob | None) -> bytes:
        return stored_record.written(_Tick(at=now), blob.data if blob else None)

    compare_and_swap(state, _NAME, decide)


def last_tick(state: Blobs) -> datetime | None:
    blob = state.read(_NAME)
    return stored_record.read(_Tick, blob.data, _NAME).at if blob else None
