"""The run that a key stands for, so that the same request, or the same occasion, starts one run and no second."""

import hashlib
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from shared.errors import Changed, Conflict
from shared.runs import Mode, Run
from shared.storage import Container

KEPT = timedelta(days=1)
_FOLDER = "idempotency"


class _Bound(BaseModel):
    """``run`` may not exist yet: whoever bound it is about to begin it, or has died before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    mode: Mode
    dry_run: bool
    bound_at: datetime


class Keys:
    """One blob for each key of an export, in the container ``export-state``. Keys are text of any kind, so that only
    their hash is a name."""

    def __init__(self, state: Container) -> None:
        self._state = state

    def bind(self, run: Run, key: str) -> str:
        """The id of the run that ``key`` has stood for within the last day; if for none, it stands for ``run`` now.

        Raises Conflict where it stands for a run of another kind.
        """
        name = _name(run.export, key)
        while True:
            held = self._state.read(name)
            bound = _Bound.model_validate_json(held.data) if held else None
            if bound and run.created_at - bound.bound_at < KEPT:
                if (bound.mode, bound.dry_run) != (run.mode, run.dry_run):
                    raise Conflict(
                        "idempotency_key_reused",
                        "The Idempotency-Key was used within the last day for a run with another mode or dry_run.",
                        "Use a new key for a new request.",
                        field="Idempotency-Key",
                    )
                return bound.run
            try:
                self._state.write(name, _json(run, run.id), replaces=held.etag if held else None, new=held is None)
            except Changed:
                continue
            return run.id

    def rebind(self, run: Run, key: str, holder: str) -> None:
        """``key`` was bound to ``run``, which was not to be: it stands for the run ``holder`` instead."""
        self._state.write(_name(run.export, key), _json(run, holder))

    def free(self, run: Run, key: str) -> None:
        """``key`` stands for nothing."""
        self._state.delete(_name(run.export, key))

    def clean(self, now: datetime) -> None:
        """Removes what has expired."""
        for info in self._state.list(f"{_FOLDER}/"):
            if now - info.modified > KEPT:
                self._state.delete(info.name, etag=info.etag)


def _name(export: str, key: str) -> str:
    return f"{_FOLDER}/{export}/{hashlib.sha256(key.encode()).hexdigest()}.json"


def _json(run: Run, id_: str) -> bytes:
    bound = _Bound(run=id_, mode=run.mode, dry_run=run.dry_run, bound_at=run.created_at)
    return bound.model_dump_json().encode()
