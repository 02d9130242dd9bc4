"""When the timer last ticked, for those who want to know whether it does."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared import stored_record
from shared.ports.blobs import Blobs

_NAME = "tick.json"


class _Tick(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    at: AwareDatetime


def note_tick(state: Blobs, now: datetime) -> None:
    state.write(_NAME, stored_record.written(_Tick(at=now)))


def last_tick(state: Blobs) -> datetime | None:
    blob = state.read(_NAME)
    return stored_record.read(_Tick, blob.data).at if blob else None
