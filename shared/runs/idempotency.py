"""The run that a key stands for, so that the same request, or the same occasion, starts one run and no second."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from shared import stored_record
from shared.errors import Changed, Conflict
from shared.ports.blobs import Blob, Blobs
from shared.ports.compare_and_swap import compare_and_swap
from shared.record.run_record import Mode, Run

KEPT = timedelta(days=1)
_FOLDER = "idempotency"


class _Bound(BaseModel):
    """``run`` may not exist yet: whoever bound it is about to begin it, or has died before. ``mode_asked`` is whether
    the request named the mode, else it is what the export said. None is of a version that did not write that down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    mode: Mode
    mode_asked: bool | None = None
    dry_run: bool
    confirm_removals: bool | None = None
    audit: bool = False
    bound_at: datetime


@dataclass(frozen=True)
class Binding:
    """The id of the ``run`` that a key stands for, and the ETag of the record in which it does."""

    run: str
    etag: str


class Keys:
    """One blob for each key of an export, in the container ``export-state``. Keys are text of any kind, so that only
    their hash is a name."""

    def __init__(self, state: Blobs) -> None:
        self._state = state

    def bind(
        self, run: Run, key: str, *, mode_asked: bool, since: datetime, is_lost: Callable[[str], bool] = lambda _: False
    ) -> Binding:
        """The run that ``key`` has stood for within the last day, and ``since`` the export was made; if for
        none, or for one that ``is_lost``, it stands for ``run`` now.

        The record is written each time, so that ``rebind`` and ``free`` leave it to the last of several who are about
        to begin that run. Raises Conflict where it was used for another request.
        """
        mine = _bound(run, mode_asked=mode_asked)

        def decide(blob: Blob | None) -> bytes:
            bound = stored_record.read(_Bound, blob.data, name) if blob else None
            if not (blob and bound and run.created_at - bound.bound_at < KEPT and bound.bound_at >= since):
                return stored_record.written(mine)
            if _asks_for_another(mine, bound):
                raise Conflict(
                    "idempotency_key_reused",
                    "The Idempotency-Key was used within the last day for another request.",
                    "Use a new key for a new request.",
                    field="Idempotency-Key",
                )
            return stored_record.written(mine) if is_lost(bound.run) else stored_record.written(bound, blob.data)

        name = _name(run.export, key)
        swapped = compare_and_swap(self._state, name, decide)
        return Binding(stored_record.read(_Bound, swapped.data or b"", name).run, swapped.etag)

    def stands_for(self, export: str, key: str) -> str | None:
        """The id of the run, also where it is more than a day old."""
        name = _name(export, key)
        blob = self._state.read(name)
        return stored_record.read(_Bound, blob.data, name).run if blob else None

    def rebind(self, export: str, key: str, binding: Binding, holder: str) -> None:
        """``key`` stands for the run ``holder`` instead, unless somebody has bound it since."""

        def decide(blob: Blob | None) -> bytes | None:
            if blob is None or blob.etag != binding.etag:
                return blob.data if blob else None
            bound = stored_record.read(_Bound, blob.data, name)
            return stored_record.written(bound.model_copy(update={"run": holder}), blob.data)

        name = _name(export, key)
        compare_and_swap(self._state, name, decide)

    def free(self, export: str, key: str, binding: Binding) -> None:
        """``key`` stands for nothing, unless somebody has bound it since."""

        def decide(blob: Blob | None) -> bytes | None:
            return blob.data if blob and blob.etag != binding.etag else None

        compare_and_swap(self._state, _name(export, key), decide)

    def clean(self, now: datetime) -> None:
        """Removes what has expired."""
        for info in self._state.list(f"{_FOLDER}/"):
            if now - info.modified > KEPT:
                with suppress(Changed):  # it was used anew
                    self._state.delete(info.name, etag=info.etag)


def _name(export: str, key: str) -> str:
    return f"{_FOLDER}/{export}/{hashlib.sha256(key.encode()).hexdigest()}.json"


def _bound(run: Run, *, mode_asked: bool) -> _Bound:
    return _Bound(
        run=run.id,
        mode=run.mode,
        mode_asked=mode_asked,
        dry_run=run.dry_run,
        confirm_removals=run.confirm_removals,
        audit=run.audit,
        bound_at=run.created_at,
    )


def _asks_for_another(mine: _Bound, bound: _Bound) -> bool:
    """What was asked for is compared, not what the export said then: its mode may have been changed since."""
    if (mine.dry_run, mine.audit) != (bound.dry_run, bound.audit):
        return True
    if bound.confirm_removals not in (None, mine.confirm_removals):
        return True
    if bound.mode_asked is None:
        return mine.mode_asked is True and mine.mode != bound.mode
    return (mine.mode_asked and mine.mode) != (bound.mode_asked and bound.mode)
